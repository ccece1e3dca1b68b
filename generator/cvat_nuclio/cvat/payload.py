"""The body that CVAT sends to a function, from the body of the REST call."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from .generation import Generation
from .listing import Listed
from .rest_errors import invalid
from .rest_fields import rest_error
from .roi import crop, into, region
from .task import Task

FRAMES = {"frame": "frame", "frame0": "start frame", "frame1": "end frame"}


class Signer:
    """CVAT signs a tracker's state for its way through the browser. This one leaves it as it is: nobody is between."""

    def sign(self, state: Any) -> Any:
        return state

    def unsign(self, signed: Any) -> Any:
        """Raises CvatError for what this signer did not make."""
        return signed


UNSIGNED = Signer()


@attrs.frozen
class Call:
    """One call of a function: the REST body without its nulls, which CVAT takes as absent."""

    function: Listed
    task: Task
    data: Mapping[str, Any]
    signer: Signer = UNSIGNED

    def mandatory(self, name: str) -> Any:
        if name not in self.data:
            raise invalid(f"`{self.function.id}` lambda function was called without mandatory argument: {name}")
        return self.data[name]

    def image(self, name: str = "frame") -> str:
        """The bytes of the frame that the field names, in base64; only the region of interest if there is one."""
        content = self.image_bytes(self.mandatory(name))
        roi = self.roi
        return base64.b64encode(content if roi is None else crop(content, roi)).decode()

    @property
    def roi(self) -> Any:
        """The region of interest as given: of a G3 server, for detectors and interactors."""
        return self.data.get("roi") if self.function.generation is Generation.G3 else None

    def image_bytes(self, frame: Any) -> bytes:
        """The bytes of a frame. Raises CVAT's 400 for a frame that the task lacks."""
        quality = self.data.get("quality", "original")
        if _is_g1(self) and quality not in ("original", "compressed"):
            raise invalid(f"`{self.function.id}` lambda function was run with wrong arguments (quality={quality})")
        return self.task.image(frame_number(frame, self.task, self.function.generation))


def frame_number(frame: Any, task: Task, generation: Generation) -> int:
    """The frame that a call names. Raises the REST ValidationError for one outside the task.

    G1 takes what Python's `int` takes, later servers what equals a whole number (2.0, true).
    """
    if generation is Generation.G1:
        number = int(frame)
        if not 0 <= number < task.size:
            raise rest_error(f"Incorrect requested frame number: {number}")
        return number
    if frame not in range(task.size):
        raise rest_error(f"Invalid frame '{frame}'. The frame number should be in the [0, {task.size}] range")
    return int(frame)


def check_segment(data: Mapping[str, Any], segment: Sequence[int] | None) -> None:
    """A call that names a job must name one of its frames. Raises TypeError for a frame that is no number."""
    for name, description in FRAMES.items() if segment is not None else ():
        if name in data and 0 + data[name] * 1 not in (segment or ()):
            raise invalid(f"The {description} is outside the job range")


def build_payload(call: Call) -> dict[str, Any]:
    """The exact JSON object that the function gets; nothing else is ever sent.

    `threshold` and `max_distance` are left out when absent or 0. Raises `CvatError` where CVAT refuses the call.
    """
    kind = call.function.kind
    if call.roi is not None and kind not in ("detector", "interactor"):
        raise invalid(f"ROI is not supported for {kind} functions")
    payload: dict[str, Any] = {}
    if call.data.get("threshold"):
        payload["threshold"] = call.data["threshold"]
    match kind:
        case "detector":
            return payload | {"image": call.image()}
        case "interactor":
            return payload | {"image": call.image()} | _PROMPTS[call.function.generation](call)
        case "tracker":
            return payload | (_tracker_g1(call) if _is_g1(call) else _tracker(call))
        case "reid":
            return payload | _reid(call)
        case _:
            raise invalid(f"`{call.function.id}` lambda function has incorrect type: {kind}", 500)


def _is_g1(call: Call) -> bool:
    return call.function.generation is Generation.G1


def _prompts_g1(call: Call) -> dict[str, Any]:
    """The box is the first two positive points if the function says `startswith_box`."""
    positive, boxed = call.mandatory("pos_points"), call.function.startswith_box
    return {
        "pos_points": positive[2:] if boxed else positive,
        "neg_points": call.mandatory("neg_points"),
        "obj_bbox": positive[:2] if boxed else None,
    }


def _prompts_g2(call: Call) -> dict[str, Any]:
    """All as the caller gave it."""
    points = {name: call.mandatory(name) for name in ("pos_points", "neg_points")}
    return points | {"obj_bbox": call.data.get("obj_bbox")}


def _prompts_g3(call: Call) -> dict[str, Any]:
    """Pairs of numbers, in pixels of the region; and what the user typed, which no function in CVAT reads yet."""
    roi = None if call.roi is None else region(call.roi)
    prompts = {name: into(call.mandatory(name), roi) for name in ("pos_points", "neg_points")}
    prompts["obj_bbox"] = into(call.data.get("obj_bbox"), roi)
    return prompts | ({"text_prompts": call.data["text_prompts"]} if call.data.get("text_prompts") else {})


_PROMPTS = {Generation.G1: _prompts_g1, Generation.G2: _prompts_g2, Generation.G3: _prompts_g3}


def _tracker_g1(call: Call) -> dict[str, Any]:
    """Flat point arrays of the previous frame and raw states, both on every call."""
    data = call.data
    return {"image": call.image(), "shapes": data.get("shapes", []), "states": data.get("states", [])}


def _tracker(call: Call) -> dict[str, Any]:
    """The first call has shapes and no states, the next ones states and as many nulls for shapes.

    A caller that gives both, as old pages did, has both sent. Shapes travel as the caller sent them if the function
    declares `supported_shape_types`, else as flat arrays.
    """
    if "states" not in call.data:
        shapes, signed = call.mandatory("shapes"), []
    else:
        signed = call.data["states"]
        shapes = call.data["shapes"] if "shapes" in call.data else [None] * len(signed)
    return {
        "image": call.image(),
        "shapes": [_tracked_shape(shape, call.function) for shape in shapes],
        "states": [None if state is None else call.signer.unsign(state) for state in signed],
    }


def _tracked_shape(shape: Any, function: Listed) -> Any:
    if shape is None:
        return None
    if shape["type"] not in (function.supported_shape_types or ()):
        raise invalid(f"This function does not support shapes of type {shape['type']!r}")
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
