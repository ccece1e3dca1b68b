"""The two REST calls that reach a function: one frame for the browser, and a job over a task (`job`)."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs
from PIL import Image

from .conversion import Items, rename_items, to_annotation
from .drops import Drops
from .generation import Generation
from .listing import Listed
from .mapping import resolve_mapping
from .payload import Call, build_payload, check_segment
from .rest_errors import unhandled
from .roi import moved, moved_answer, region
from .signing import StateSigner
from .storage import Collection, empty
from .task import Task
from .tracker_answer import convert_tracked
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
            answer = self.invoke(function, task, body, segment)
            answer = answer.values if isinstance(answer, Items) else answer
        check_json(answer)
        return "" if answer is None else answer

    def invoke(self, function: Listed, task: Task, body: Mapping[str, Any], segment: Sequence[int] | None) -> Any:
        """One call in the order in which CVAT takes the steps: mapping, frames, payload, exchange, conversion."""
        data = {key: value for key, value in body.items() if value is not None}
        mapping = resolve_mapping(data.get("mapping"), function.labels, task.labels, self.generation)
        check_segment(data, segment)
        call = Call(function, task, data, self.signer(function.id))
        answer = self.exchange(call)
        match function.kind:
            case "detector":
                return self._detected(call, rename_items(answer, mapping, self.generation, self.drops))
            case "tracker":
                return convert_tracked(answer, function, call.signer)
            case "interactor" if call.roi is not None:
                with Image.open(io.BytesIO(call.image_bytes(data["frame"]))) as image:
                    return moved_answer(answer, region(call.roi), image.size)
            case _:
                return answer

    def exchange(self, call: Call) -> Any:
        """Builds the payload, sends it, returns the decoded answer."""
        payload = build_payload(call)
        answer = self.invoker.invoke(call.function, payload)
        self.exchanges.append(Exchange(payload, answer))
        return answer

    def _detected(self, call: Call, items: Items) -> Any:
        """The items as labelled data; a G1 server leaves that to the page, and to the end of a job."""
        if not self.generation.converts_on_server:
            return items
        data = labeled_data(self.annotations(items, call.task, call.data), self.generation)
        if call.roi is not None:
            data["shapes"] = [moved(shape, region(call.roi)) for shape in data["shapes"]]
        return data

    def annotations(self, items: Items, task: Task, data: Mapping[str, Any]) -> Collection:
        """The items as tags and shapes of the frame `data["frame"]`, not yet validated."""
        found = empty()
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
                found[kind].append(values)
        return found
