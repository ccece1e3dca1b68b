"""`cvat_functions.transt`: the original checkpoint's names, the original network's answers, and its arithmetic.

The numbers under ORIGINAL were computed by chenxin-dlut/TransT's own network for the same input and the same
checkpoint (`tools/checkpoints/transt.txt`, values that follow from the names), in double precision.
"""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.auto_annotation import TrackableShape

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from tools import random_checkpoints  # noqa: E402

from cvat_functions.transt_crops import crop_around  # noqa: E402
from cvat_functions.transt_network import TransT  # noqa: E402

ORIGINAL_FEATURES = [
    -301.51752, 173.349078, -1148.791108, -429.99102, 466.999826, 756.139815, -715.082545, -309.384234, -989.247099
]  # fmt: skip
ORIGINAL_SCORES = [
    0.5870149282, 0.587297484, 0.58730756, 0.5872570283, 0.5873974842, 0.587447216, 0.5874463945, 0.5874945118
]  # fmt: skip
ORIGINAL_BOXES = [
    [0.273097859, 0.1318592894, 0.2315367968, 0.23701356],
    [0.2729861806, 0.1318098681, 0.2315882329, 0.2371452145],
    [0.2731261578, 0.131899239, 0.2314546802, 0.2370462363],
]


class AverageMeter:
    """Training leaves objects of its own classes in a checkpoint."""

    def __init__(self) -> None:
        self.average = 1.5


@pytest.fixture(scope="module")
def transt(create: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("transt") / "transt.pth"
    stats = {"Loss/total": [AverageMeter()]}
    torch.save({"epoch": 1, "net": random_checkpoints.checkpoint("transt", "transt"), "stats": stats}, file)
    return create("transt", weights=str(file), device="cpu")


@pytest.fixture(scope="module")
def frame() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (160, 240, 3), np.uint8)


START = [60.0, 40.0, 110.0, 80.0]


@pytest.fixture(scope="module")
def start(transt: Any, frame: np.ndarray) -> Any:
    """The state of a rectangle at START."""
    return transt.init_tracking_state(None, frame, TrackableShape(type="rectangle", points=START))


@pytest.fixture
def state(start: Any) -> Any:
    return copy.copy(start)


