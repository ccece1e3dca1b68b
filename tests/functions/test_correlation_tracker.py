"""The tracker on `bikes.mp4`, against boxes read off its frames by eye."""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import PIL.Image
import pytest
from cvat_sdk.auto_annotation import TrackableShape

NAME = "correlation_tracker"

# A car that drives away behind a railing: its rear, which becomes 0.65 times as large.
CAR = {
    161: (305, 96, 393, 172),
    165: (326, 96, 412, 170),
    169: (350, 99, 429, 165),
    173: (368, 101, 441, 164),
    177: (385, 101, 452, 161),
    181: (400, 102, 463, 157),
}
# A man by his bicycle, from helmet to belt. A van hides him altogether from 86 to 101.
CYCLIST = {
    76: (408, 53, 494, 173),
    79: (408, 44, 494, 164),
    81: (408, 41, 494, 161),
    106: (378, 23, 463, 137),
    110: (379, 16, 463, 131),
    120: (382, 9, 468, 125),
    130: (383, 1, 470, 120),
    136: (385, 0, 472, 117),
}
# The rear window of the van in front. A car hides its lower third around 99.
WINDOW = {
    76: (65, 106, 302, 268),
    86: (61, 92, 298, 254),
    96: (43, 99, 280, 261),
    99: (40, 98, 277, 260),
    102: (38, 93, 275, 255),
    110: (36, 70, 273, 232),
    123: (43, 59, 280, 221),
    136: (44, 50, 281, 212),
}


@pytest.fixture(scope="module")
def tracker(function: Callable[..., Any]) -> Any:
    return function(NAME)


@pytest.fixture(scope="module")
def follow(tracker: Any, bikes: list[PIL.Image.Image]) -> Any:
    """Tracks a box from a frame to another; returns {frame: box or None}."""

    def run(box: Any, first: Any, last: Any, frames: Any = bikes) -> Any:
        image = tracker.preprocess_image(None, frames[first])
        state = tracker.init_tracking_state(None, image, TrackableShape(type="rectangle", points=box))
        path = {}
        for number in range(first + 1, last + 1):
            shape = tracker.track(None, tracker.preprocess_image(None, frames[number]), state)
            path[number] = None if shape is None else shape.points
        return path

    return run


def agreement(helpers: Any, path: Any, checked: Any) -> Any:
    """IoU at each hand-checked frame after the first."""
    return [helpers.box_iou(path[number], checked[number]) for number in list(checked)[1:]]


def test_follows_a_window_for_sixty_frames_past_an_occlusion(follow: Any, helpers: Any) -> None:
    path = follow(WINDOW[76], 76, 136)
    assert len(path) == 60
    assert None not in path.values()
    assert min(agreement(helpers, path, WINDOW)) > 0.8


def test_follows_a_car_that_shrinks_behind_a_railing(follow: Any, helpers: Any) -> None:
    path = follow(CAR[161], 161, 186)
    scores = agreement(helpers, path, CAR)
    assert min(scores) > 0.65
    assert np.mean(scores) > 0.85
    assert path[181][2] - path[181][0] < 0.8 * (CAR[161][2] - CAR[161][0])


def test_loses_a_hidden_man_and_finds_him_again(follow: Any, helpers: Any) -> None:
    path = follow(CYCLIST[76], 76, 136)
    assert [n for n in range(86, 102) if path[n] is not None] == []
    assert [n for n in [*range(77, 83), *range(104, 137)] if path[n] is None] == []
    assert min(agreement(helpers, path, CYCLIST)) > 0.85


def test_reports_a_man_who_left_the_picture_as_lost(follow: Any) -> None:
    path = follow((160, 0, 360, 200), 30, 60)
    assert path[40] is not None
    assert path[40][2] > 560  # he rides to the right
    assert [n for n in range(48, 61) if path[n] is not None] == []


def test_what_is_on_another_shot_is_lost(follow: Any) -> None:
    path = follow(CAR[165], 165, 200)
    assert [n for n in range(187, 201) if path[n] is not None] == []


@pytest.fixture(scope="module")
def gliding(photo: Callable[[str], PIL.Image.Image]) -> Any:
    """A cat's face that moves 3 pixels a frame over gravel and grows by 1 % a frame; and its box in each frame."""
    ground = photo("gravel.png").convert("RGB")
    face = photo("chelsea.png").crop((90, 60, 330, 280))
    frames, boxes = [], []
    for number in range(60):
        size = (round(60 * 1.01**number), round(55 * 1.01**number))
        left, top = 60 + 3 * number, 80 + 2 * number
        frame = ground.copy()
        frame.paste(face.resize(size, PIL.Image.Resampling.LANCZOS), (left, top))
        frames.append(frame)
        boxes.append((left, top, left + size[0], top + size[1]))
    return frames, boxes


def test_follows_a_known_path_with_growth(follow: Any, helpers: Any, gliding: Any) -> None:
    frames, boxes = gliding
    path = follow(boxes[0], 0, 59, frames)
    assert min(helpers.box_iou(path[n], boxes[n]) for n in path) > 0.8


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16"])
def test_reads_images_of_any_mode(follow: Any, helpers: Any, gliding: Any, mode: Any) -> None:
    frames, boxes = gliding

    def converted(frame: Any) -> Any:
        if mode == "I;16":
            return PIL.Image.fromarray(np.asarray(frame.convert("L")).astype(np.uint16) * 257)
        return frame.convert(mode)

    path = follow(boxes[0], 0, 9, [converted(frame) for frame in frames[:10]])
    assert helpers.box_iou(path[9], boxes[9]) > 0.8


def test_boxes_stay_inside_the_image(follow: Any, bikes: list[PIL.Image.Image]) -> None:
    for box in follow((540, 40, 640, 272), 110, 130).values():
        assert box is None or (0 <= box[0] < box[2] <= 640 and 0 <= box[1] < box[3] <= 272)


@pytest.mark.parametrize("box", [(10, 10, 10, 10), (-50, -50, -20, -20), (0, 0, 640, 272), (0, 100, 640, 102)])
def test_odd_boxes_are_tracked_or_lost_without_an_error(follow: Any, box: Any) -> None:
    assert set(follow(box, 76, 79)) == {77, 78, 79}


def test_a_frame_of_one_colour_holds_nothing(tracker: Any) -> None:
    blank = tracker.preprocess_image(None, PIL.Image.new("RGB", (80, 60), "grey"))
    state = tracker.init_tracking_state(None, blank, TrackableShape(type="rectangle", points=(20, 20, 50, 50)))
    assert tracker.track(None, blank, state) is None


def test_the_state_is_small_plain_arrays(tracker: Any, bikes: list[PIL.Image.Image]) -> None:
    frame = tracker.preprocess_image(None, bikes[76])
    state = tracker.init_tracking_state(None, frame, TrackableShape(type="rectangle", points=WINDOW[76]))
    values = attrs.asdict(state)
    assert all(isinstance(v, np.ndarray | int | tuple) for v in values.values())
    assert sum(v.nbytes for v in values.values() if isinstance(v, np.ndarray)) < 50_000


def test_the_image_is_not_touched(tracker: Any, bikes: list[PIL.Image.Image]) -> None:
    frame = tracker.preprocess_image(None, bikes[76])
    before = [level.copy() for level in frame.levels]
    state = tracker.init_tracking_state(None, frame, TrackableShape(type="rectangle", points=WINDOW[76]))
    tracker.track(None, frame, state)
    assert all((a == b).all() for a, b in zip(before, frame.levels, strict=True))
