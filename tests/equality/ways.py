"""One AA function, three ways: cvat-sdk's driver, cvat-cli's agent, and a bundle behind the model of CVAT."""

import importlib.util
import io
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import attrs
import cvat_cli._internal.agent_driver as agent_driver
import cvat_sdk.auto_annotation.driver as sdk_driver
import cvat_sdk.datasets as cvatds
import PIL.Image
from cvat_cli._internal.agent_driver_detection import AgentDetectionFunctionDriver
from cvat_cli._internal.agent_driver_interaction import AgentInteractionFunctionDriver
from cvat_cli._internal.agent_driver_tracking import AgentTrackingFunctionDriver
from cvat_sdk import models
from tests.cvat_browser import in_front_of

from cvat_nuclio.cvat import Browser, Generation, TaskLabel
from cvat_nuclio.cvat.interactor_answer import Interacted, browser_accepts

HERE = Path(__file__).resolve().parent
TASK = 5
FRAME_NAME = "frames/{:03}.png"


@attrs.frozen
class Deployed:
    """A bundle that is served: Nuclio's object of it, and where it listens."""

    function: dict[str, Any]
    url: str

    def browser(self, images: Sequence[bytes], generation: Generation = Generation.G3) -> Browser:
        """A user in front of it."""
        return in_front_of(self.function, self.url, images, generation)