@pytest.fixture
def quick(transt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the backbone, for tests that choose the network's answer."""
    monkeypatch.setattr(transt._network, "features", lambda crop: crop)


def test_the_checkpoint_fits_name_by_name_and_shape_by_shape() -> None:
    published = random_checkpoints.names("transt", "transt")
    assert len(published) == 430
    with torch.device("meta"):
        network = TransT()
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published


def test_the_network_answers_as_the_original(transt: Any) -> None:
    random = np.random.default_rng(0)
    template, search = (torch.from_numpy(random.normal(size=(1, 3, side, side))) for side in (128, 256))
    network = transt._network
    with torch.inference_mode():
        features = network.features(template.float())
        scores, boxes = network(features, network.features(search.float()))
    assert features.shape == (1, 256, 16, 16)
    np.testing.assert_allclose(features.flatten()[::7919], ORIGINAL_FEATURES, rtol=1e-4)
    # A random network hardly tells one cell from another: scores differ by 2e-4, boxes by 6e-5.
    np.testing.assert_allclose(scores[::128], ORIGINAL_SCORES, atol=5e-6)
    np.testing.assert_allclose(boxes[::400], ORIGINAL_BOXES, atol=5e-6)


def answer(monkeypatch: pytest.MonkeyPatch, transt: Any, cell: int, box: list[float], score: float = 1.0) -> None:
    """Makes the network see the object at one cell of the search region."""

    def forward(template: Any, search: Any) -> tuple[Any, Any]:
        scores, boxes = torch.zeros(1024), torch.full((1024, 4), 0.5)
        scores[cell], boxes[cell] = score, torch.tensor(box)
        return scores, boxes

    monkeypatch.setattr(transt._network, "forward", forward)


@pytest.mark.usefixtures("quick")
def test_a_box_is_laid_back_into_the_frame(
    transt: Any, tracked: Any, frame: np.ndarray, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 50 x 40 and three mean sides of 45 around it.
    side = math.ceil(math.sqrt((50 + 3 * 45) * (40 + 3 * 45)))
    answer(monkeypatch, transt, 500, [0.55, 0.45, 0.3, 0.2])
    shape = transt.track(tracked(), frame, state)
    x, y = 85 + (0.55 - 0.5) * side, 60 + (0.45 - 0.5) * side
    width, height = 0.3 * side, 0.2 * side
    wanted = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    np.testing.assert_allclose(shape.points, wanted, atol=1e-4)
    assert shape.type == "rectangle"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("score", "moved"), [(0.9, False), (1.0, True)])
def test_what_stays_in_place_is_preferred(
    transt: Any, tracked: Any, frame: np.ndarray, state: Any, monkeypatch: pytest.MonkeyPatch, score: float, moved: bool
) -> None:
    # A corner of the region against its middle, where the window alone gives 0.49.
    answer(monkeypatch, transt, 0, [0.1, 0.1, 0.2, 0.2], score)
    transt.track(tracked(), frame, state)
    assert (state.centre[0] < 60) is moved


@pytest.mark.usefixtures("quick")
def test_boxes_stay_on_the_frame_and_above_ten_pixels(
    transt: Any, tracked: Any, frame: np.ndarray, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.centre, state.size = (220.0, 140.0), (39.0, 39.0)
    answer(monkeypatch, transt, 500, [1.0, 1.0, 0.001, 1.0])
    transt.track(tracked(), frame, state)
    assert state.centre == (240, 160)
    assert state.size[0] == 10
    assert state.size[1] == math.ceil(math.sqrt((39 + 3 * 39) ** 2))


def test_a_crop_is_that_of_the_padded_frame() -> None:
    y, x = np.mgrid[0:160, 0:240]
    smooth = np.stack([x, y, (x + y) / 2], -1).astype(np.uint8)
    grey = (1, 2, 3)
    crop = crop_around(smooth, (30.0, 150.0), 101, 128, grey)
    # The square's first pixel is floor(centre - 102 / 2 + 0.5).
    left, top = -21, 99
    canvas = np.full((101, 101, 3), grey, np.uint8)
    canvas[0:61, 21:101] = smooth[top:160, 0:80]
    wanted = np.asarray(PIL.Image.fromarray(canvas).resize((128, 128), PIL.Image.Resampling.BILINEAR), int)
    assert left + 21 == 0
    assert np.abs(crop.astype(int) - wanted).mean() < 0.7
    assert (crop[:, :20] == grey).all()
    assert (crop[-40:] == grey).all()


def test_a_template_travels_and_any_worker_goes_on(
    transt: Any, tracked: Any, ask: Any, frame: np.ndarray, state: Any
) -> None:
    picture = PIL.Image.fromarray(frame)
    states = ask(transt, image=picture, shapes=[{"type": "rectangle", "points": START}], states=[])["states"]
    for _ in range(2):
        wanted = transt.track(tracked(), frame, state)
        reply = ask(transt, image=picture, shapes=[None], states=states)
        states = reply["states"]
        clipped = np.reshape(wanted.points, (2, 2)).clip(0, (240, 160)).ravel()
        np.testing.assert_allclose(reply["shapes"][0]["points"], clipped, atol=0.01)
    assert len(states[0]) < 2**18


def test_a_template_of_half_precision_is_enough(state: Any) -> None:
    assert state.template.dtype == np.float16
    assert np.isfinite(state.template).all()
    assert state.template.nbytes == 2**17


def test_other_files_are_refused(create: Any, tmp_path: Path) -> None:
    torch.save({"net": {"conv.weight": torch.zeros(3)}}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"(?s)other\.pth is not a checkpoint of TransT: .*Missing key"):
        create("transt", weights=str(tmp_path / "other.pth"))
    with pytest.raises(FileNotFoundError, match=r"no file '.*nowhere\.pth'"):
        create("transt", weights="nowhere.pth")


def test_nothing_in_a_checkpoint_is_executed(create: Any, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"net": {}, "settings": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(ValueError, match="is not a checkpoint of TransT"):
        create("transt", weights=str(tmp_path / "bomb.pth"))
    assert not (tmp_path / "executed").exists()
