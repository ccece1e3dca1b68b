"""A correlation filter (MOSSE's, over many channels) that is taught an object and answers where it is."""

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cvat_functions.cell_features import Frame, features

Floats = NDArray[np.floating]
Spectrum = NDArray[np.complexfloating]

#: Standard deviation of the response that the filter is taught, in sizes of the object.
SPREAD: Final = 0.1
#: Keeps frequencies that the object does not have from being amplified.
RIDGE: Final = 1e-3


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


def taught(frame: Frame, box: Floats, grid: tuple[int, int], context: float) -> State:
    """A filter of the object in the box, which looks at `context` of its sides."""
    template = features(frame, box, grid, context)
    return State(box, grid, template.astype(np.float16), power(template))


def learn(state: State, frame: Frame, context: float, rate: float) -> None:
    """Replaces a part of the filter by what the object looks like now."""
    seen = features(frame, state.box, state.grid, context)
    state.template = ((1 - rate) * state.template + rate * seen).astype(np.float16)
    state.energy = ((1 - rate) * state.energy + rate * power(seen)).astype(np.float32)


def answers_of(state: State, context: float) -> Spectrum:
    """What turns the features' spectrum into the response's: (channels, rows, columns // 2 + 1)."""
    template = np.fft.rfft2(state.template.astype(np.float32))
    wanted = np.fft.rfft2(target_response(state.grid, context))
    return (template.conj() * wanted / (state.energy + ridge(state.energy))).astype(np.complex64)


def locate(frame: Frame, answers: Spectrum, grid: tuple[int, int], box: Floats, context: float) -> Sighting:
    """Where in the window around `box` the filter answers most."""
    spectrum = np.fft.rfft2(features(frame, box, grid, context))
    response = np.fft.irfft2((answers * spectrum).sum(axis=0), s=grid[::-1])
    moved = box[:2] + box[2:] * context / grid * peak(response)
    return Sighting(np.concatenate([moved, box[2:]]), float(response.max()), clarity(response))


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
