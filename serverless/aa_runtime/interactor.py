"""Interactors: image and prompts → the shapes, or the one mask, that CVAT's UI reads.

CVAT sends the whole image with every click and its server caches nothing, so what `preprocess_image` makes of
an image is kept here.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime import geometry, masks
from aa_runtime.cache import Cache
from aa_runtime.contract import CONFIDENCE_SPEC_ID, SHAPE_TYPES
from aa_runtime.errors import FunctionError, RequestError
from aa_runtime.geometry import Dropped, Size
from aa_runtime.images import open_image
from aa_runtime.log import Log
from aa_runtime.measures import Measures
from aa_runtime.options import Options
from aa_runtime.request import InteractRequest, Point, interact_request


class InteractionContext(cvataa.InteractionFunctionContext):  # type: ignore[misc]
    """What cvat-cli's agent passes: nothing yet."""


@attrs.frozen(kw_only=True)
class Prompts(cvataa.InteractionPrompts):  # type: ignore[misc]
    """What the user clicked, in image pixels."""

    pos_points: tuple[Point, ...]
    neg_points: tuple[Point, ...]
    bounding_box: tuple[Point, Point] | None
    text_prompts: tuple[str, ...] = ()
    """Beside what cvat-sdk's protocol has: a function that can take texts reads them, for the others they are dropped.
    `getattr(prompts, "text_prompts", ())` works under cvat-cli too."""


@attrs.frozen(kw_only=True)
class Prepared:
    """What `detect` needs of an image."""

    pp_image: object
    size: Size


@attrs.frozen(kw_only=True)
class Found:
    """A shape that the function found: `mask` for masks, else `points`."""

    type: str
    points: list[float] | list[int]
    confidence: float | None
    mask: masks.Mask | None = None


class InteractorRuntime:
    """Answers for one interaction function."""

    def __init__(self, function: Any, options: Options, log: Log, measures: Measures | None = None) -> None:
        self._function = function
        self._options = options
        self._log = log
        self._measures = measures or Measures()
        self._cache: Cache[Prepared] = Cache(options.cache_entries, options.cache_bytes)

    def answer(self, body: Mapping[str, object]) -> str:
        """The JSON object for one request, in the form that the options choose."""
        request = interact_request(body)
        prompts = check_prompts(self._function.spec, request)
        prepared = self._prepare(request.encoded)
        shapes = self._function.detect(InteractionContext(), prepared.pp_image, prompts)
        self._measures.lap("function")
        if not isinstance(shapes, Iterable):
            raise FunctionError(f"function output an object of type {type(shapes).__name__!r} (expected a list)")
        found = self._found(shapes, prepared.size)
        if self._options.interactor_answer == "mask":
            return mask_answer(found, prepared.size)
        others = sorted({shape.type for shape in found if shape.mask is None})
        if others:
            self._log.warn("CVAT's UI shows masks only, and leaves out this answer's: %s", ", ".join(others))
        return shapes_answer(found)

    def release_memory(self) -> None:
        """Lets the preprocessed images go."""
        self._cache.clear()

    def _prepare(self, encoded: bytes) -> Prepared:
        key = hashlib.sha256(encoded).digest()
        prepared = self._cache.get(key)
        self._measures.cache(hit=prepared is not None)
        if prepared is None:
            image = open_image(encoded, "image", self._options.max_image_pixels)
            self._measures.lap("decode")
            size, preprocess = image.size, getattr(self._function, "preprocess_image", None)
            pp_image = image if preprocess is None else preprocess(InteractionContext(), image)
            prepared = Prepared(pp_image=pp_image, size=size)
            self._measures.lap("function")
            self._cache.put(key, prepared)
        else:
            self._measures.lap("decode")
        return prepared

    def _found(self, shapes: Iterable[object], size: Size) -> list[Found]:
        found, dropped = [], 0
        for shape in shapes:
            try:
                found.append(_checked(shape, size))
            except Dropped as reason:
                self._measures.drop(str(reason))
                dropped += 1
        if dropped:
            self._log.info("%d shapes kept, %d empty or outside the image left out", len(found), dropped)
        return found


