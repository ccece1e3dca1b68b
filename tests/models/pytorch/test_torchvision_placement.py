"""What the runtime does to cvat-sdk's torchvision functions: another device, boxes on the picture, memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import PIL.Image
import pytest

from aa_runtime import FunctionSource, Handler, Options, create_handler
from aa_runtime.sdk_functions import place

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("skimage")

from tools import random_checkpoints  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves, tree_map_only  # noqa: E402

MODULES = "cvat_sdk.auto_annotation.functions.torchvision_"
SMALL = {"min_size": 96, "max_size": 192, "box_detections_per_img": 3}
MODELS: dict[str, dict[str, Any]] = {
    "detection": {"model_name": "fasterrcnn_mobilenet_v3_large_320_fpn", **SMALL},
    "instance_segmentation": {"model_name": "maskrcnn_resnet50_fpn", **SMALL},
    "keypoint_detection": {"model_name": "keypointrcnn_resnet50_fpn", **SMALL},
    "classification": {"model_name": "mobilenet_v3_small"},
}


@pytest.fixture(scope="module")
def source(torch_home: Path) -> Callable[[str], FunctionSource]:
    """The function for a task, with weights where it looks for them."""

    def make(task: str) -> FunctionSource:
        name = MODELS[task]["model_name"]
        if not list((torch_home / "hub" / "checkpoints").glob(f"{name}*")):
            random_checkpoints.of_torchvision(torch_home, name, change=random_checkpoints.opinionated)
        return FunctionSource(module=MODULES + task, parameters=MODELS[task])

    return make


@pytest.fixture
def function(create: Any, source: Callable[[str], FunctionSource]) -> Callable[[str], Any]:
    """The function for a task as cvat-sdk has it."""
    return lambda task: create(MODULES + task, **source(task).parameters)


def plain(annotations: list[Any]) -> list[dict[str, Any]]:
    return [annotation.to_dict() for annotation in annotations]


# --- on the CPU: nothing changes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", MODELS)
def test_it_answers_as_by_itself(
    task: str, function: Any, detection: Any, small: PIL.Image.Image, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For what cvat-sdk's driver and cvat-cli's agent may ask: any threshold, masks or polygons."""
    monkeypatch.delenv("AA_DEVICE", raising=False)
    by_itself, placed = function(task), function(task)
    place(placed, log)
    assert plain(by_itself.detect(detection(), small))
    for context in (detection(), detection(conf_threshold=0.9), detection(conv_mask_to_poly=True)):
        assert plain(placed.detect(context, small)) == plain(by_itself.detect(context, small))
    assert placed.spec == by_itself.spec
    assert not any(value.requires_grad for value in placed._model.parameters())


