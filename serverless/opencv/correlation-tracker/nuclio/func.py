"""A correlation-filter tracker for rectangles: one shape's state is a handful of small arrays.

The filter is MOSSE's, over many channels: gradient orientations and colour, averaged over cells. Each frame it is
correlated with the neighbourhood of the last position at a few sizes; the highest response is the new
position and size. How far that response stands out from the rest says whether the object is there at all: while it
is hidden the filter does not learn, `track` returns None, and the neighbourhood searched grows until the object is
found again.
"""

import attrs
import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Spectrum = NDArray[np.complexfloating]

CELL = 4
"""Pixels on a side of the square over which features are averaged."""
ORIENTATIONS = 9
"""Bins of the gradient's direction, over half a turn."""
SPREAD = 0.1
"""Standard deviation of the response that the filter is taught, in sizes of the object."""
RIDGE = 1e-3
"""Keeps frequencies that the object does not have from being amplified."""


@attrs.frozen(eq=False)
class Frame:
    """An image as the tracker uses it: RGB, halved again and again, so that no object has to be shrunk by much."""

    levels: tuple[NDArray[np.uint8], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole image, in pixels."""
        height, width = self.levels[0].shape[:2]
        return width, height


@attrs.define(eq=False)
class State:
    """What is known of one object: where it was last seen, and the filter that answers to it."""

    box: Floats
    """Centre x, centre y, width, height in pixels."""
    grid: tuple[int, int]
    """Columns and rows of cells in the filter's window."""
    template: Floats
    """The object's mean appearance, (channels, rows, columns)."""
    energy: Floats
    """The mean power of its spectrum, (rows, columns // 2 + 1)."""
    unseen: int = 0
    """Frames since the object was last seen."""


@attrs.frozen
class Sighting:
    """The best place that one search found."""

    box: Floats
    response: float
    """The filter's answer there: 1 on the frame it was taught."""
    clarity: float
    """How many standard deviations the response is above the mean of those around it."""


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

    @property
    def spec(self) -> cvataa.TrackingFunctionSpec:
        """Rectangles, which is what CVAT's interface offers a tracker for."""
        return cvataa.TrackingFunctionSpec(supported_shape_types={"rectangle"})

    def preprocess_image(self, context: cvataa.TrackingFunctionContext, image: PIL.Image.Image) -> Frame:
        """Halves the image until the smallest level is too small to hold an object."""
        levels = [to_rgb(image)]
        while min(levels[-1].shape[:2]) >= 64:
            half = [side // 2 for side in levels[-1].shape[1::-1]]
            levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA))
        return Frame(tuple(levels))

    def init_tracking_state(
        self, context: cvataa.TrackingFunctionShapeContext, pp_image: Frame, shape: cvataa.TrackableShape
    ) -> State:
        """Teaches a filter the object inside the rectangle."""
        x1, y1, x2, y2 = shape.points
        box = np.array([(x1 + x2) / 2, (y1 + y2) / 2, max(abs(x2 - x1), 2), max(abs(y2 - y1), 2)])
        grid = window_grid(box, self.cells)
        template = self._features(pp_image, box, grid)
        return State(box, grid, template.astype(np.float16), power(template))

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
            self._learn(pp_image, state)
        return cvataa.TrackableShape(type="rectangle", points=corners(state.box, pp_image.size))

    def _search(self, frame: Frame, state: State) -> Sighting:
        """Position first, then size; a hidden object is looked for further away the longer it is hidden."""
        answers = self._filter(state)
        nearby = (self._locate(frame, answers, state.grid, box) for box in neighbourhood(state.box, state.unseen))
        here = max(nearby, key=lambda sighting: sighting.clarity).box
        sizes = (self._locate(frame, answers, state.grid, resized(here, self.scale_step**n)) for n in (-1, 0, 1))
        # By height: clarity would favour the smaller sizes, whose surroundings are smoother.
        return max(sizes, key=lambda sighting: sighting.response)

    def _filter(self, state: State) -> Spectrum:
        """What turns the features' spectrum into the response's: (channels, rows, columns // 2 + 1)."""
        taught = np.fft.rfft2(state.template.astype(np.float32))
        wanted = np.fft.rfft2(target_response(state.grid, self.context))
        return (taught.conj() * wanted / (state.energy + ridge(state.energy))).astype(np.complex64)

    def _locate(self, frame: Frame, answers: Spectrum, grid: tuple[int, int], box: Floats) -> Sighting:
        """Where in the window around `box` the filter answers most."""
        spectrum = np.fft.rfft2(self._features(frame, box, grid))
        response = np.fft.irfft2((answers * spectrum).sum(axis=0), s=grid[::-1])
        moved = box[:2] + box[2:] * self.context / grid * peak(response)
        return Sighting(np.concatenate([moved, box[2:]]), float(response.max()), clarity(response))

    def _learn(self, frame: Frame, state: State) -> None:
        rate = self.learning_rate
        seen = self._features(frame, state.box, state.grid)
        state.template = ((1 - rate) * state.template + rate * seen).astype(np.float16)
        state.energy = ((1 - rate) * state.energy + rate * power(seen)).astype(np.float32)

    def _features(self, frame: Frame, box: Floats, grid: tuple[int, int]) -> Floats:
        """Features of the window around `box`, faded out towards its edges: (channels, rows, columns)."""
        columns, rows = grid
        patch = cut(frame, box[:2], box[2:] * self.context, (columns * CELL, rows * CELL))
        window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1])
        return np.ascontiguousarray(describe(patch) * window, dtype=np.float32)


