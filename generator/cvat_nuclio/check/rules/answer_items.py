"""CN625, CN627, CN632 to CN634: the items of a detector's answer, where they are written out."""

import ast
from collections.abc import Iterator

from ...limits import SHAPE_NUMBERS, SHAPE_TYPES
from ..bundle import Module
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, WARNING, Fault, rule
from ..source import place

_GEOMETRY = {"points", "mask", "elements", "confidence"}
# What json does not take; numpy's float64 is a float.
_OF_NUMPY = {f"numpy.{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {
    "numpy.array", "numpy.asarray", "numpy.zeros", "numpy.ones", "numpy.concatenate", "numpy.stack", "numpy.round",
    "numpy.rint", "numpy.float16", "numpy.float32", "numpy.bool_",
}  # fmt: skip


@rule(
    "CN625", "mask-without-points", NOTE, cvat=True,
    source="CVAT: lambda_manager's LambdaFunction.invoke makes a polygon of `points` alone; cvat#8182",
    remedy='beside "mask" give "points": the polygon, [x1, y1, x2, y2, …], of at least three',
)  # fmt: skip
def mask_without_points(module: Module) -> Iterator[Fault]:
    """A detector's mask has no `points`: CVAT's switch "Convert masks to polygons" leaves it a mask, without a word."""
    for node, kind, keys in _items(module):
        if kind == "mask" and "mask" in keys and "points" not in keys and not _adds_points(module):
            yield Fault("this mask has no `points`", place(node))


@rule(
    "CN627", "item-type", ERROR, cvat=True,
    source="CVAT: vectors detector.type.*; cvat.apps.engine.models.ShapeType",
    remedy=f"write tag, {', '.join(SHAPE_TYPES)}",
)  # fmt: skip
def item_type(module: Module) -> Iterator[Fault]:
    """A detector answers a type that CVAT does not have: the whole answer is refused, the job fails."""
    for node, kind, _ in _items(module):
        if kind not in SHAPE_TYPES and kind.lower() != "tag":
            yield Fault(f"CVAT has no type {kind!r}{did_you_mean(near(kind, SHAPE_TYPES))}", place(node))


@rule(
    "CN632", "unknown-label", WARNING, cvat=True,
    source="CVAT: lambda_manager drops an item whose label is not in the mapping, which is of the labels in the "
    "annotation `spec`",
    remedy="write the name as in the annotation `spec`, letter for letter, or add the label there",
)  # fmt: skip
def unknown_label(module: Module) -> Iterator[Fault]:
    """A detector answers a label that its annotation `spec` does not have: CVAT drops the item without a word."""
    known = {str(label.name) for label in module.bundle.marked_labels.all()}
    for _, _, values in _items(module) if known else ():
        label = values["label"]
        if isinstance(label, ast.Constant) and isinstance(label.value, str) and label.value not in known:
            close = did_you_mean(near(label.value, known))
            yield Fault(f"the annotation spec has no label {label.value!r}{close}", place(label))


@rule(
    "CN633", "item-points", ERROR, cvat=True,
    source="CVAT: ShapeSerializer's `points` are numbers; cvat-core's checkNumberOfPoints",
    remedy="write one flat list: [x1, y1, x2, y2, …]",
)  # fmt: skip
def item_points(module: Module) -> Iterator[Fault]:
    """A detector's `points` are pairs, or not as many numbers as the type has: CVAT refuses the answer."""
    for _, kind, values in _items(module):
        points = values.get("points")
        if not isinstance(points, ast.List) or any(isinstance(one, ast.Starred) for one in points.elts):
            continue
        # A mask's are the polygon around it, a skeleton's are nobody's.
        least, most = SHAPE_NUMBERS[kind] if kind in SHAPE_TYPES and kind not in ("mask", "skeleton") else (0, None)
        count = len(points.elts)
        if any(isinstance(one, (ast.List, ast.Tuple)) for one in points.elts):
            yield Fault("`points` is one flat list of numbers, not a list of pairs", place(points))
        elif count < least or count > (most or count) or (least and count % 2):
            wanted = f"{least} numbers" if most else f"an even count of at least {least} numbers"
            yield Fault(f"a {kind} has {wanted}, not {count}", place(points))


@rule(
    "CN634", "numpy-in-answer", ERROR, cvat=True,
    source="Python: json.dumps takes no NumPy arrays and, but for float64, none of its numbers",
    remedy="write `.tolist()` behind it, or float(…)",
)  # fmt: skip
def numpy_in_answer(module: Module) -> Iterator[Fault]:
    """An item holds an array or a number of NumPy's: json.dumps raises TypeError, and CVAT shows a 500."""
    encoders = {keyword.arg for call, name in module.calls if name.endswith("json.dumps") for keyword in call.keywords}
    if encoders & {"cls", "default", None}:
        return
    for _, _, values in _items(module):
        for value in values.values():
            inside = value.elts if isinstance(value, ast.List) else [value]
            for one in inside:
                if isinstance(one, ast.Call) and module.full_name(one.func) in _OF_NUMPY:
                    yield Fault(f"json does not take what {ast.unparse(one.func)} gives", place(one))


def _items(module: Module) -> Iterator[tuple[ast.Dict, str, dict[object, ast.expr]]]:
    """The dicts of a detector's modules that are items of an answer: each with its type and its values by key."""
    for node in module.nodes if module.bundle.kind == "detector" else ():
        # A key or a part that is only known at run time may be any of these.
        if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
            pairs = zip(node.keys, node.values, strict=True)
            values: dict[object, ast.expr] = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
            kind = values.get("type")
            if "label" in values and values.keys() & _GEOMETRY and isinstance(kind, ast.Constant):
                yield node, str(kind.value), values


def _adds_points(module: Module) -> bool:
    """Whether something is given `points` later: `item["points"] = …`, `item.update(points=…)`."""
    return any(
        (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "points")
        or (isinstance(node, ast.keyword) and node.arg == "points")
        for node in module.nodes
    )
