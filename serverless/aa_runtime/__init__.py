"""The handler runtime that every bundle carries: Nuclio event → AA function → what CVAT reads."""

from aa_runtime.contract import Kind
from aa_runtime.errors import FunctionError, RequestError
from aa_runtime.handler import Handler, create_handler
from aa_runtime.loading import FunctionSource, kind_of, load
from aa_runtime.options import Options
from aa_runtime.protocol import ReIDFunction, ReIDFunctionContext, ReIDFunctionSpec

__all__ = [
    "FunctionError",
    "FunctionSource",
    "Handler",
    "Kind",
    "Options",
    "ReIDFunction",
    "ReIDFunctionContext",
    "ReIDFunctionSpec",
    "RequestError",
    "create_handler",
    "kind_of",
    "load",
]
