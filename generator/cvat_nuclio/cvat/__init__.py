"""CVAT's server, seen from a Nuclio function: how it lists one, what it sends, what it makes of the answer.

A model in plain Python: no Django, no database. `invoke`, `check` and the tests share it, so "what CVAT would keep"
has one implementation. Every rule was read from a recorded exchange with a real server; `tests/cvat` replays them all.
"""

from .errors import CvatError, ListingError
from .generation import Generation
from .listing import Listed, list_function, list_functions
from .task import Task, TaskLabel, labels_from_spec

__all__ = [
    "CvatError",
    "Generation",
    "Listed",
    "ListingError",
    "Task",
    "TaskLabel",
    "labels_from_spec",
    "list_function",
    "list_functions",
]
