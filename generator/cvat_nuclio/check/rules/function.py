"""CN7xx: auto-annotation functions in cvat-sdk's protocol."""

import ast
from collections.abc import Iterator, Mapping

from ...generate.probe_methods import CALLS, OPTIONAL
from ...nuclio.yaml_places import Place
from ..bundle import Function
from ..methods import Methods, methods_of
from ..near import near
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import FunctionNode, at_import, place
from .python_handler import takes
from .weights import FETCHERS

_KINDS = {
    "DetectionFunctionSpec": "detector",
    "InteractionFunctionSpec": "interactor",
    "TrackingFunctionSpec": "tracker",
    "ReIDFunctionSpec": "reid",
}
_LABEL_FACTORIES = ("label_spec", "skeleton_label_spec")


def specs(function: Function) -> list[tuple[ast.Call, str]]:
    """The calls that make a function's spec, with the class's name."""
    found = ((call, name.rpartition(".")[2]) for call, name in function.calls)
    return [(call, name) for call, name in found if name in _KINDS]


@rule(
    "CN701", "not-a-function", ERROR,
    source="cvat-cli 2.80: the loader takes the module itself, or what its create(…) returns",
    remedy="define `spec` and the methods, or `create(**parameters)`",
)  # fmt: skip
def not_a_function(function: Function) -> Iterator[Fault]:
    """The file is no AA function: cvat-cli's loader wants `spec`, or `create`, at its top level."""
    if function.error or {"spec", "create", "*", "__getattr__"} & set(function.names):
        return
    close = next((name for name in function.names if near(name, ["spec", "create"])), "")
    said = f" (there is {close!r})" if close else ""
    classes = [node for node in function.tree.body if isinstance(node, ast.ClassDef) and "spec" in ast.unparse(node)]
    remedy = f"add `create = {classes[0].name}` at the end of the file" if len(classes) == 1 else ""
    yield Fault(f"neither `spec` nor `create` in {function.file.name}{said}", (1, 1), remedy=remedy)


@rule(
    "CN702", "missing-method", ERROR,
    source="cvat-sdk 2.80: DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write the method that the message names",
)  # fmt: skip
def missing_method(function: Function) -> Iterator[Fault]:
    """The function lacks a method of its kind.

    A function that was loaded is asked. One that was only read is taken at its word wherever reading cannot decide.
    """
    if function.faults is not None:
        missing = [method for method, fault in function.faults if fault == "is missing"]
    else:
        known = methods_of(function)
        missing = [method for method in _calls(function) if known is not None and method not in known]
    for method in missing:
        yield Fault(f"{_named(function)} needs the method {method}", _place(function))


@rule(
    "CN706", "method-form", ERROR,
    source="cvat-sdk 2.80: the signatures of DetectionFunction, InteractionFunction, TrackingFunction",
    remedy="write detect(context, image); interactors detect(context, pp_image, prompts); trackers "
    "init_tracking_state(context, pp_image, shape) and track(context, pp_image, state); "
    "ReID embed(context, image, boxes)",
)  # fmt: skip
def method_form(function: Function) -> Iterator[Fault]:
    """A method cannot be called as the runtime calls it, or its answer is never awaited: every request gets 500."""
    methods = methods_of(function) or {}
    if function.faults is not None:
        wrong = [(method, fault) for method, fault in function.faults if fault != "is missing"]
    else:
        wrong = list(_misshapen(function, methods))
    for method, fault in wrong:
        node = methods.get(method)
        where = place(node) if node else _place(function)
        yield Fault(f"{method} {fault}", where, remedy=_REMEDIES.get(fault, ""))


_REMEDIES = {
    "is `async def`: nobody awaits it": "write `def`",
    "is a function, and nobody calls it": "write `spec = …`, or `@property` above it",
}


def _misshapen(function: Function, methods: Methods) -> Iterator[tuple[str, str]]:
    """What the text of the methods tells: as `probe_methods.faults` of a loaded function."""
    bound = "create" in function.names
    calls = _calls(function)
    for method, count in ({**OPTIONAL, **calls} if calls else {}).items():
        node = methods.get(method)
        if isinstance(node, ast.AsyncFunctionDef):
            yield method, "is `async def`: nobody awaits it"
        elif isinstance(node, FunctionNode) and not takes(node, count + bound):
            yield method, f"cannot be called with {count} arguments"
    if isinstance(methods.get("spec"), FunctionNode):
        yield "spec", "is a function, and nobody calls it"


def _calls(function: Function) -> Mapping[str, int]:
    """The methods that the runtime calls, with the number of arguments, where the file has functions of one kind."""
    kinds = {_KINDS[spec] for _, spec in specs(function)}
    return CALLS[kinds.pop()] if len(kinds) == 1 and {"spec", "create"} & set(function.names) else {}


def _named(function: Function) -> str:
    found = specs(function)
    return f"a {found[0][1]}" if found else "the function"


def _place(function: Function) -> Place:
    """Where the spec is made, or the file's beginning where another file makes it."""
    found = specs(function)
    return place(found[0][0]) if found else (1, 1)


