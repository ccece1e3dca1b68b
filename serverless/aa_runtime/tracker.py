"""Trackers: image, shapes and states → where each object is now, and the states to go on from.

CVAT sends one entry of `shapes` and `states` per object: a shape to begin with, or a state to go on from. Its
servers of 2024 send the previous frame's shape along with every state; newer ones pad `shapes` with null.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa

from aa_runtime import geometry
from aa_runtime.errors import FunctionError, RequestError
from aa_runtime.geometry import Dropped, Size
from aa_runtime.log import Log
from aa_runtime.measures import Measures
from aa_runtime.options import Options
from aa_runtime.request import TrackRequest, track_request
from aa_runtime.state import Budget, BudgetError, EncodeError, OpenTrack, StateError, Track, create_store


class TrackingContext(cvataa.TrackingFunctionContext):  # type: ignore[misc]
    """What cvat-cli's agent passes: nothing yet."""


@attrs.frozen(kw_only=True)
class ShapeContext(cvataa.TrackingFunctionShapeContext):  # type: ignore[misc]
    """What cvat-cli's agent passes with one object."""

    original_shape_type: str


@attrs.frozen
class Start:
    """An object to begin with."""

    shape: cvataa.TrackableShape
    typed: bool


@attrs.frozen
class Continue:
    """An object to go on with."""

    token: str
    opened: OpenTrack
    field: str


@attrs.frozen
class Answer:
    """What goes back for one object: null for both when it had neither shape nor state."""

    shape: str = "null"
    """JSON."""
    state: str | None = None


class TrackerRuntime:
    """Answers for one tracking function."""

    def __init__(self, function: Any, options: Options, log: Log, measures: Measures | None = None) -> None:
        self._function = function
        self._options = options
        self._log = log
        self._measures = measures or Measures()
        self._types: frozenset[str] = function.spec.supported_shape_types
        self._store = create_store(function, options, log)

    def answer(self, body: Mapping[str, object]) -> str:
        """`{"shapes": [...], "states": [...]}`, each as long as the longer list of the request.

        Shapes and tokens are all checked before the function is called. States are decoded one at a time.
        """
        request = track_request(body, self._options)
        objects = self._objects(request)
        self._measures.lap("decode")
        size: Size = request.image.size
        pp_image = self._prepare(request) if any(objects) else None
        lost: Counter[str] = Counter()
        answers = []
        for task in objects:
            if isinstance(task, Start):
                answers.append(self._start(task, pp_image, size))
            elif isinstance(task, Continue):
                answers.append(self._continue(task, pp_image, size, lost, request.lost_shape))
            else:
                answers.append(Answer())
        self._report(lost, len(objects))
        return _written(answers)

    def _objects(self, request: TrackRequest) -> list[Start | Continue | None]:
        """What to do for each index; RequestError where that is impossible."""
        entries = enumerate(zip(request.shapes, request.states, strict=True))
        objects: list[Start | Continue | None] = []
        budget = Budget()
        for index, (shape, token) in entries:
            if token is not None:
                objects.append(self._open(token, f"states[{index}]", request.image.size, budget))
            elif shape is not None:
                _check_type(shape.type, self._types, f"shapes[{index}]")
                check_mask(shape, f"shapes[{index}]", request.image.size)
                objects.append(Start(shape, bool(request.typed)))
            else:
                objects.append(None)
        return objects

    def _open(self, token: str, field: str, size: Size, budget: Budget) -> Continue:
        try:
            opened = self._store.open(token)
            budget.spend(opened.cost)
        except BudgetError as fault:
            raise RequestError(str(fault), field="states", status=413) from None
        except StateError as fault:
            raise RequestError(str(fault), field=field) from None
        if opened.image_size != size:
            message = "Image sizes of the start frame and the current frame are different"
            raise RequestError(message, field=field)
        _check_type(opened.shape_type, self._types, field)
        return Continue(token, opened, field)

    def _prepare(self, request: TrackRequest) -> Any:
        # cvat-cli's agent calls it without asking when it tracks; cvat-sdk says that it is optional.
        if hasattr(self._function, "preprocess_image"):
            prepared = self._function.preprocess_image(TrackingContext(), request.image)
            self._measures.lap("function")
            return prepared
        return request.image

    def _start(self, task: Start, pp_image: Any, size: Size) -> Answer:
        shape = task.shape
        track = Track(shape_type=shape.type, image_size=size, typed=task.typed, points=list(shape.points))
        context = ShapeContext(original_shape_type=shape.type)
        state = self._function.init_tracking_state(context, pp_image, shape)
        self._measures.lap("function")
        answer = Answer(_shape_json(track), self._keep(None, track, state))
        self._measures.lap("encode")
        return answer

    def _continue(self, task: Continue, pp_image: Any, size: Size, lost: Counter[str], lost_shape: str) -> Answer:
        try:
            track, state = task.opened.load()
        except StateError as fault:
            raise RequestError(str(fault), field=task.field) from None
        context = ShapeContext(original_shape_type=track.shape_type)
        self._measures.lap("decode")
        found = self._function.track(context, pp_image, state)
        self._measures.lap("function")
        try:
            track = attrs.evolve(track, points=found_points(found, track.shape_type, size))
            shape = _shape_json(track)
        except Dropped as reason:
            lost[str(reason)] += 1
            self._measures.drop(str(reason))
            shape = _shape_json(track) if lost_shape == "last" else "null"
        answer = Answer(shape, self._keep(task.token, track, state))
        self._measures.lap("encode")
        return answer

    def _keep(self, token: str | None, track: Track, state: Any) -> str:
        """The token for a state, after `token` if there was one."""
        try:
            if token is None:
                return self._store.issue(track, state)
            return self._store.renew(token, track, state)
        except EncodeError as fault:
            raise FunctionError(
                f"{fault}. A tracking state leaves the worker between two frames: keep plain data in it"
                " (numbers, strings, lists, dicts, arrays, tensors, dataclasses of the function's own"
                " modules), or generate the bundle with --state in-memory"
            ) from None

    def _report(self, lost: Counter[str], count: int) -> None:
        for reason, number in lost.items():
            self._log.info("%s", f"{number} of {count} objects lost: {reason}")


