"""CN625: a detector's masks and CVAT's switch that makes polygons of them."""

import ast
from collections.abc import Iterator

from ..bundle import Module
from ..rule import NOTE, Fault, rule
from ..source import place


@rule(
    "CN625", "mask-without-points", NOTE, cvat=True,
    source="CVAT: lambda_manager's LambdaFunction.invoke makes a polygon of `points` alone; cvat#8182",
    remedy='beside "mask" give "points": the polygon, [x1, y1, x2, y2, …], of at least three',
)  # fmt: skip
def mask_without_points(module: Module) -> Iterator[Fault]:
    """A detector's mask has no `points`: CVAT's switch "Convert masks to polygons" leaves it a mask, without a word."""
    if module.bundle.kind != "detector":
        return
    for node in module.nodes:
        values = _values(node)
        kind = values.get("type")
        is_mask = isinstance(kind, ast.Constant) and kind.value == "mask" and {"mask", "label"} <= values.keys()
        if is_mask and "points" not in values and not _adds_points(module):
            yield Fault("this mask has no `points`", place(node))


def _values(node: ast.AST) -> dict[object, ast.expr]:
    """A dict's values by key; nothing where a key or a part of it is only known at run time."""
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    found: dict[object, ast.expr] = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
    return found if len(found) == len(node.keys) else {}


def _adds_points(module: Module) -> bool:
    """Whether something is given `points` later: `item["points"] = …`, `item.update(points=…)`."""
    return any(
        (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "points")
        or (isinstance(node, ast.keyword) and node.arg == "points")
        for node in module.nodes
    )