def test_the_log_says_what_was_loaded_where(function: Any, log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AA_DEVICE", "cpu")
    place(function("classification"), log)
    (line,) = log.lines
    # 2,542,856 parameters and the norms' statistics, 4 bytes each.
    assert line == (
        f"MobileNetV3 with MobileNet_V3_Small_Weights.IMAGENET1K_V1, 10 MiB, on cpu, {torch.get_num_threads()} threads"
    )


def test_a_device_that_is_not_there_ends_the_start(function: Any, log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AA_DEVICE", "cuda:99")
    with pytest.raises(ValueError, match="AA_DEVICE=cuda:99: torch cannot use that device: "):
        place(function("classification"), log)


# --- on another device ----------------------------------------------------------------------------------------------
# No GPU is needed to see tensors on the wrong device. Tensors on `meta` keep their numbers here, and no operation takes
# them together with tensors on the CPU, as with CUDA.

AWAY = torch.device("meta")


class Away(torch.Tensor):  # type: ignore[name-defined]
    """A tensor on the other device."""

    held: Any

    @staticmethod
    def __new__(cls, held: Any) -> Any:
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), dtype=held.dtype, device=AWAY
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(operation, args, kwargs or {})


#: CUDA's tensors may be indexed by the CPU's.
MIXED = {torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default, torch.ops.aten.index.Tensor}


def computed(operation: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The operation's result, on the device that it belongs to."""
    tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
    away = any(isinstance(value, Away) for value in tensors)
    if away and operation not in MIXED and any(value.dim() and not isinstance(value, Away) for value in tensors):
        raise RuntimeError(f"{operation}: tensors on two devices")
    if kwargs.get("device") is not None:
        away = torch.device(kwargs["device"]) == AWAY
        kwargs = {**kwargs, "device": "cpu"}
    args, kwargs = tree_map_only(Away, lambda value: value.held, (args, kwargs))
    result = operation(*args, **kwargs)
    return tree_map_only(torch.Tensor, Away, result) if away else result


class Operations(TorchDispatchMode):
    """Sees the operations that have no tensor among their arguments, or only the CPU's."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(operation, args, kwargs or {})


class Constants(TorchFunctionMode):
    """Makes tensors of Python's numbers here and moves them."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function not in (torch.tensor, torch.as_tensor) or kwargs.get("device") is None:
            return function(*args, **kwargs)
        device = kwargs.pop("device")
        return function(*args, **kwargs).to(device)


@pytest.fixture
def another_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AA_DEVICE", AWAY.type)
    with Constants(), Operations():
        yield


@pytest.mark.parametrize("task", MODELS)
def test_pictures_go_to_the_models_device_and_results_come_back(
    task: str, function: Any, detection: Any, small: PIL.Image.Image, log: Any, another_device: None
) -> None:
    wanted = plain(function(task).detect(detection(), small))
    placed = function(task)
    place(placed, log)
    assert {value.device for value in (*placed._model.parameters(), *placed._model.buffers())} == {AWAY}
    assert log.lines[0].endswith(" on meta")
    devices = []

    def note(module: Any, args: Any, results: Any) -> None:
        devices.append([{value.device.type for value in tree_leaves(values)} for values in (args, results)])

    placed._model.register_forward_hook(note)
    assert placed.detect(detection(conv_mask_to_poly=True), small)
    assert plain(placed.detect(detection(), small)) == wanted
    assert devices == [[{"meta"}, {"cpu"}]] * 2


def test_without_the_runtime_a_moved_model_fails(
    function: Any, detection: Any, small: PIL.Image.Image, another_device: None
) -> None:
    """So the test above shows something."""
    moved = function("classification")
    moved._model.to(AWAY)
    with pytest.raises(RuntimeError, match="tensors on two devices"):
        moved.detect(detection(), small)


# --- the border -----------------------------------------------------------------------------------------------------


@attrs.frozen
class Answer:
    """A model's answer, whatever it is shown."""

    boxes: list[list[float]]
    labels: list[int]

    def forward(self, images: Any) -> Any:
        count, size = len(self.boxes), images[0].shape[-2:]
        return [
            {
                "boxes": torch.tensor(self.boxes),
                "labels": torch.tensor(self.labels),
                "scores": torch.ones(count),
                "masks": torch.ones(count, 1, *size),
            }
        ]


#: torchvision gives 240.00002 for the border of some pictures.
BEYOND = Answer(
    boxes=[[10.0, 5.0, 240.00002, 100.00001], [240.00001, 5.0, 240.00002, 50.0], [-1e-6, 3.0, 20.0, 9.0]],
    labels=[17, 18, 19],
)


def test_boxes_that_rounding_put_beyond_the_border_are_kept_on_the_picture(
    function: Any, detection: Any, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = PIL.Image.new("RGB", (240, 100))
    segmentation = function("instance_segmentation")
    monkeypatch.setattr(segmentation._model, "forward", BEYOND.forward)
    with pytest.raises(ValueError, match="bbox has invalid coordinates"):
        segmentation.detect(detection(), picture)

    place(segmentation, log)
    shapes = segmentation.detect(detection(), picture)
    assert [shape.label_id for shape in shapes] == [17, 19]
    assert [shape.points[-4:] for shape in shapes] == [[10, 5, 239, 99], [0, 3, 19, 8]]


# --- memory ---------------------------------------------------------------------------------------------------------


def no_memory_on_the_gpu() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def no_memory_on_the_host() -> None:
    torch.empty(2**50)


@pytest.mark.parametrize("fail", [no_memory_on_the_gpu, no_memory_on_the_host])
def test_when_memory_runs_out_the_worker_says_so_and_lives(
    fail: Callable[[], None],
    source: Callable[[str], FunctionSource],
    small: PIL.Image.Image,
    post: Callable[[Handler, PIL.Image.Image], Any],
    log: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = create_handler(source("detection"), Options(), log)
    with monkeypatch.context() as patch:
        # Where the network begins, so that the hooks around it are part of the call.
        patch.setattr("torchvision.models.detection.generalized_rcnn.GeneralizedRCNN.forward", lambda *_: fail())
        response = post(handler, small)
        assert response.status_code == 507
        assert json.loads(response.body)["error"]["type"] == "memory"
    response = post(handler, small)
    assert response.status_code == 200
    assert len(json.loads(response.body)) == 3
