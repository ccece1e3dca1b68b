"""Detectors: `{image, [threshold]}` → the array of items that CVAT's server reads."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime.contract import FRAME_NAME
from aa_runtime.errors import FunctionError
from aa_runtime.items import Item, Items
from aa_runtime.labels import labels_by_id
from aa_runtime.log import Log
from aa_runtime.measures import Measures
from aa_runtime.options import Options
from aa_runtime.request import detect_request

if TYPE_CHECKING:
    from aa_runtime import masks


@attrs.frozen(kw_only=True)
class DetectionContext(cvataa.DetectionFunctionContext):  # type: ignore[misc]
    """What cvat-sdk's driver passes, as far as CVAT tells it to a Nuclio function."""

    frame_name: str = FRAME_NAME
    conf_threshold: float | None
    conv_mask_to_poly: bool = False
    """CVAT turns masks to polygons itself, from the `points` that go with each mask, and never says so."""


class DetectorRuntime:
    """Answers for one detection function."""

    def __init__(self, function: Any, options: Options, log: Log, measures: Measures | None = None) -> None:
        self._function = function
        self._options = options
        self._log = log
        self._measures = measures or Measures()
        self._labels = labels_by_id(function.spec)
        if any(label.type in ("mask", "any") for label in self._labels.values()):
            importlib.import_module("aa_runtime.masks")  # now rather than in the first request

    def answer(self, body: Mapping[str, object]) -> str:
        """The JSON array for one request."""
        request = detect_request(body, self._options)
        self._measures.lap("decode")
        items = Items(self._labels, request.image.size)
        context = DetectionContext(conf_threshold=request.threshold)
        found = self._function.detect(context, request.image)
        self._measures.lap("function")
        if not isinstance(found, Iterable):
            raise FunctionError(f"function output an object of type {type(found).__name__!r} (expected a sequence)")
        kept = items.written(found)
        for reason, count in items.dropped.items():
            self._measures.drop(reason, count)
        if items.dropped:
            reasons = ", ".join(f"{count} {reason}" for reason, count in items.dropped.items())
            self._log.info("%d annotations kept, left out: %s", len(kept), reasons)
        return items_json(kept)


def items_json(items: list[tuple[Item, masks.Mask | None]]) -> str:
    """One JSON array; masks are written apart, since `json.dumps` would take most of the request's time for
    them."""
    return "[" + ",".join([_item_json(item, mask) for item, mask in items]) + "]"


def _item_json(item: Item, mask: masks.Mask | None) -> str:
    text = json.dumps(item, allow_nan=False, separators=(",", ":"))
    if mask is None:
        return text
    from aa_runtime.masks import crop_json

    return "".join((text[:-1], ',"mask":', crop_json(mask), "}"))
