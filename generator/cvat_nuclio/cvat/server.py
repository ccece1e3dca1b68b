"""The two REST calls that reach a function: one frame for the browser, and a job over a task (`job`)."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs
from PIL import Image

from .conversion import Items, rename_items, to_annotation
from .drops import Drops
from .errors import invalid, unhandled
from .generation import Generation
from .listing import Listed
from .mapping import resolve_mapping
from .payload import Call, build_payload
from .roi import moved, moved_answer, region
from .signing import StateSigner
from .storage import Collection, empty
from .task import Task
from .tracker import convert_tracked
from .validation import check_json, labeled_data


class Invoker(Protocol):
    """Sends a payload to a function and returns its decoded answer; `Gateway` is one."""

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        """Raises `CvatError` where the exchange fails."""
        ...


@attrs.frozen
class Exchange:
    """One payload sent and the answer that came back."""

    payload: dict[str, Any] = attrs.field(repr=False)
    answer: Any = attrs.field(repr=False)


@attrs.define
class Server:
    """A CVAT server of one generation in front of one invoker.

    `drops` collects what it dropped of the answers and `exchanges` what went over the wire, over all calls.
    """

    generation: Generation
    invoker: Invoker
    signer: Callable[[str], StateSigner] = attrs.field()
    drops: Drops = attrs.field(factory=Drops)
    exchanges: list[Exchange] = attrs.field(factory=list, repr=False)

    @signer.default
    def _signer_per_function(self) -> Callable[[str], StateSigner]:
        signers: dict[str, StateSigner] = {}
        return lambda function_id: signers.setdefault(function_id, StateSigner(function_id))

    def call(self, function: Listed, task: Task, body: Mapping[str, Any], segment: Sequence[int] | None = None) -> Any:
        """`POST /api/lambda/functions/<id>`: the JSON that the browser gets. Raises `CvatError`.

        `segment`: the frames of the job that the body names, if it names one.
        """
        with unhandled():
            data = {key: value for key, value in body.items() if value is not None}
            _check_quality(function, data, self.generation)
            _check_segment(data, segment)
            answer = self._answer(function, task, data)
        check_json(answer)
        return "" if answer is None else answer

    def _answer(self, function: Listed, task: Task, data: Mapping[str, Any]) -> Any:
        if function.kind == "detector":
            items = self.detect(function, task, data)
            if not self.generation.converts_on_server:
                return items.values
            return labeled_data(self.annotations(items, task, data), self.generation)
        answer = self.exchange(function, task, data)
        if function.kind == "tracker":
            return convert_tracked(answer, function, self.signer(function.id))
        roi = self._call(function, task, data).roi
        if roi and function.kind == "interactor":
            with Image.open(io.BytesIO(task.image(data["frame"]))) as image:
                return moved_answer(answer, roi, image.size)
        return answer

    def exchange(self, function: Listed, task: Task, data: Mapping[str, Any]) -> Any:
        """Builds the payload, sends it, returns the decoded answer."""
        payload = build_payload(self._call(function, task, data))
        answer = self.invoker.invoke(function, payload)
        self.exchanges.append(Exchange(payload, answer))
        return answer

    def _call(self, function: Listed, task: Task, data: Mapping[str, Any]) -> Call:
        return Call(function, task, data, self.signer(function.id))

    def detect(self, function: Listed, task: Task, data: Mapping[str, Any]) -> Items:
        """One frame of a detector: the items whose labels are mapped, under the task's names."""
        mapping = resolve_mapping(data.get("mapping"), function.labels, task.labels, self.generation)
        answer = self.exchange(function, task, data)
        return rename_items(answer, mapping, self.generation, self.drops)

    def annotations(self, items: Items, task: Task, data: Mapping[str, Any]) -> Collection:
        """The items as tags and shapes of the frame `data["frame"]`, not yet validated."""
        found = empty()
        roi = region(data) if self.generation is Generation.G3 else None
        for index, item in zip(items.indexes, items.values, strict=True):
            with self.drops.of(index):
                annotation = to_annotation(
                    item,
                    task.labels,
                    data["frame"],
                    self.generation,
                    conv_mask_to_poly=bool(data.get("conv_mask_to_poly")),
                    drops=self.drops,
                )
            if annotation:
                kind, values = annotation
                found[kind].append(moved(values, roi) if roi and kind == "shapes" else values)
        return found


def _check_quality(function: Listed, data: Mapping[str, Any], generation: Generation) -> None:
    """G1 knows a `quality` of frames: "original" (the default) or "compressed"; later servers ignore the field."""
    quality = data.get("quality", "original")
    if generation is Generation.G1 and quality not in ("original", "compressed"):
        raise invalid(f"`{function.id}` lambda function was run with wrong arguments (quality={quality})")


def _check_segment(data: Mapping[str, Any], segment: Sequence[int] | None) -> None:
    """A call with a job must name one of its frames."""
    for name in ("frame", "frame0", "frame1"):
        if segment is not None and isinstance(data.get(name), int) and data[name] not in segment:
            raise invalid("The frame is outside the job range")
