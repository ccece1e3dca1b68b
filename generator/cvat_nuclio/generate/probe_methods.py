"""How the runtime calls an AA function's methods, and what is wrong with those of one that was loaded.

Part of `probe_script`, and as stand-alone: only the standard library.
"""

from __future__ import annotations

import inspect
from typing import Any

#: The methods of each kind, with the number of arguments, less `self`: cvat-sdk's and aa_runtime's protocols.
CALLS = {
    "detector": {"detect": 2},
    "interactor": {"detect": 3},
    "tracker": {"init_tracking_state": 3, "track": 3},
    "reid": {"embed": 3},
}
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
OPTIONAL = {"preprocess_image": 2}


def faults(function: Any, kind: str) -> list[tuple[str, str]]:
    """The methods that cannot be called as the runtime calls them, each with what is wrong, in words."""
    calls = {**OPTIONAL, **CALLS[kind]}
    found = {name: fault(getattr(function, name, None), count) for name, count in calls.items()}
    return [(name, text) for name, text in found.items() if text and (text != "is missing" or name in CALLS[kind])]


def classes(module: Any) -> list[str]:
    """The module's classes that have the methods of a kind: what its `create` may be meant to be."""
    found = {
        name: each for name, each in vars(module).items()
        if inspect.isclass(each) and not inspect.isabstract(each) and each.__module__.split(".")[0] != "cvat_sdk"
    }  # fmt: skip
    fitting = [name for name, each in found.items() if any(all(hasattr(each, m) for m in c) for c in CALLS.values())]
    # One that others are made from is not the one meant.
    bases = {base for name in fitting for base in found[name].__mro__[1:]}
    return [name for name in fitting if found[name] not in bases]


def parameters(factory: Any) -> dict[str, Any] | None:
    """What a function takes by name, each with its default where that is a text; `**` for whatever else."""
    try:
        given = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return {"**": None}
    found = {p.name: p.default if isinstance(p.default, str) else None for p in given if p.kind in BY_NAME}
    return {**found, "**": None} if any(p.kind is p.VAR_KEYWORD for p in given) else found


def needed(factory: Any) -> list[str]:
    """The parameters that a class or a function must be given."""
    try:
        given = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    empty = inspect.Parameter.empty
    return [p.name for p in given if p.default is empty and p.kind in BY_NAME]


def fault(method: Any, count: int) -> str:
    """What keeps a method from being called with `count` arguments, or an empty text."""
    if method is None:
        return "is missing"
    if not callable(method):
        return f"is {type(method).__name__}, not a function"
    called = method if inspect.isroutine(method) else type(method).__call__
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called):
        return "is `async def`: nobody awaits it"
    try:
        inspect.signature(method).bind(*[None] * count)
    except TypeError:
        return f"cannot be called with {count} arguments"
    except ValueError:  # a function of C that does not tell
        return ""
    return ""
