"""Finds an AA function the way cvat-cli does."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime.contract import Kind
from aa_runtime.protocol import ReIDFunctionSpec

#: The name cvat-cli gives to a function's file.
FILE_MODULE: Final = "__cvat_function__"


def _frozen(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(parameters))


@attrs.frozen(kw_only=True)
class FunctionSource:
    """Where an AA function is: cvat-cli's `--function-module` or `--function-file`, and its `-p`
    parameters."""

    module: str | None = None
    file: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=_frozen)

    def __attrs_post_init__(self) -> None:
        if (self.module is None) == (self.file is None):
            raise ValueError("a function source names either a module or a file")


def load(source: FunctionSource) -> Any:
    """The AA function that `source` names: a module, or what its `create(**parameters)` returns.

    Errors are cvat-cli's: TypeError for parameters that nothing takes, `BadFunctionError` without a `spec`,
    and whatever the module raises. Unlike cvat-cli, a file's module stays in `sys.modules`: dataclasses with
    string annotations look for it there, and so does the decoding of a tracker's states.
    """
    function: Any = importlib.import_module(source.module) if source.module is not None else _load_file(source.file)
    if hasattr(function, "create"):
        function = function.create(**source.parameters)
    elif source.parameters:
        raise TypeError("function takes no parameters")
    if not hasattr(function, "spec"):
        raise cvataa.BadFunctionError("function has no 'spec' attribute")
    return function


def kind_of(spec: object) -> Kind:
    """The kind of function that a spec describes. `BadFunctionError` for anything else."""
    for spec_class, kind in (
        (cvataa.DetectionFunctionSpec, Kind.DETECTOR),
        (cvataa.InteractionFunctionSpec, Kind.INTERACTOR),
        (cvataa.TrackingFunctionSpec, Kind.TRACKER),
        (ReIDFunctionSpec, Kind.REID),
    ):
        if isinstance(spec, spec_class):
            return kind
    raise cvataa.BadFunctionError(f"Unsupported function spec type: {type(spec).__name__}")


def _load_file(file: Path | None) -> ModuleType:
    assert file is not None  # noqa: S101 - FunctionSource holds it
    module_spec = importlib.util.spec_from_file_location(FILE_MODULE, file)
    if module_spec is None or module_spec.loader is None:
        raise ImportError(f"{file} is not a Python source file")
    module = importlib.util.module_from_spec(module_spec)
    before = sys.modules.get(FILE_MODULE)
    sys.modules[FILE_MODULE] = module
    try:
        module_spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            sys.modules.pop(FILE_MODULE, None)
        else:
            sys.modules[FILE_MODULE] = before
        raise
    return module
