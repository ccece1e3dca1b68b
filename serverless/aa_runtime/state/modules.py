"""Which modules make up a function."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

_LIBRARY_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})
_METHODS: Final = ("init_tracking_state", "track")
_NOT_OWN: Final = frozenset({"aa_runtime", "builtins", "types", "functools", "typing", "abc"})


def own_modules(function: object) -> dict[str, ModuleType]:
    """The modules that define `function`, and what has been imported from beside them: of the same package,
    or, where they are in no package, from the same folder and below. Libraries are never among them, unless
    the function itself is one's."""
    own = dict(_homes(function))
    for home in list(own.values()):
        own.update(_beside(home))
    return own


def _homes(function: object) -> Iterator[tuple[str, ModuleType]]:
    if isinstance(function, ModuleType):
        yield function.__name__, function
        return
    names = [type(function).__module__]
    names += [getattr(getattr(function, method, None), "__module__", None) or "" for method in _METHODS]
    for name in dict.fromkeys(names):
        module = sys.modules.get(name)
        if module is not None and _root(name) not in _NOT_OWN:
            yield name, module


def _beside(home: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    package = home.__package__ or ""
    folder = _folder(home)
    known: dict[str, bool] = {}
    for name, module in list(sys.modules.items()):
        if not isinstance(module, ModuleType) or _root(name) in _NOT_OWN:
            continue
        if package:
            if name == package or name.startswith(f"{package}."):
                yield name, module
        elif folder is not None and _is_under(module, folder, known):
            yield name, module


def _root(name: str) -> str:
    return name.partition(".")[0]


def _folder(module: ModuleType) -> Path | None:
    """The folder of a user's own module; None for one of a library or of Python itself."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return None
    folder = Path(file).resolve().parent
    is_library = not _LIBRARY_FOLDERS.isdisjoint(folder.parts) or folder == _STANDARD_LIBRARY
    return None if is_library else folder


def _is_under(module: ModuleType, folder: Path, known: dict[str, bool]) -> bool:
    """`known` holds what was found for other modules' folders: thousands may be loaded, from few folders."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    where = file.rpartition(os.sep)[0]
    if where not in known:
        known[where] = _LIBRARY_FOLDERS.isdisjoint(Path(where).parts) and Path(where).resolve().is_relative_to(folder)
    return known[where]


_STANDARD_LIBRARY: Final = Path(sys.modules["collections"].__file__ or "").resolve().parent.parent
