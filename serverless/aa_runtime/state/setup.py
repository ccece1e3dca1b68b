"""The store that a function's options ask for."""

import hashlib
import os
from types import ModuleType
from typing import Any, Final

from aa_runtime.log import Log
from aa_runtime.options import Options
from aa_runtime.state.classes import ClassTable
from aa_runtime.state.codec import Codec
from aa_runtime.state.memory import MemoryStore
from aa_runtime.state.store import TokenStore
from aa_runtime.state.token import Sealer

StateStore = TokenStore | MemoryStore
"""Gives tokens for states and takes them back. A token is one ASCII string in which JSON escapes nothing."""
_LEAST_KEY_CHARS: Final = 16


def create_store(function: Any, options: Options, log: Log) -> StateStore:
    """The store for one tracking function. Call it when the function has been loaded whole: tokens can name
    the classes of the modules that are imported by then, and no others."""
    if options.state == "in-memory":
        return MemoryStore(options.state_entries, options.state_max_age)
    keys = state_keys(options.state_key_env, log)
    sealer = Sealer(identity(function, options), keys, options.max_state_bytes)
    return TokenStore(Codec(ClassTable.of_function(function)), sealer, options.state_max_age)


def state_keys(variable: str, log: Log) -> list[bytes]:
    """The keys in an environment variable, comma-separated, surrounding blanks ignored.

    The first one seals, all of them open. To replace a key, put the new one first everywhere, and take the
    old one away once the last of its tokens has expired.
    """
    keys = [key.strip().encode() for key in os.environ.get(variable, "").split(",") if key.strip()]
    if not keys:
        log.warn(
            "%s is not set: anybody can forge tracking states, and have this function work on them; deploy it with"
            " `cvat-nuclio deploy`, which gives it a key, or set the variable to 16 characters or more",
            variable,
        )
    elif any(len(key) < _LEAST_KEY_CHARS for key in keys):
        log.warn("%s has a key of fewer than %s characters, which may be guessed", variable, _LEAST_KEY_CHARS)
    return keys


def identity(function: Any, options: Options) -> bytes:
    """8 bytes that are the same in every worker of a function, and differ between functions: of its id, where
    it is defined, and what it tracks."""
    kind = type(function)
    is_module = isinstance(function, ModuleType)
    where = function.__name__ if is_module else f"{kind.__module__}.{kind.__qualname__}"
    parts = [options.name, where, *sorted(function.spec.supported_shape_types)]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
