"""CVAT's server, seen from a Nuclio function: how it lists one, what it sends, what it makes of the answer.

A model in plain Python: no Django, no database. `invoke`, `check` and the tests share it, so "what CVAT would keep"
has one implementation. Every rule was read from a recorded exchange with a real server; `tests/cvat` replays them all.

`listing` reads Nuclio's function object; `payload` builds requests; `conversion`, `validation`, `tracker`, `reid` and
`interactor` read answers; `server` and `job` are the REST calls; `browser` is the user in front of them.
"""

from .browser import Browser
from .errors import CvatError, ListingError
from .gateway import Gateway
from .generation import NEWEST, Generation
from .interactor import UiError
from .listing import Listed, list_function, list_functions
from .server import Server
from .task import Task, TaskLabel, labels_from_spec

__all__ = [
    "NEWEST",
    "Browser",
    "CvatError",
    "Gateway",
    "Generation",
    "Listed",
    "ListingError",
    "Server",
    "Task",
    "TaskLabel",
    "UiError",
    "labels_from_spec",
    "list_function",
    "list_functions",
]
