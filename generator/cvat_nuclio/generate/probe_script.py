"""Loads an AA function and tells what it is, as JSON. Runs under the user's interpreter: `probe` starts it.

Stand-alone: the standard library and cvat-sdk are all that it may count on there. `aa_runtime` is reached without its
dependencies, so that a ReID function finds `ReIDFunctionSpec`.
Usage: probe_script.py REQUEST.json ANSWER.json STATES.json
"""

# The import machinery speaks in strings, and an old Python must get as far as its error:
# ruff: noqa: PTH118, UP032, UP036
from __future__ import annotations

import sys

if __name__ == "__main__":
    # This file's folder holds modules that the function's imports must not find. Python leaves it out by itself where
    # PYTHONSAFEPATH is set, and the first entry is then the standard library.
    sys.path[:] = [path for path in sys.path if path != __file__.rpartition("/")[0]]

import importlib
import importlib.metadata
import importlib.util
import json
import os
import threading
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import probe_files as files
    from . import probe_methods as methods
    from . import probe_modules as modules
    from . import probe_state as state
else:

    def beside(name: str) -> types.ModuleType:
        spec = importlib.util.spec_from_file_location(f"_{name}", Path(__file__).with_name(f"{name}.py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    files, methods, modules = beside("probe_files"), beside("probe_methods"), beside("probe_modules")
    state = beside("probe_state")


class Failed(Exception):
    """Ends the probe; `report` is what the host reads."""

    def __init__(self, **report: Any) -> None:
        super().__init__(report)
        self.report = report


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    try:
        function, answer = probe(request)
    except Failed as failure:
        function, answer = None, {"failure": failure.report}
    Path(sys.argv[2]).write_text(json.dumps(answer), "utf-8")
    if function is not None and request["measure"] and answer["spec"]["kind"] == "tracker":
        try_states(function, answer["spec"]["shape_types"], request["lent"]["msgpack"], Path(sys.argv[3]))
    # A function's threads must not keep the probe alive, nor its clean-up spoil the answer.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def try_states(function: Any, shape_types: list[str], msgpack: str, file: Path) -> None:
    """Writes how large its states get. Whatever happens meanwhile, the answer is there already."""
    limit = threading.Timer(state.SECONDS, os._exit, (0,))
    limit.daemon = True
    limit.start()
    for found in state.states(function, shape_types, msgpack):
        new = file.with_suffix(".new")
        new.write_text(json.dumps(found), "utf-8")
        new.replace(file)


def probe(request: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    if sys.version_info < (3, 11):
        raise Failed(stage="python", version=".".join(map(str, sys.version_info[:3])))
    offer_runtime(request["runtime"])
    sys.path += [path for path in request["path"] if path not in sys.path]
    # No index has them, and the environment that a network was trained in has no cvat-nuclio.
    state.lend(modules.READY, request["lent"][modules.READY])
    sdk = import_sdk()
    before = set(sys.modules)
    watched = files.Files()
    function = load(request, sdk)
    after = dict(sys.modules)
    found = modules.Modules(request, before, after)
    facts = found.report()
    spec = describe(function, sdk)
    return function, {
        "spec": spec,
        "faults": methods.faults(function, spec["kind"]),
        "create": created(after, request),
        "doc": doc_of(after, request),
        **facts,
        "read": watched.report(found.sources(), [str(Path.cwd()), *request["path"]]),
    }


def offer_runtime(folder: str) -> None:
    """`import aa_runtime` gives the ReID protocol alone; the rest of the runtime needs what the image has."""
    package = types.ModuleType("aa_runtime")
    package.__path__ = [folder]
    package.__file__ = os.path.join(folder, "__init__.py")

    def attribute(name: str) -> Any:
        protocol = importlib.import_module("aa_runtime.protocol")
        if hasattr(protocol, name):
            return getattr(protocol, name)
        raise AttributeError("module 'aa_runtime' has no attribute {!r} while its function is loaded".format(name))

    package.__getattr__ = attribute  # type: ignore[method-assign]
    sys.modules["aa_runtime"] = package


def import_sdk() -> Any:
    try:
        sdk = importlib.import_module("cvat_sdk.auto_annotation")
        sdk.DetectionFunctionSpec, sdk.InteractionFunctionSpec, sdk.TrackingFunctionSpec  # noqa: B018
    except (ImportError, AttributeError) as error:
        raise Failed(stage="sdk", error=last_words(error)) from error
    return sdk


def load(request: dict[str, Any], sdk: Any) -> Any:
    """As cvat-cli loads it."""
    try:
        function = import_function(request)
    except BaseException as error:
        raise Failed(stage="import", **words(error)) from error
    try:
        if hasattr(function, "create"):
            function = function.create(**request["parameters"])
        elif request["parameters"]:
            raise TypeError("function takes no parameters")
        if not hasattr(function, "spec"):
            raise sdk.BadFunctionError("function has no 'spec' attribute")
        function.spec  # noqa: B018 - it may be a property that fails
    except BaseException as error:
        raise Failed(stage="create", **words(error), classes=candidates(function)) from error
    return function


def candidates(module: Any) -> dict[str, list[str]]:
    """What `create` may be meant to be, each class with the parameters that it needs; nothing where there is one."""
    if not isinstance(module, types.ModuleType) or hasattr(module, "create"):
        return {}
    return {name: methods.needed(getattr(module, name)) for name in methods.classes(module)}


def import_function(request: dict[str, Any]) -> Any:
    if request["module"] is not None:
        return importlib.import_module(request["module"])
    spec = importlib.util.spec_from_file_location(modules.FUNCTION, request["file"])
    if spec is None or spec.loader is None:
        raise ImportError("{} is not a Python source file".format(request["file"]))
    module = importlib.util.module_from_spec(spec)
    # Kept in sys.modules, unlike in cvat-cli: the runtime keeps it too, for dataclasses look there.
    sys.modules[modules.FUNCTION] = module
    spec.loader.exec_module(module)
    return module


def words(error: BaseException) -> dict[str, Any]:
    """An exception, and the place in the user's own code where it came up."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    place = [frames[-1].filename, frames[-1].lineno, frames[-1].line] if frames else None
    if isinstance(error, SyntaxError):
        place = [error.filename, error.lineno, (error.text or "").strip()]
    return {
        "error": last_words(error),
        "type": type(error).__name__,
        "text": str(error),
        "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
        "place": place,
        "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }


def is_users(file: str) -> bool:
    return not modules.is_installed(file) and file not in (__file__, files.__file__, modules.__file__)


def last_words(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()


# --- the spec ---------------------------------------------------------------------------------------------------


def describe(function: Any, sdk: Any) -> dict[str, Any]:
    spec = function.spec
    if isinstance(spec, sdk.DetectionFunctionSpec):
        return {"kind": "detector", "labels": [label(item) for item in spec.labels]}
    if isinstance(spec, sdk.InteractionFunctionSpec):
        fields = ("min_pos_points", "min_neg_points", "min_bounding_boxes")
        return {"kind": "interactor", **{field: getattr(spec, field) for field in fields}}
    if isinstance(spec, sdk.TrackingFunctionSpec):
        return {"kind": "tracker", "shape_types": sorted(str(item) for item in spec.supported_shape_types)}
    protocol = sys.modules.get("aa_runtime.protocol")
    if protocol is not None and isinstance(spec, protocol.ReIDFunctionSpec):
        return {"kind": "reid"}
    raise Failed(stage="kind", type=type(spec).__module__ + "." + type(spec).__qualname__)


def label(item: Any) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "type": str(getattr(item, "type", None) or "any"),
        "attributes": [attribute(one) for one in getattr(item, "attributes", None) or []],
        "sublabels": [label(one) for one in getattr(item, "sublabels", None) or []],
    }


def attribute(item: Any) -> dict[str, Any]:
    return {
        "name": item.name,
        "input_type": str(item.input_type),
        "values": [str(value) for value in item.values],
        "default": str(getattr(item, "default_value", None) or ""),
    }


def created(loaded: dict[str, Any], request: dict[str, Any]) -> dict[str, Any] | None:
    module = loaded.get(request["module"] or modules.FUNCTION)
    create = getattr(module, "create", None)
    return methods.parameters(create) if create else None


def doc_of(loaded: dict[str, Any], request: dict[str, Any]) -> str:
    module = loaded.get(request["module"] or modules.FUNCTION)
    return (getattr(module, "__doc__", None) or "").strip()


if __name__ == "__main__":
    main()
