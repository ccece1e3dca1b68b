"""CN702 and CN706: the methods of an AA function, as the loaded one says, or as far as the text of one does."""

import ast
import functools
from collections.abc import Iterator, Mapping, Sequence

from ...generate.probe_methods import CALLS, OPTIONAL
from ...nuclio.model import Place
from ..bundle import Function
from ..rule import ERROR, Fault, rule
from ..source import FunctionNode, own_nodes, place, resolved
from .python_handler import takes

_KINDS = {
    "DetectionFunctionSpec": "detector",
    "InteractionFunctionSpec": "interactor",
    "TrackingFunctionSpec": "tracker",
    "ReIDFunctionSpec": "reid",
}
# Bases and decorators that bring no method of the protocol.
_PLAIN = ("typing.", "abc.", "dataclasses.", "attrs.", "attr.", "object", "Protocol", "ABC")
# Words in a file that may give names to an object behind the reader's back.
_BEYOND = ("*", "__getattr__", "__getattribute__", "__dict__", "setattr", "globals", "locals", "vars", "exec")
_MISSING, _ASYNC, _CALLED = "is missing", "is `async def`: nobody awaits it", "is a function, and nobody calls it"
_REMEDIES = {_ASYNC: "write `def`", _CALLED: "write `spec = …`, or `@property` above it"}


@rule(
    "CN702", "missing-method", ERROR,
    source="cvat-sdk 2.80: DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write the method that the message names",
)  # fmt: skip
def missing_method(function: Function) -> Iterator[Fault]:
    """The function lacks a method of its kind.

    A function that was loaded is asked. One that was only read is taken at its word wherever reading cannot decide.
    """
    found = specs(function)
    for method, fault in _faults(function):
        if fault == _MISSING:
            yield Fault(
                f"{f'a {found[0][1]}' if found else 'the function'} needs the method {method}", _place(function)
            )


@rule(
    "CN706", "method-form", ERROR,
    source="cvat-sdk 2.80: the signatures of DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write detect(context, image); interactors detect(context, pp_image, prompts); trackers "
    "init_tracking_state(context, pp_image, shape) and track(context, pp_image, state); "
    "ReID embed(context, image, boxes)",
)  # fmt: skip
def method_form(function: Function) -> Iterator[Fault]:
    """A method cannot be called as the runtime calls it, or its answer is never awaited: every request gets 500."""
    for method, fault in _faults(function):
        if fault != _MISSING:
            node = _def(function, method)
            yield Fault(f"{method} {fault}", place(node) if node else _place(function), remedy=_REMEDIES.get(fault, ""))


def specs(function: Function) -> list[tuple[ast.Call, str]]:
    """The calls that make a function's spec, with the class's name."""
    found = ((call, name.rpartition(".")[2]) for call, name in function.calls)
    return [(call, name) for call, name in found if name in _KINDS]


def _place(function: Function) -> Place:
    """Where the spec is made, or the file's beginning where another file makes it."""
    found = specs(function)
    return place(found[0][0]) if found else (1, 1)


def _faults(function: Function) -> Sequence[tuple[str, str]]:
    """The methods that the runtime cannot call, each with what is wrong: as `probe_methods.faults` says it."""
    return list(_read(function)) if function.faults is None else function.faults


def _read(function: Function) -> Iterator[tuple[str, str]]:
    kinds = {_KINDS[spec] for _, spec in specs(function)}
    if len(kinds) != 1 or not {"spec", "create"} & set(function.names):
        return
    calls: Mapping[str, int] = CALLS[kinds.pop()]
    text, known = ast.dump(function.tree), _object(function) is not None
    for method, count in {**OPTIONAL, **calls}.items():
        node = _def(function, method)
        if isinstance(node, ast.AsyncFunctionDef):
            yield method, _ASYNC
        elif node and not takes(node, count + ("create" in function.names)):
            yield method, f"cannot be called with {count} arguments"
        elif method in calls and known and repr(method) not in text:
            yield method, _MISSING
    if _def(function, "spec"):
        yield "spec", _CALLED


def _def(function: Function, name: str) -> FunctionNode | None:
    """The plain `def` of a method of the object, where nothing else in the file has that name."""
    fields = ("name", "asname", "id", "attr", "arg")
    named = [node for node in function.nodes if name in {getattr(node, field, None) for field in fields}]
    given = [node for node in named if not isinstance(getattr(node, "ctx", None), ast.Load)]
    node = given[0] if len(given) == 1 else None
    plain = isinstance(node, FunctionNode) and not node.decorator_list and node in (_object(function) or ())
    return node if plain else None  # type: ignore[return-value]


@functools.lru_cache(maxsize=1024)
def _object(function: Function) -> Sequence[ast.stmt] | None:
    """What the loader's object is made of: the file's statements, or those of the class that `create` makes.

    None where the text does not tell: another file's class, one of several, names that code gives.
    """
    text = ast.dump(function.tree)
    if any(repr(word) in text for word in _BEYOND):
        return None
    if "create" not in function.names:
        return function.tree.body
    made = function.names.get(_class_made(function, function.names["create"]))
    if not isinstance(made, ast.ClassDef):
        return None
    others = [*made.bases, *made.decorator_list, *made.keywords]
    return made.body if all(function.full_name(one).startswith(_PLAIN) for one in others) else None


def _class_made(function: Function, create: ast.AST) -> str:
    """The name of the class that `create` is or makes; empty where the text does not tell."""
    if isinstance(create, ast.ClassDef):
        return create.name
    if isinstance(create, ast.Assign):
        return function.full_name(create.value)
    if not isinstance(create, FunctionNode) or create.decorator_list:
        return ""
    returned = [resolved(create, node.value) for node in own_nodes(create) if isinstance(node, ast.Return)]
    names = {function.full_name(node.func) if isinstance(node, ast.Call) else "" for node in returned}
    return names.pop() if len(names) == 1 else ""