def check_prompts(spec: cvataa.InteractionFunctionSpec, request: InteractRequest) -> Prompts:
    """The prompts, if the function takes as many. RequestError in the words of cvat-cli's agent otherwise."""
    if len(request.pos_points) < spec.min_pos_points:
        raise RequestError("not enough positive points", field="pos_points")
    if spec.min_neg_points is None and request.neg_points:
        raise RequestError("negative points are not supported", field="neg_points")
    if len(request.neg_points) < (spec.min_neg_points or 0):
        raise RequestError("not enough negative points", field="neg_points")
    if spec.min_bounding_boxes is None and request.bounding_box is not None:
        raise RequestError("bounding boxes are not supported", field="obj_bbox")
    if spec.min_bounding_boxes == 1 and request.bounding_box is None:
        raise RequestError("a bounding box is required", field="obj_bbox")
    return Prompts(
        pos_points=request.pos_points,
        neg_points=request.neg_points,
        bounding_box=request.bounding_box,
        text_prompts=request.text_prompts,
    )


def shapes_answer(found: Sequence[Found]) -> str:
    """`{"shapes": [{type, points, attributes}]}`, what cvat-cli's agent sends and the UI since late 2025
    reads."""
    shapes = [
        {
            "type": shape.type,
            "points": shape.points if shape.mask is None else masks.encode(shape.mask),
            "attributes": _confidence(shape),
        }
        for shape in found
    ]
    return json.dumps({"shapes": shapes}, allow_nan=False, separators=(",", ":"))


def mask_answer(found: Sequence[Found], size: Size) -> str:
    """`{"mask": [[0, 1, ...], ...], "points": [[x, y], ...]}`, which every UI since 2022 reads.

    The mask has the image's size, since newer UIs take no bounds. It holds one object: shapes with a
    confidence are alternatives, of which the surest is taken; shapes without belong together. Nothing found
    is a mask of zeros with no points, the one empty answer that no UI trips over.
    """
    rated = [shape for shape in found if shape.confidence is not None]
    chosen = [max(rated, key=lambda shape: shape.confidence or 0.0)] if rated else list(found)
    pixels = masks.full_size([_as_mask(shape, size) for shape in chosen], size)
    ring = masks.outline(masks.Mask(pixels, 0, 0)) if chosen else []
    points = json.dumps(list(zip(ring[::2], ring[1::2], strict=True)), separators=(",", ":"))
    return "".join(('{"mask":', masks.rows_json(pixels), ',"points":', points, "}"))


def _checked(shape: object, size: Size) -> Found:
    if not isinstance(shape, cvataa.InteractionResultShape):
        raise FunctionError(
            f"function output an object of type {type(shape).__name__!r} (expected 'InteractionResultShape')"
        )
    if shape.type not in SHAPE_TYPES - {"skeleton"}:
        raise FunctionError(f"function output shape of type {str(shape.type)[:40]!r}")
    confidence = _confidence_of(shape)
    if shape.type == "mask":
        return Found(type="mask", points=[], confidence=confidence, mask=masks.decode(shape.points, size))
    points, _ = geometry.repair(shape.type, [float(number) for number in shape.points], 0.0, size)
    return Found(type=shape.type, points=points, confidence=confidence)


def _confidence_of(shape: cvataa.InteractionResultShape) -> float | None:
    for attribute in shape.attributes:
        if attribute.spec_id == CONFIDENCE_SPEC_ID:
            try:
                value = float(attribute.value)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise FunctionError(f"function output confidence that is no number ({str(attribute.value)[:40]!r})")
            return geometry.clamp(value, 1.0)
    return None


def _confidence(shape: Found) -> list[dict[str, object]]:
    # The UI discards the whole list unless `spec_id` is a number and every value a string.
    if shape.confidence is None:
        return []
    return [{"spec_id": CONFIDENCE_SPEC_ID, "value": f"{shape.confidence:.6g}"}]


def _as_mask(shape: Found, size: Size) -> masks.Mask:
    if shape.mask is not None:
        return shape.mask
    if shape.type == "rectangle":
        return masks.fill([pair for corner in geometry.corners(shape.points, 0.0) for pair in corner], size)
    if shape.type == "polygon":
        return masks.fill(shape.points, size)
    raise FunctionError(f"function output shape of type {shape.type!r}, which cannot be answered as a mask")