def load(name: str) -> ModuleType:
    """A function of the zoo, loaded as cvat-cli loads `--function-file`."""
    spec = importlib.util.spec_from_file_location(f"zoo_{name}", HERE / "zoo" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def encoded(image: PIL.Image.Image, image_format: str = "PNG") -> bytes:
    """A file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


class FakeDataset:
    """cvat-sdk's TaskDataset over images in memory."""

    def __init__(self, images: Sequence[bytes], labels: Sequence[TaskLabel]) -> None:
        self.labels = [sdk_label(label) for label in labels]
        self.samples = [
            SimpleNamespace(
                frame_index=index,
                frame_name=FRAME_NAME.format(index),
                media=SimpleNamespace(load_image=lambda content=content: PIL.Image.open(io.BytesIO(content))),
            )
            for index, content in enumerate(images)
        ]

    @contextmanager
    def iter_samples(self, *, temporary_chunks: bool) -> Iterator[Any]:
        yield iter(self.samples)


def sdk_label(label: TaskLabel) -> models.Label:
    """A task's label as cvat-sdk gives it."""
    sublabels = [
        models.Sublabel(name=s.name, id=s.id, type=s.type, attributes=[sdk_attribute(a) for a in s.attributes])
        for s in label.sublabels
    ]
    attributes = [sdk_attribute(attribute) for attribute in label.attributes]
    return models.Label._from_openapi_data(
        name=label.name, id=label.id, type=label.type, attributes=attributes, sublabels=sublabels
    )


def sdk_attribute(attribute: Any) -> models.Attribute:
    """A task's attribute as cvat-sdk gives it; the server lists one empty value for a text without values."""
    return models.Attribute._from_openapi_data(
        name=attribute.name,
        id=attribute.id,
        input_type=models.InputTypeEnum(attribute.input_type),
        values=list(attribute.values),
        default_value=attribute.default_value,
        mutable=False,
    )


class FakeExecutor:
    """The agent's process pool, without processes."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        return function(*arguments)

    def result(self, future: Any) -> Any:
        return future


def through_the_driver(
    function: Any, images: Sequence[bytes], labels: Sequence[TaskLabel], patch: Any, **options: Any
) -> dict[str, Any]:
    """`cvat_sdk.auto_annotation.annotate_task`; what it uploads."""
    uploaded: list[Any] = []
    api = SimpleNamespace(partial_update_annotations=lambda *args, **named: uploaded.append(named))
    client = SimpleNamespace(logger=logging.getLogger("driver"), tasks=SimpleNamespace(api=api))
    patch.setattr(sdk_driver, "TaskDataset", lambda *args, **named: FakeDataset(images, labels))
    sdk_driver.annotate_task(client, TASK, function, **options)
    return uploaded[0]["patched_labeled_data_request"].to_dict()


@attrs.define
class Agent:
    """cvat-cli's agent for one function, in this process."""

    driver: Any

    @classmethod
    def of(cls, function: Any, images: Sequence[bytes], labels: Sequence[TaskLabel], patch: Any) -> "Agent":
        """As `cvat-cli function run-agent` sets it up."""
        kinds = {
            "DetectionFunctionSpec": AgentDetectionFunctionDriver,
            "InteractionFunctionSpec": AgentInteractionFunctionDriver,
            "TrackingFunctionSpec": AgentTrackingFunctionDriver,
        }
        driver_class = kinds[type(function.spec).__name__]
        patch.setattr(cvatds, "TaskDataset", lambda *args, **named: FakeDataset(images, labels))
        counter = itertools.count()
        agent_driver.set_worker_current_function(function)
        driver_class.init_worker(lambda: f"state-{next(counter)}")
        client = SimpleNamespace(logger=logging.getLogger("agent"))
        return cls(driver_class(client, FakeExecutor(), function.spec))

    def request(self, kind: str, **params: Any) -> dict[str, Any]:
        """One annotation request, as the server would give it to the agent."""
        return self.driver.calculate_result_for_ar(
            {"type": kind, "task": TASK, **params}, lambda *, current_progress: None
        )

    def annotate(
        self, mapping: Mapping[str, Any], threshold: float | None = None, conv_mask_to_poly: bool = False
    ) -> dict[str, Any]:
        """A whole task; what goes back to the server."""
        answer = self.request(
            "annotate_task", mapping=mapping, threshold=threshold, conv_mask_to_poly=conv_mask_to_poly
        )
        return answer["annotations"].to_dict()

    def interact(self, size: tuple[int, int], **prompts: Any) -> tuple[list[Interacted], list[str]]:
        """One click on frame 0, as the newest UI shows it."""
        answer = self.request("interact", frame=0, **prompts)
        shapes = [s | {"attributes": [a.to_dict() for a in s["attributes"]]} for s in answer["shapes"]]
        return browser_accepts({"shapes": shapes}, *size, Generation.G3)

    def track(self, shapes: Sequence[dict[str, Any]], frames: int) -> list[list[dict[str, Any] | None]]:
        """Shapes followed from frame 0 on."""
        states = self.request("init_tracking", frame=0, shapes=shapes)["states"]
        found = []
        for frame in range(1, frames):
            answer = self.request("track", frame=frame, states=states)
            states = answer["states"]
            found.append(answer["shapes"])
        return found


def plain(annotations: Mapping[str, Any], labels: Sequence[TaskLabel]) -> dict[str, Any]:
    """Annotations as a task holds them, ids as names, whichever way they came."""
    names = {label.id: label for label in labels}
    return {
        "tags": [_plain_tag(tag, names) for tag in annotations.get("tags") or []],
        "shapes": [_plain_shape(shape, names) for shape in annotations.get("shapes") or []],
    }


def _plain_tag(tag: Mapping[str, Any], labels: Mapping[int, TaskLabel]) -> dict[str, Any]:
    label = labels[tag["label_id"]]
    common = {"frame": tag["frame"], "label": label.name, "group": tag.get("group") or 0, "source": tag["source"]}
    return common | {"attributes": _plain_attributes(tag, label)}


def _plain_shape(shape: Mapping[str, Any], labels: Mapping[int, TaskLabel]) -> dict[str, Any]:
    label = labels[shape["label_id"]]
    sublabels = {sublabel.id: sublabel for sublabel in label.sublabels}
    elements = [_plain_shape(element, sublabels) for element in shape.get("elements") or []]
    return _plain_tag(shape, labels) | {
        "type": str(shape["type"]),
        "points": [float(point) for point in shape.get("points") or []],
        "rotation": float(shape.get("rotation") or 0),
        "occluded": bool(shape.get("occluded", False)),
        "outside": bool(shape.get("outside", False)),
        "z_order": shape.get("z_order") or 0,
        "score": shape.get("score", 1.0),
        "elements": {element["label"]: element for element in elements},
    }


def _plain_attributes(annotation: Mapping[str, Any], label: TaskLabel) -> dict[str, str]:
    """The server stores the label's default where no value came."""
    given = {a["spec_id"]: str(a["value"]).strip() for a in annotation.get("attributes") or []}
    return {a.name: given.get(a.id, a.default_value) for a in label.attributes}
