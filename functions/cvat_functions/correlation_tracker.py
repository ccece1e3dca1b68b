"""A correlation-filter tracker for rectangles: one shape's state is a handful of small arrays.

The filter is MOSSE's, over many channels: gradient orientations and colour, averaged over cells. Each frame it is
correlated with the neighbourhood of the last position at a few sizes; the highest response is the new
position and size. How far that response stands out from the rest says whether the object is there at all: while it
is hidden the filter does not learn, `track` returns None, and the neighbourhood searched grows until the object is
found again.
"""

import attrs
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image

from cvat_functions.cell_features import Frame
from cvat_functions.correlation_filter import Floats, Sighting, State, answers_of, learn, locate, taught
from cvat_functions.shared import to_rgb


@attrs.frozen(kw_only=True)
class CorrelationTracker:
    """Follows rectangles; see `create` for the parameters."""

    context: float
    cells: int
    learning_rate: float
    lost_below: float
    found_above: float
    learn_above: float
    scale_step: float
    spec = cvataa.TrackingFunctionSpec(supported_shape_types={"rectangle"})

    def preprocess_image(self, context: cvataa.TrackingFunctionContext, image: PIL.Image.Image) -> Frame:
        """The frame in several sizes, converted once for all objects on it."""
        return Frame.of(np.asarray(to_rgb(image)))

    def init_tracking_state(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Frame, shape: cvataa.TrackableShape
    ) -> State:
        """Teaches a filter the object inside the rectangle."""
        x1, y1, x2, y2 = shape.points
        box = np.array([(x1 + x2) / 2, (y1 + y2) / 2, max(abs(x2 - x1), 2), max(abs(y2 - y1), 2)])
        return taught(pp_image, box, window_grid(box, self.cells), self.context)

    def track(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Frame, state: State
    ) -> cvataa.TrackableShape | None:
        """Looks for the object near where it was last seen; None while it cannot be seen."""
        sighting = self._search(pp_image, state)
        enough = self.found_above if state.unseen else self.lost_below
        if sighting.clarity < enough or not inside(sighting.box, pp_image.size):
            state.unseen += 1
            return None
        state.unseen = 0
        state.box = sighting.box
        if sighting.clarity > self.learn_above:
            learn(state, pp_image, self.context, self.learning_rate)
        return cvataa.TrackableShape(type="rectangle", points=corners(state.box, pp_image.size))

    def _search(self, frame: Frame, state: State) -> Sighting:
        """Position first, then size; a hidden object is looked for further away the longer it is hidden."""
        answers = answers_of(state, self.context)

        def look(box: Floats) -> Sighting:
            return locate(frame, answers, state.grid, box, self.context)

        nearby = (look(box) for box in neighbourhood(state.box, state.unseen))
        here = max(nearby, key=lambda sighting: sighting.clarity).box
        sizes = (look(resized(here, self.scale_step**n)) for n in (-1, 0, 1))
        # By height: clarity would favour the smaller sizes, whose surroundings are smoother.
        return max(sizes, key=lambda sighting: sighting.response)


def window_grid(box: Floats, cells: int) -> tuple[int, int]:
    """Columns and rows of a window of the object's proportions, with about `cells` squared cells."""
    proportion = np.clip(np.sqrt(box[2] / box[3]), 1 / 3, 3)
    return max(8, round(cells * proportion)), max(8, round(cells / proportion))


def neighbourhood(box: Floats, unseen: int) -> list[Floats]:
    """The boxes to search from: further around, the longer the object is hidden."""
    reach = min((unseen + 2) // 3, 2)
    steps = range(-reach, reach + 1)
    return [np.array([*(box[:2] + 0.5 * box[2:] * (i, j)), *box[2:]]) for j in steps for i in steps]


def resized(box: Floats, factor: float) -> Floats:
    return np.array([*box[:2], *(box[2:] * factor)])


def inside(box: Floats, size: tuple[int, int]) -> bool:
    """Whether the box's centre is in the image."""
    return bool((box[:2] > 0).all() and (box[:2] < size).all())


def corners(box: Floats, size: tuple[int, int]) -> list[float]:
    """Top left and bottom right of the box, inside the image."""
    half = box[2:] / 2
    points = np.concatenate([box[:2] - half, box[:2] + half])
    return np.clip(points, 0, (*size, *size)).tolist()


def create(
    context: float = 1.8, cells: int = 36, learning_rate: float = 0.05, lost_below: float = 7.0,
    found_above: float = 10.0, learn_above: float = 8.0, scale_step: float = 1.03,
) -> CorrelationTracker:  # fmt: skip
    """Makes the tracker.

    context: sides of the window searched, in sides of the object. Larger follows faster motion and sees more
        of the background.
    cells: cells on a side of the window; the state grows with its square.
    learning_rate: the part of the filter that each frame replaces, 0 to 1.
    lost_below: the clarity (standard deviations of the response above its surroundings; 40 is the first frame
        again, 6 is noise) under which the object counts as hidden.
    found_above: the clarity over which a hidden object counts as found.
    learn_above: the clarity over which the filter learns from the frame.
    scale_step: the greatest change of size between two frames.
    """
    return CorrelationTracker(
        context=context, cells=cells, learning_rate=learning_rate, lost_below=lost_below, found_above=found_above,
        learn_above=learn_above, scale_step=scale_step,
    )  # fmt: skip
