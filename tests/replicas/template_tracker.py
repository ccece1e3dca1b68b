"""Follows rectangles by template: quick enough for a long session of many objects in a test."""

from dataclasses import dataclass

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

spec = cvataa.TrackingFunctionSpec(supported_shape_types=["rectangle"])
REACH = 4


@dataclass
class State:
    """The object's own pixels, refreshed a little in each frame, and its top-left corner."""

    template: np.ndarray
    corner: tuple[int, int]


def preprocess_image(context: cvataa.TrackingFunctionContext, image: PIL.Image.Image) -> np.ndarray:
    """RGB, with a border so that every window lies inside."""
    return np.pad(np.asarray(image.convert("RGB")), ((REACH, REACH), (REACH, REACH), (0, 0)))


def init_tracking_state(
    context: cvataa.TrackingFunctionShapeContext, pp_image: np.ndarray, shape: cvataa.TrackableShape
) -> State:
    """Cuts the template out."""
    left, top, right, bottom = map(round, shape.points)
    template = pp_image[top + REACH : bottom + REACH, left + REACH : right + REACH]
    return State(template.astype(np.float32), (left, top))


def track(
    context: cvataa.TrackingFunctionShapeContext, pp_image: np.ndarray, state: State
) -> cvataa.TrackableShape | None:
    """Where the template fits best within REACH pixels; None where nothing does."""
    height, width = state.template.shape[:2]
    x, y = state.corner
    window = pp_image[y : y + height + 2 * REACH, x : x + width + 2 * REACH].astype(np.float32)
    fits = cv2.matchTemplate(window, state.template, cv2.TM_CCOEFF_NORMED)
    _, best, _, (dx, dy) = cv2.minMaxLoc(fits)
    if best < 0.5:
        return None
    state.template = 0.9 * state.template + 0.1 * window[dy : dy + height, dx : dx + width]
    state.corner = (x + dx - REACH, y + dy - REACH)
    x, y = state.corner
    return cvataa.TrackableShape(type="rectangle", points=[x, y, x + width, y + height])
