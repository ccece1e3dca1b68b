"""CVAT's REST serializers for shapes and tags: what they accept, what they change, what they refuse."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import REST_VALIDATION, CvatError
from .generation import Generation

SHAPE_TYPES = (
    "rectangle",
    "polygon",
    "polyline",
    "points",
    "ellipse",
    "cuboid",
    "mask",
    "skeleton",
)
MAX_ATTRIBUTE_LENGTH = 4096
_TRUE = ("t", "y", "yes", "true", "on", "1")
_FALSE = ("f", "n", "no", "false", "off", "0")


class Detail:
    """One refusal, printed as Django REST framework prints it."""

    def __init__(self, text: str, code: str = "invalid") -> None:
        self.text, self.code = text, code

    def __repr__(self) -> str:
        return f"ErrorDetail(string={self.text!r}, code={self.code!r})"


class Refused(Exception):
    """A field's value is refused."""

    def __init__(self, text: str, code: str = "invalid") -> None:
        super().__init__(text)
        self.detail: Any = [Detail(text, code)]


def labeled_data(annotations: Mapping[str, list[dict[str, Any]]], generation: Generation) -> dict[str, Any]:
    """The collection as the serializers pass it: `{version, tags, shapes, tracks}`.

    Raises `CvatError` (REST ValidationError, 400) with the refusals of every tag and shape.
    """
    refusals: dict[str, Any] = {}
    data: dict[str, Any] = {"version": 0}
    readers = {"tags": _tag, "shapes": lambda item: _shape(item, generation), "tracks": _track}
    for key, read in readers.items():
        data[key], found = _each(annotations.get(key, []), read)
        if found:
            refusals[key] = found
    if refusals:
        raise CvatError(REST_VALIDATION, str(refusals), 400, detail=_plain(refusals))
    return data


def _each(
    items: list[dict[str, Any]], read: Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, Any]]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All items read, and one entry for each item ({} where it is good) if any was refused."""
    pairs = [read(item) for item in items]
    refusals = [refused for _, refused in pairs]
    return [item for item, _ in pairs], refusals if any(refusals) else []


def _track(track: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return track, {}


def _tag(tag: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    fields = {"id": None, "frame": tag["frame"], "label_id": tag["label_id"], "group": tag["group"]}
    attributes, refused = _attributes(tag["attributes"])
    return fields | {"source": "auto", "attributes": attributes}, refused


def _shape(shape: dict[str, Any], generation: Generation) -> tuple[dict[str, Any], dict[str, Any]]:
    readers = {
        "type": _choice,
        "outside": _boolean,
        "rotation": _rotation,
        "points": _points,
        "group": _group,
    }
    fields: dict[str, Any] = {"occluded": False, "z_order": 0, "rotation": 0, "id": None, "source": "auto"}
    fields |= {"frame": shape["frame"], "label_id": shape["label_id"]}
    refused: dict[str, Any] = {}
    for name, read in readers.items():
        if name in shape:
            try:
                fields[name] = read(shape[name])
            except Refused as refusal:
                refused[name] = refusal.detail
    fields["attributes"], wrong = _attributes(shape["attributes"])
    refused |= wrong
    if "elements" in shape:
        fields["elements"], found = _each(shape["elements"], lambda element: _shape(element, generation))
        if found:
            refused["elements"] = found
    if not refused and generation is not Generation.G1 and not _right_length(fields["type"], fields["points"]):
        refused["points"] = [Detail(f"invalid length for shape type '{fields['type']}'")]
    return fields, refused


def _right_length(shape_type: str, points: list[float]) -> bool:
    """The numbers that a shape needs (servers since 2.40; earlier ones store any number)."""
    count = len(points)
    match shape_type:
        case "rectangle" | "ellipse":
            return count == 4
        case "cuboid":
            return count == 16
        case "mask":
            return count >= 5
        case "skeleton":
            return count == 0
        case _:
            minimum = {"polygon": 6, "polyline": 4}.get(shape_type, 2)
            return count >= minimum and count % 2 == 0


def _not_null(value: Any) -> None:
    if value is None:
        raise Refused("This field may not be null.", "null")


def _choice(value: Any) -> str:
    if value not in SHAPE_TYPES:
        raise Refused(f'"{value}" is not a valid choice.', "invalid_choice")
    return str(value)


def _boolean(value: Any) -> bool:
    _not_null(value)
    text = str(value).lower() if isinstance(value, str | int | float) else ""
    if text in _TRUE or value == 1:
        return True
    if text in _FALSE or value == 0:
        return False
    raise Refused("Must be a valid boolean.")


def _rotation(value: Any) -> float:
    """Degrees; true and numeric strings are numbers here."""
    _not_null(value)
    try:
        rotation = float(value)
    except (TypeError, ValueError):
        raise Refused("A valid number is required.") from None
    if rotation > 360:
        raise Refused("Ensure this value is less than or equal to 360.", "max_value")
    if rotation < 0:
        raise Refused("Ensure this value is greater than or equal to 0.", "min_value")
    return rotation


def _points(value: Any) -> list[float]:
    """JSON numbers only: no strings, booleans, nulls or pairs."""
    _not_null(value)
    if not isinstance(value, list):
        raise Refused(f'Expected a list of items but got type "{type(value).__name__}".', "not_a_list")
    wrong = {index: number for index, number in enumerate(value) if type(number) not in (int, float)}
    if wrong:
        refusal = Refused("")
        inner = str([Detail("Value must be a float or an integer")])
        refusal.detail = {index: Detail(inner) for index in wrong}
        raise refusal
    return value


def _group(value: Any) -> int | None:
    """Whole numbers from 0, also as 2.0 or "3"."""
    if value is None:
        return None
    try:
        group = int(re.sub(r"\.0*\s*$", "", str(value)))
    except (TypeError, ValueError):
        raise Refused("A valid integer is required.") from None
    if group < 0:
        raise Refused("Ensure this value is greater than or equal to 0.", "min_value")
    return group


def _attributes(attributes: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Values become trimmed text."""
    kept, refused = [], []
    for attribute in attributes:
        text = str(attribute["value"]).strip()
        too_long = len(text) > MAX_ATTRIBUTE_LENGTH
        message = f"Ensure this field has no more than {MAX_ATTRIBUTE_LENGTH} characters."
        refused.append({"value": [Detail(message, "max_length")]} if too_long else {})
        kept.append({"spec_id": attribute["spec_id"], "value": text})
    return kept, {"attributes": refused} if any(refused) else {}


def _plain(detail: Any) -> Any:
    """Refusals in JSON types, as in the body of the REST answer."""
    if isinstance(detail, Detail):
        return detail.text
    if isinstance(detail, dict):
        return {str(key): _plain(value) for key, value in detail.items()}
    return [_plain(value) for value in detail]


def check_json(value: Any) -> None:
    """CVAT cannot answer with NaN or Infinity: the caller gets a 500. Raises `CvatError`."""
    if isinstance(value, float) and not math.isfinite(value):
        raise CvatError("ValueError", "Out of range float values are not JSON compliant", 500, handled=False)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            check_json(item)
