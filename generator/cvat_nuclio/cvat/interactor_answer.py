"""What the browser makes of an interactor's answer, which the server passes on as it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from .generation import Generation
from .mask_crops import rle_to_bitmap


@attrs.frozen
class Interacted:
    """One object that the UI offers: a mask of the image's size, and the confidence (1 where none is given)."""

    bitmap: npt.NDArray[np.bool_] = attrs.field(repr=False)
    confidence: float = 1.0


class UiError(Exception):
    """The browser's code fails on the answer; nothing appears."""


def browser_accepts(answer: Any, width: int, height: int, generation: Generation) -> tuple[list[Interacted], list[str]]:
    """The objects that the UI of that generation shows for an answer, and what it drops.

    The UI of 2022 to mid-2025 (`G1`) takes `{mask, points?, bounds?}`; later ones take `mask` of the full image,
    or `{shapes: [{type: "mask", points}]}`. Raises `UiError` for an answer that its code fails on.
    """
    if not isinstance(answer, Mapping):
        raise UiError(f"the UI needs an object with 'mask' or 'shapes', not {type(answer).__name__}")
    if generation is Generation.G1:
        return _old(answer, width, height)
    if "mask" in answer:
        return _full_mask(answer["mask"], width, height)
    if isinstance(answer.get("shapes"), Sequence):
        return _shapes(answer["shapes"], width, height)
    raise UiError(f"the UI finds neither 'mask' nor a list 'shapes' among {sorted(answer)}")


def _old(answer: Mapping[str, Any], width: int, height: int) -> tuple[list[Interacted], list[str]]:
    if "mask" not in answer:
        raise UiError("this UI needs 'mask'; 'shapes' came in late 2025")
    rows = _rows(answer["mask"])
    if "points" in answer and len(answer["points"]) < 3:
        return [], []
    left, top = (int(value) for value in (answer.get("bounds") or (0, 0))[:2])
    bitmap = np.zeros((height, width), dtype=bool)
    target = bitmap[max(top, 0) : top + rows.shape[0], max(left, 0) : left + rows.shape[1]]
    target[:] = rows[: target.shape[0], : target.shape[1]]
    return _offered([Interacted(bitmap)])


def _full_mask(mask: Any, width: int, height: int) -> tuple[list[Interacted], list[str]]:
    rows = _rows(mask)
    if rows.shape != (height, width):
        size = f"{rows.shape[1]} by {rows.shape[0]}"
        raise UiError(f"'mask' is {size} pixels; this UI puts it at (0, 0) of the {width} by {height} image")
    return _offered([Interacted(rows)])


def _rows(mask: Any) -> npt.NDArray[np.bool_]:
    """The UI reads `mask[0].length`; a value above 0 is foreground."""
    if not isinstance(mask, Sequence) or not mask or not isinstance(mask[0], Sequence):
        raise UiError("'mask' must be a list of rows (Cannot read properties of undefined)")
    if len({len(row) for row in mask}) != 1:
        raise UiError("the rows of 'mask' differ in length")
    rows: npt.NDArray[np.bool_] = np.asarray(mask) > 0
    return rows


def _shapes(shapes: Sequence[Any], width: int, height: int) -> tuple[list[Interacted], list[str]]:
    objects, dropped = [], []
    for index, shape in enumerate(shapes):
        if shape.get("type", "mask") != "mask":
            dropped.append(f"shape {index} is a {shape['type']}: this UI shows masks only")
            continue
        try:
            bitmap = rle_to_bitmap(shape["points"], width, height)
        except (ValueError, KeyError, TypeError) as error:
            raise UiError(f"shape {index}: {error}") from error
        objects.append(Interacted(bitmap, _confidence(shape)))
    offered, empty = _offered(objects)
    return offered, dropped + empty


def _confidence(shape: Mapping[str, Any]) -> float:
    """The attribute with the number 0 for `spec_id`; one attribute that is not in this form discards them all."""
    attributes = shape.get("attributes") or []
    good = all(type(a.get("spec_id")) in (int, float) and isinstance(a.get("value"), str) for a in attributes)
    values = [a["value"] for a in attributes if good and a["spec_id"] == 0]
    try:
        return float(values[0]) if values else 1.0
    except ValueError:
        return 1.0


def _offered(objects: list[Interacted]) -> tuple[list[Interacted], list[str]]:
    """The UI skips objects whose contour has fewer than three points, which are those of fewer than three pixels."""
    kept = [found for found in objects if np.count_nonzero(found.bitmap) >= 3]
    skipped = len(objects) - len(kept)
    if not skipped:
        return kept, []
    return kept, [f"{skipped} of {len(objects)} masks with fewer than three pixels: the UI shows no shape for them"]