def create(
    context: float = 1.8,
    cells: int = 36,
    learning_rate: float = 0.05,
    lost_below: float = 7.0,
    found_above: float = 10.0,
    learn_above: float = 8.0,
    scale_step: float = 1.03,
) -> CorrelationTracker:
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
        context=context,
        cells=cells,
        learning_rate=learning_rate,
        lost_below=lost_below,
        found_above=found_above,
        learn_above=learn_above,
        scale_step=scale_step,
    )


def to_rgb(image: PIL.Image.Image) -> NDArray[np.uint8]:
    """RGB of an image of any mode."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return cv2.cvtColor(to_8_bits(np.asarray(image, np.float32)), cv2.COLOR_GRAY2RGB)
    return np.asarray(image.convert("RGB"))


def to_8_bits(grey: Floats) -> NDArray[np.uint8]:
    """Grey levels of up to 16 bits, which Pillow's own conversion would cut off at 255."""
    levels = grey / 257 if grey.max() > 255 else grey
    return np.clip(levels, 0, 255).astype(np.uint8)


def window_grid(box: Floats, cells: int) -> tuple[int, int]:
    """Columns and rows of a window of the object's proportions, with about `cells` squared cells."""
    proportion = np.clip(np.sqrt(box[2] / box[3]), 1 / 3, 3)
    return max(8, round(cells * proportion)), max(8, round(cells / proportion))


def cut(frame: Frame, centre: Floats, size: Floats, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The part of the frame of `size` around `centre`, resized to `shape` (columns, rows) pixels."""
    shrinking = np.log2(max(min(size / shape), 1))
    level = min(int(shrinking), len(frame.levels) - 1)
    image = frame.levels[level]
    scale = (image.shape[1] / frame.size[0], image.shape[0] / frame.size[1])
    step = size * scale / shape
    corner = (centre - size / 2) * scale + step / 2 - 0.5
    transform = np.array([[step[0], 0, corner[0]], [0, step[1], corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, transform, shape, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def describe(patch: NDArray[np.uint8]) -> Floats:
    """Cells of gradient orientations and colour: (ORIENTATIONS + 3, rows, columns)."""
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).astype(np.float32) / 255
    rows, columns = patch.shape[0] // CELL, patch.shape[1] // CELL
    gradients = orientation_cells(lab[..., 0], (columns, rows))
    colours = cv2.resize(lab, (columns, rows), interpolation=cv2.INTER_AREA)
    colours = (colours - colours.mean(axis=(0, 1))) * (1, 2, 2)
    return np.concatenate([gradients, colours], axis=2).transpose(2, 0, 1)


def orientation_cells(grey: Floats, shape: tuple[int, int]) -> Floats:
    """Gradient magnitude by direction in each cell, as a part of its surroundings': (rows, columns, ORIENTATIONS)."""
    dx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    dy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    strength, angle = cv2.cartToPolar(dx, dy)
    place = angle * (ORIENTATIONS / np.pi) % ORIENTATIONS
    bins = np.empty((*grey.shape, ORIENTATIONS), dtype=np.float32)
    for number in range(ORIENTATIONS):
        distance = np.abs(place - number)
        bins[..., number] = strength * np.maximum(0, 1 - np.minimum(distance, ORIENTATIONS - distance))
    cells = cv2.resize(bins, shape, interpolation=cv2.INTER_AREA)
    around = cv2.blur(cells.sum(axis=2), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.minimum(cells / (around[..., None] + 0.01), 0.4)


def target_response(grid: tuple[int, int], context: float) -> Floats:
    """The response to be taught: 1 on the object's centre, at index (0, 0), falling off around it."""
    columns, rows = (np.fft.fftfreq(n) * context / SPREAD for n in grid)
    return np.exp(-0.5 * (rows[:, None] ** 2 + columns**2))


def power(features: Floats) -> Floats:
    """The features' power at each frequency, all channels together."""
    return (np.abs(np.fft.rfft2(features)) ** 2).sum(axis=0).astype(np.float32)


def ridge(energy: Floats) -> float:
    """What is added to a spectrum before dividing by it: never so little that rounding errors become a response."""
    return RIDGE * max(float(energy.mean()), 1)


def peak(response: Floats) -> tuple[float, float]:
    """Where the response is highest: the offset from the window's centre in cells (x, y), between cells."""
    rows, columns = response.shape
    y, x = np.unravel_index(response.argmax(), response.shape)
    dx = x + vertex(response[y, [x - 1, x, (x + 1) % columns]])
    dy = y + vertex(response[[y - 1, y, (y + 1) % rows], x])
    return (dx + columns / 2) % columns - columns / 2, (dy + rows / 2) % rows - rows / 2


def clarity(response: Floats) -> float:
    """How far the highest response is above the mean of those not beside it, in standard deviations of these."""
    y, x = np.unravel_index(response.argmax(), response.shape)
    rest = np.roll(response, (3 - y, 3 - x), axis=(0, 1))
    surroundings = rest[np.add.outer(np.arange(len(rest)) > 6, np.arange(len(rest[0])) > 6)]
    return float((response[y, x] - surroundings.mean()) / (surroundings.std() + 1e-9))


def vertex(heights: Floats) -> float:
    """Where the parabola through three heights at -1, 0 and 1 has its vertex."""
    left, middle, right = heights
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0 else 0.0


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
