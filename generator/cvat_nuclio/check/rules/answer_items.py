"""CN625 and CN627: the items of a detector's answer, where they are written out."""

import ast
from collections.abc import Iterator

from ..bundle import Module
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, Fault, rule
from ..source import place
from .cvat_keys import SHAPES

_GEOMETRY = {"points", "mask", "elements", "confidence"}


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
    remedy=f"write tag, {', '.join(SHAPES)}",
)  # fmt: skip
def item_type(module: Module) -> Iterator[Fault]:
    """A detector answers a type that CVAT does not have: the whole answer is refused, the job fails."""
    for node, kind, _ in _items(module):
        if kind not in SHAPES and kind.lower() != "tag":
            yield Fault(f"CVAT has no type {kind!r}{did_you_mean(near(kind, SHAPES))}", place(node))


def _items(module: Module) -> Iterator[tuple[ast.Dict, str, set[object]]]:
    """The dicts of a detector's modules that are items of an answer: each with its type and its keys."""
    for node in module.nodes if module.bundle.kind == "detector" else ():
        # A key or a part that is only known at run time may be any of these.
        if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
            pairs = zip(node.keys, node.values, strict=True)
            values = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
            kind = values.get("type")
            if "label" in values and values.keys() & _GEOMETRY and isinstance(kind, ast.Constant):
                yield node, str(kind.value), set(values)


def _adds_points(module: Module) -> bool:
    """Whether something is given `points` later: `item["points"] = …`, `item.update(points=…)`."""
    return any(
        (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "points")
        or (isinstance(node, ast.keyword) and node.arg == "points")
        for node in module.nodes
    )
