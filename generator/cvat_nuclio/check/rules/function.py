"""CN701, CN703 to CN705, CN707 to CN709: auto-annotation functions in cvat-sdk's protocol."""

import ast
from collections.abc import Iterator

from ..bundle import Function
from ..near import near
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import argument, at_import, place
from .methods import specs
from .python_handler import takes
from .weights import FETCHERS

_LABEL_FACTORIES = ("label_spec", "skeleton_label_spec")


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
    "CN703", "duplicate-label", ERROR,
    source="cvat-sdk 2.80: DetectionFunctionSpec's validator (ids); CVAT: unique names",
    remedy="give each label a name and an id of its own",
)  # fmt: skip
def duplicate_label(function: Function) -> Iterator[Fault]:
    """Two labels share a name or an id: cvat-sdk refuses the spec when the function is loaded."""
    for call, kind in specs(function):
        labels = argument(call, "labels")
        items = labels.elts if isinstance(labels, ast.List) and kind == "DetectionFunctionSpec" else []
        seen: set[tuple[str, object]] = set()
        for item in items:
            if isinstance(item, ast.Call) and function.full_name(item.func).rpartition(".")[2] in _LABEL_FACTORIES:
                for what, given in zip(("name", "id"), item.args, strict=False):
                    if isinstance(given, ast.Constant):
                        if (what, given.value) in seen:
                            yield Fault(f"two labels have the {what} {given.value!r}", place(given))
                        seen.add((what, given.value))


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
        given = argument(call, "rotation")
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
