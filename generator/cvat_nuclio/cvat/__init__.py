"""CVAT's server, seen from a Nuclio function: how it lists one, what it sends, what it makes of the answer.

A model in plain Python: no Django, no database. `invoke`, `check` and the tests share it, so "what CVAT would keep"
has one implementation. The rules, their order and their words are those of CVAT's source, which was read and run
beside the model over thousands of random calls (2.15, 2.54, 2.73); `tests/cvat` replays the recorded exchanges.

`listing` reads Nuclio's function object; `rest_fields` reads single values of a body; `payload` builds what is sent;
`conversion`, `validation`, `reid_tracks` and `interactor_answer` read answers; `server` and `job` are the REST calls;
`browser` is the user in front of them.
"""

from .browser import Browser
from .gateway import Gateway
from .generation import NEWEST, Generation
from .interactor_answer import UiError
from .listing import Listed, list_function, list_functions
from .rest_errors import CvatError, ListingError
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
