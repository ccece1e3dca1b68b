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
OPTIONAL = {"preprocess_image": 2}


def faults(function: Any, kind: str) -> list[tuple[str, str]]:
    """The methods that cannot be called as the runtime calls them, each with what is wrong, in words."""
    calls = {**OPTIONAL, **CALLS[kind]}
    found = {name: fault(getattr(function, name, None), count) for name, count in calls.items()}
    return [(name, text) for name, text in found.items() if text and (text != "is missing" or name in CALLS[kind])]


def fault(method: Any, count: int) -> str:
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
