"""CVAT's REST serializers for shapes and tags: what they accept, what they change, what they refuse."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..limits import SHAPE_NUMBERS, SHAPE_TYPES
from .generation import Generation
from .rest_errors import CvatError
from .rest_fields import Detail, Refused, boolean, choice, integer, many, not_null, number, record, text

MAX_ATTRIBUTE_LENGTH = 4096


def labeled_data(annotations: Mapping[str, list[dict[str, Any]]], generation: Generation) -> dict[str, Any]:
    """The collection as the serializers pass it: `{version, tags, shapes, tracks}`, and `intervals` of G3.

    Raises `CvatError` (REST ValidationError, 400) with the refusals of every tag and shape.
    """
    readers = {"tags": many(_Reading(generation).tag), "shapes": many(_Reading(generation).shape), "tracks": list}
    try:
        data = record(readers)({key: annotations.get(key, []) for key in readers})
    except Refused as refusal:
        raise refusal.as_error() from None
    return {"version": 0, **data, **({"intervals": []} if generation is Generation.G3 else {})}


class _Reading:
    """The serializers of one generation."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        attribute = record({"spec_id": integer(), "value": text(MAX_ATTRIBUTE_LENGTH, blank=True)})
        self.common = {
            "label_id": integer(0),
            "group": self._group,
            "source": text(),
            "frame": integer(0),
            "attributes": many(lambda given: attribute({**given, "value": str(given["value"])})),
        }
        self.geometry = {
            "type": choice(SHAPE_TYPES),
            "occluded": boolean,
            "outside": boolean,
            "z_order": integer(),
            "rotation": number(0, 360),
            "points": _points,
        }

    def tag(self, tag: dict[str, Any]) -> dict[str, Any]:
        return {"id": None, **record(self.common)(tag)}

    def shape(self, shape: dict[str, Any]) -> dict[str, Any]:
        elements = {"elements": many(self._element)} if "elements" in shape else {}
        return self._checked(record(self.geometry | self.common | elements)(shape))

    def _element(self, element: dict[str, Any]) -> dict[str, Any]:
        return self._checked(record(self.geometry | self.common)(element))

    def _checked(self, fields: dict[str, Any]) -> dict[str, Any]:
        shape_type, points = fields["type"], fields["points"]
        if self.generation is not Generation.G1 and not right_length(shape_type, points):
            raise Refused({"points": [Detail(f"invalid length for shape type '{shape_type}'")]})
        score = {"score": 1} if self.generation is Generation.G3 else {}
        return {"rotation": 0, "id": None, **score, **fields}

    def _group(self, value: Any) -> int | None:
        """Null stays null, but 0 since 2.65."""
        group: int | None = None if value is None else integer(0)(value)
        return group or 0 if self.generation is Generation.G3 else group


def right_length(shape_type: str, points: Sequence[float]) -> bool:
    """Whether a shape has the numbers that its type needs: servers since 2.40 ask it, earlier ones store any number,
    and no page opens a job with other ones."""
    least, most = SHAPE_NUMBERS.get(shape_type, (2, None))
    count = len(points)
    paired = shape_type == "mask" or count % 2 == 0
    return paired and least <= count and (most is None or count <= most)


def _points(value: Any) -> Any:
    """JSON numbers only: no strings, booleans, nulls or pairs. What has no items is CVAT's TypeError."""
    not_null(value)
    wrong = [index for index, item in enumerate(value) if type(item) not in (int, float)]
    if wrong:
        # The refusal of an item is printed into the text of another one.
        inner = str([Detail("Value must be a float or an integer")])
        raise Refused({index: Detail(inner) for index in wrong})
    return value


def check_json(value: Any) -> None:
    """CVAT's answer is strict JSON in UTF-8: NaN, Infinity or half of a surrogate pair in it is a 500.

    Raises `CvatError`.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise CvatError("UnicodeEncodeError", str(error), 500, handled=False) from None
    except ValueError:
        text = "Out of range float values are not JSON compliant"
        raise CvatError("ValueError", text, 500, handled=False) from None
