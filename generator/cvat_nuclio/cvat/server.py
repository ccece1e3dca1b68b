"""The two REST calls that reach a function: one frame for the browser, and a job over a task (`job`)."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs
from PIL import Image

from .conversion import Items, rename_items, to_annotation
from .drops import Drops
from .generation import Generation
from .listing import Listed
from .mapping import resolve_mapping
from .payload import UNSIGNED, Call, Signer, build_payload, check_segment
from .rest_errors import unhandled
from .roi import moved, moved_answer, region
from .storage import Collection, empty
from .task import Task
from .validation import check_json, labeled_data


class Invoker(Protocol):
    """Sends a payload to a function and returns its decoded answer; `Gateway` is one."""

    def invoke(self, function: Listed, payload: Mapping[str, Any]) -> Any:
        """Raises `CvatError` where the exchange fails."""
        ...


@attrs.define
class Server:
    """A CVAT server of one generation in front of one invoker. `drops` collects what it dropped, over all calls."""

    generation: Generation
    invoker: Invoker
    signer: Signer = UNSIGNED
    drops: Drops = attrs.field(factory=Drops)

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
        call = Call(function, task, data, self.signer)
        answer = self.exchange(call)
        match function.kind:
            case "detector":
                return self._detected(call, rename_items(answer, mapping, self.generation, self.drops))
            case "tracker":
                return _tracked(answer, call)
            case "interactor" if call.roi is not None:
                with Image.open(io.BytesIO(call.image_bytes(data["frame"]))) as image:
                    return moved_answer(answer, region(call.roi), image.size)
            case _:
                return answer

    def exchange(self, call: Call) -> Any:
        """Builds the payload, sends it, returns the decoded answer."""
        return self.invoker.invoke(call.function, build_payload(call))

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


def _tracked(answer: Any, call: Call) -> Any:
    """A tracker's answer as the browser gets it: flat arrays wrapped as rectangles, states signed; G1 passes it on.

    Nothing compares the number of shapes or states with the request, and no shape is looked into. Raises KeyError or
    TypeError where CVAT's code does: `states` must be there and be iterable, `shapes` may be missing.
    """
    if call.function.generation is Generation.G1:
        return answer
    converted = answer
    if "shapes" in answer and not call.function.typed_shapes:
        shapes = [None if s is None else {"type": "rectangle", "points": s} for s in answer["shapes"]]
        converted = dict(answer, shapes=shapes)
    return dict(converted, states=[call.signer.sign(state) for state in answer["states"]])
