"""One frame through the function: the request that CVAT sends, and of the answer what CVAT's own job would store."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..cvat import Gateway, Generation, Listed, Server, Task, TaskLabel
from ..cvat.rest_errors import CvatError, unhandled
from ..cvat_server import Frame
from ..invoke.answer_causes import causes
from ..invoke.call_report import fault_text

KINDS = ("tags", "shapes")


@attrs.frozen
class Found:
    """What a frame is given: `data` as CVAT's REST API takes new annotations, `drops` what CVAT would not keep."""

    data: dict[str, list[dict[str, Any]]]
    drops: tuple[str, ...] = ()


@attrs.frozen
class FrameCall:
    """Calls a detector as a CVAT server of one generation does. May be used from several threads."""

    function: Listed
    gateway: Gateway
    labels: Sequence[TaskLabel]
    fields: Mapping[str, Any]
    """threshold, mapping, conv_mask_to_poly, as a request for a batch job has them."""

    @property
    def generation(self) -> Generation:
        """Of the server whose conversion is done here."""
        return self.gateway.generation

    def __call__(self, frame: Frame) -> Found:
        """Raises CvatError where CVAT's job would fail."""
        task = Task(tuple(self.labels), frame.number + 1, lambda _: frame.content)
        server = Server(self.generation, self.gateway)
        with unhandled():
            answer = server.invoke(self.function, task, {**self.fields, "frame": frame.number}, None)
        data = {kind: [_as_new(each) for each in answer[kind]] for kind in KINDS}
        return Found(data, tuple(drop.reason for drop in server.drops.found))


def _as_new(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Without the number that is not there yet: the REST API wants it absent, not null."""
    new = {key: value for key, value in annotation.items() if key != "id"}
    new["group"] = new["group"] or 0
    if "elements" in new:
        new["elements"] = [_as_new(element) for element in new["elements"]]
    return new


def told(error: CvatError) -> str:
    """Why a frame failed, in one line: CVAT's own words, then the likely cause, the function's words among it."""
    words = [fault_text(error, job=True).removeprefix("the job fails: "), *causes(error)]
    return " | ".join(" ".join(word.split()) for word in words)[:1000]


def finds_nobody(error: CvatError) -> bool:
    """Whether nothing listened, or whatever did hung up."""
    return error.name == "ConnectionError"


def finds_no_worker(error: CvatError) -> bool:
    """Whether Nuclio had no worker free within its time."""
    return error.name == "HTTPError" and error.http_status == 503