def found_points(found: object, shape_type: str, size: Size) -> list[float]:
    """The points of what `track` returned, inside the image of `size` (width, height).

    Dropped when the function did not find the object, or where nothing of it is finite, has extent and lies
    in the image; FunctionError, in the words of CVAT's agent, when it breaks its interface.
    """
    if found is None:
        raise Dropped("not found")
    if not isinstance(found, cvataa.TrackableShape):
        raise FunctionError(
            f"function output an object of type {type(found).__name__!r} (expected 'TrackableShape' or None)"
        )
    if found.type != shape_type:
        raise FunctionError(
            f"function output shape of type {found.type!r}, but original shape was of type {shape_type!r}"
        )
    points = _numbers(found.points)
    if shape_type == "mask":
        return _mask_points(points, size)
    if shape_type == "skeleton":
        return []
    return geometry.repair(shape_type, points, 0.0, size)[0]


def check_mask(shape: cvataa.TrackableShape, field: str, size: Size) -> None:
    """RequestError for a mask that cvat-sdk could not decode on an image of `size`: a few numbers from a
    stranger must not make the function allocate gigabytes."""
    if shape.type != "mask":
        return
    *runs, x1, y1, x2, y2 = shape.points
    fits = 0 <= x1 <= x2 < size[0] and 0 <= y1 <= y2 < size[1] and min(runs) >= 0
    whole = all(number.is_integer() for number in shape.points)
    if not fits or not whole or sum(runs) != (x2 - x1 + 1) * (y2 - y1 + 1):
        raise RequestError("a mask's runs fill its box, and its box lies in the image", field=f"{field}.points")


def _check_type(shape_type: str, supported: frozenset[str], field: str) -> None:
    if shape_type not in supported:
        raise RequestError(f"Unsupported shape type {shape_type!r}", field=field)


def _numbers(points: Sequence[Any]) -> list[float]:
    try:
        return [float(number) for number in points]
    except (TypeError, ValueError, OverflowError):
        raise FunctionError("function output shape with points that are not numbers") from None


def _mask_points(points: list[float], size: Size) -> list[float]:
    from aa_runtime import masks  # OpenCV, which only masks need

    return list(map(float, masks.encode(masks.decode(points, size))))


def _shape_json(track: Track) -> str:
    """As CVAT wrote the object's shape when tracking began."""
    points = json.dumps(track.points, allow_nan=False)
    return f'{{"type":"{track.shape_type}","points":{points}}}' if track.typed else points


def _written(answers: list[Answer]) -> str:
    # Tokens hold no character that JSON escapes; `json.dumps` would take longer than making them did.
    states = ",".join("null" if answer.state is None else f'"{answer.state}"' for answer in answers)
    return f'{{"shapes":[{",".join(answer.shape for answer in answers)}],"states":[{states}]}}'
