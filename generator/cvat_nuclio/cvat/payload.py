"""The body that CVAT sends to a function, from the body of the REST call."""

import base64
from collections.abc import Mapping
from typing import Any

import attrs

from .errors import REST_VALIDATION, CvatError, invalid
from .generation import Generation
from .listing import Listed
from .roi import Roi, crop, into, region
from .signing import StateSigner
from .task import Task


@attrs.frozen
class Call:
    """One call of a function: the REST body without its nulls, which CVAT takes as absent."""

    function: Listed
    task: Task
    data: Mapping[str, Any]
    signer: StateSigner

    def mandatory(self, name: str) -> Any:
        """A field that the kind needs."""
        if name not in self.data:
            raise invalid(f"`{self.function.id}` lambda function was called without mandatory argument: {name}")
        return self.data[name]

    def image(self, name: str = "frame") -> str:
        """The bytes of the frame that the field names, in base64; only the region of interest if there is one."""
        content = self.image_bytes(self.mandatory(name))
        roi = self.roi
        return base64.b64encode(content if roi is None else crop(content, roi)).decode()

    @property
    def roi(self) -> Roi | None:
        """The region of interest: G3 has one for detectors and interactors, other servers ignore the field."""
        takes_one = self.function.generation is Generation.G3 and self.function.kind in ("detector", "interactor")
        return region(self.data) if takes_one else None

    def image_bytes(self, frame: Any) -> bytes:
        """The bytes of a frame. Raises CVAT's 400 for a frame that the task lacks."""
        check_frame(frame, self.task, self.function.generation)
        return self.task.image(frame)


def check_frame(frame: Any, task: Task, generation: Generation) -> None:
    """Raises the REST ValidationError for a frame outside the task, TypeError for one that is no number."""
    if not isinstance(frame, int):
        raise TypeError(f"unsupported operand type(s) for +: 'int' and '{type(frame).__name__}'")
    if 0 <= frame < task.size:
        return
    if generation is Generation.G1:
        text = f"Incorrect requested frame number: {frame}"
    else:
        text = f"Invalid frame '{frame}'. The frame number should be in the [0, {task.size}] range"
    raise CvatError(REST_VALIDATION, f"[ErrorDetail(string={text!r}, code='invalid')]", 400, detail=[text])


def build_payload(call: Call) -> dict[str, Any]:
    """The exact JSON object that the function gets; nothing else is ever sent.

    `threshold` and `max_distance` are left out when absent or 0. Raises `CvatError` where CVAT refuses the call.
    """
    payload: dict[str, Any] = {}
    if call.data.get("threshold"):
        payload["threshold"] = call.data["threshold"]
    match call.function.kind:
        case "detector":
            return payload | {"image": call.image()}
        case "interactor":
            return payload | _interactor(call)
        case "tracker":
            return payload | (_tracker_g1(call) if _is_g1(call) else _tracker(call))
        case "reid":
            return payload | _reid(call)
        case kind:
            raise invalid(f"`{call.function.id}` lambda function has incorrect type: {kind}", 500)


def _is_g1(call: Call) -> bool:
    return call.function.generation is Generation.G1


def _interactor(call: Call) -> dict[str, Any]:
    """The box: from the caller (G2 and later), or the first two positive points if `startswith_box` (G1)."""
    image = call.image()
    positive, box = call.mandatory("pos_points"), call.data.get("obj_bbox")
    if _is_g1(call):
        box = positive[:2] if call.function.startswith_box else None
        positive = positive[2:] if call.function.startswith_box else positive
    negative, roi = call.mandatory("neg_points"), call.roi
    if roi:
        positive, negative, box = into(positive, roi), into(negative, roi), into(box or [], roi)
    return {"image": image, "pos_points": positive, "neg_points": negative, "obj_bbox": box}


def _tracker_g1(call: Call) -> dict[str, Any]:
    """Flat point arrays of the previous frame and raw states, both on every call."""
    data = call.data
    return {"image": call.image(), "shapes": data.get("shapes", []), "states": data.get("states", [])}


def _tracker(call: Call) -> dict[str, Any]:
    """The first call has shapes and no states, the next ones states and as many nulls for shapes.

    Shapes travel as the caller sent them if the function declares `supported_shape_types`, else as flat arrays.
    """
    image = call.image()
    signed = call.data.get("states", [])
    states = [None if state is None else call.signer.unsign(state) for state in signed]
    if states:
        return {"image": image, "shapes": [None] * len(states), "states": states}
    shapes = [_tracked_shape(shape, call.function) for shape in call.mandatory("shapes")]
    return {"image": image, "shapes": shapes, "states": []}


def _tracked_shape(shape: Any, function: Listed) -> Any:
    if shape is None:
        return None
    if shape["type"] not in (function.supported_shape_types or ()):
        raise invalid(f"This function does not support shapes of type '{shape['type']}'")
    return shape if function.typed_shapes else shape["points"]


def _reid(call: Call) -> dict[str, Any]:
    payload = {
        "image0": call.image("frame0"),
        "image1": call.image("frame1"),
        "boxes0": call.mandatory("boxes0"),
        "boxes1": call.mandatory("boxes1"),
    }
    if call.data.get("max_distance"):
        payload["max_distance"] = call.data["max_distance"]
    return payload
