"""The `svg` of a skeleton label: where each point lies in CVAT's editor, and which are joined.

CVAT's rules: the inside of a picture of 100 x 100; lines, then one circle for each sublabel; node ids are whole numbers
from 1; a line names the two nodes it joins; `data-label-name` is the sublabel's name to the letter.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..data import tables
from ..errors import UserError

Point = tuple[float, float]


def svg(label: str, names: Sequence[str], edges: Sequence[tuple[str, str]]) -> str:
    """The picture. Known sets of points (COCO's person) get their own places and lines, others a grid.

    Raises UserError for names that the picture cannot hold and for edges between unknown points.
    """
    if not names:
        raise UserError(f"skeleton {label!r} has no sublabels", remedy="give skeleton_label_spec its keypoints")
    for name in names:
        _check(label, name)
    known = _known(names)
    places = [known["points"][name] for name in names] if known else _grid(len(names))
    pairs = list(edges) or (known["edges"] if known else [])
    nodes = {name: number for number, name in enumerate(names, 1)}
    lines = [_line(label, nodes, places, one, other) for one, other in pairs]
    circles = [_circle(nodes[name], places[nodes[name] - 1], name) for name in names]
    return "\n".join([*lines, *circles])


def _known(names: Sequence[str]) -> Mapping[str, Any] | None:
    layouts: list[Mapping[str, Any]] = list(tables.read("skeletons").values())
    return next((layout for layout in layouts if set(layout["points"]) == set(names)), None)


def _grid(count: int) -> list[Point]:
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    return [
        (round(100 * (index % columns + 1) / (columns + 1), 2), round(100 * (index // columns + 1) / (rows + 1), 2))
        for index in range(count)
    ]


def _check(label: str, name: str) -> None:
    if any(char in name for char in "\"'<>&") or not name.isprintable():
        raise UserError(
            f"sublabel {name!r} of {label!r} cannot stand in a skeleton's picture",
            why="CVAT replaces the names in the picture's text as they are; quotes, <, > and & break it",
            remedy="rename it",
        )


def _line(label: str, nodes: dict[str, int], places: Sequence[Point], one: str, other: str) -> str:
    for name in (one, other):
        if name not in nodes:
            raise UserError(
                f"skeleton {label!r} has no point {name!r}",
                why=f"its points are {', '.join(nodes)}",
                remedy="mend --skeleton-edge",
            )
    (x1, y1), (x2, y2) = places[nodes[one] - 1], places[nodes[other] - 1]
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" data-type="edge" '
        f'data-node-from="{nodes[one]}" data-node-to="{nodes[other]}"></line>'
    )


def _circle(node: int, place: Point, name: str) -> str:
    return (
        f'<circle r="0.75" cx="{place[0]:g}" cy="{place[1]:g}" data-type="element node" '
        f'data-element-id="{node}" data-node-id="{node}" data-label-name="{name}"></circle>'
    )