@rule(
    "CN703", "duplicate-label", ERROR,
    source="cvat-sdk 2.80: DetectionFunctionSpec's validator (ids); CVAT: unique names",
    remedy="give each label a name and an id of its own",
)  # fmt: skip
def duplicate_label(function: Function) -> Iterator[Fault]:
    """Two labels share a name or an id: cvat-sdk refuses the spec when the function is loaded."""
    for call, kind in specs(function):
        labels = next((keyword.value for keyword in call.keywords if keyword.arg == "labels"), None)
        items = labels.elts if isinstance(labels, ast.List) and kind == "DetectionFunctionSpec" else []
        seen: set[tuple[str, object]] = set()
        for item in items:
            if isinstance(item, ast.Call) and function.full_name(item.func).rpartition(".")[2] in _LABEL_FACTORIES:
                for what, argument in zip(("name", "id"), item.args, strict=False):
                    if isinstance(argument, ast.Constant):
                        if (what, argument.value) in seen:
                            yield Fault(f"two labels have the {what} {argument.value!r}", place(argument))
                        seen.add((what, argument.value))


@rule(
    "CN704", "frame-name", NOTE,
    source="CVAT sends the image and nothing about the frame", remedy="do without it",
)  # fmt: skip
def frame_name(function: Function) -> Iterator[Fault]:
    """The function reads `context.frame_name`: over Nuclio there is none, only a placeholder."""
    for node in function.nodes:
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "context.frame_name":
            yield Fault("CVAT names no frame", place(node))


@rule(
    "CN705", "network-at-import", WARNING,
    source="Nuclio: all workers import at once, within two minutes; vector start-slow-import-130s",
    remedy="put the file beside the function, or into the image",
)  # fmt: skip
def network_at_import(function: Function) -> Iterator[Fault]:
    """The function uses the network while it is imported: `generate` and every start of a worker do so too."""
    for call in at_import(function.tree):
        name = function.full_name(call.func)
        if name in FETCHERS or name == "requests.post":
            yield Fault(f"{name} runs at import", place(call))


@rule(
    "CN707", "init-context-unused", WARNING,
    source="cvat-cli 2.80 and this runtime call `create` and the methods of the protocol, nothing else",
    remedy="load the model in `create`, in the class's __init__, or at import",
)  # fmt: skip
def init_context_unused(function: Function) -> Iterator[Fault]:
    """The file has Nuclio's `init_context` or `handler`, which nobody calls in an AA function."""
    used = {node.id for node in function.nodes if isinstance(node, ast.Name)}
    for name in ("init_context", "handler"):
        node = function.function(name)
        if node and name not in used and takes(node, 1 if name == "init_context" else 2) and specs(function):
            yield Fault(f"nobody calls {name} in an AA function", place(node))


@rule(
    "CN708", "threshold-none", WARNING,
    source="cvat-sdk 2.80: DetectionFunctionContext.conf_threshold; CVAT leaves out a threshold that nobody gave",
    remedy="write `threshold = 0.5 if context.conf_threshold is None else context.conf_threshold`",
)  # fmt: skip
def threshold_none(function: Function) -> Iterator[Fault]:
    """`context.conf_threshold` is compared or reckoned with as a number, and it is None unless the user gave one."""
    handled = ("conf_threshold is ", "conf_threshold or ", "if context.conf_threshold", "not context.conf_threshold")
    text = ast.unparse(function.tree) if b"conf_threshold" in function.data else ""
    if not text or any(words in text for words in handled):
        return
    for node in function.nodes:
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare) and all(isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for op in node.ops):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp):
            sides = [node.left, node.right]
        for side in sides:
            if ast.unparse(side) == "context.conf_threshold":
                yield Fault("context.conf_threshold is None unless the user gave one", place(side))


@rule(
    "CN709", "rotation-range", WARNING,
    source="cvat-sdk 2.80: LabeledShapeRequest takes a rotation from 0 to 360 and raises ApiValueError for others; "
    "cvat#6891",
    remedy="write `rotation=… % 360`",
)  # fmt: skip
def rotation_range(function: Function) -> Iterator[Fault]:
    """A rotation that may be negative: cvat-sdk refuses the shape, and the request fails.

    CVAT counts degrees from 0 to 360; `math.degrees` of an angle from -π to π does not. Ultralytics gives the angles of
    its `obb.xywhr` from 0 to π.
    """
    turned = any(isinstance(node, ast.Attribute) and node.attr == "xywhr" for node in function.nodes)
    for call, name in function.calls:
        given = next((keyword.value for keyword in call.keywords if keyword.arg == "rotation"), None)
        if given is not None and name.startswith("cvat_sdk.") and _may_be_outside(function, given):
            if turned and isinstance(given, ast.Call):
                continue
            yield Fault(f"rotation={ast.unparse(given)} may be outside of 0 to 360", place(given))


def _may_be_outside(function: Function, node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return True
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float)) and not 0 <= node.value <= 360
    name = function.full_name(node.func) if isinstance(node, ast.Call) else ""
    return name in ("math.degrees", "numpy.degrees", "numpy.rad2deg")
