"""How CVAT lists a function: Nuclio's function object → `GET /api/lambda/functions`, or the error."""

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ..limits import KINDS
from .generation import NEWEST, Generation
from .rest_errors import INVALID_METADATA, VALIDATION, CvatError, ListingError, unhandled
from .spec import ModelLabel, parse_spec

_CALLABLE_ID = re.compile(r"[a-zA-Z0-9_.-]+")


@attrs.frozen
class Listed:
    """A function as CVAT lists it.

    `kind` is "unknown" where a G1 server does not know the annotation `type` (later servers hide the function).
    `port` is Nuclio's `status.httpPort`, None where the function has none yet: CVAT lists it all the same, and every
    call fails. `supported_shape_types` is None but for trackers of G2 and later; `typed_shapes` tells whether the
    function itself declared them (then shapes travel as objects, otherwise as flat arrays).
    """

    id: str
    kind: str
    labels: tuple[ModelLabel, ...]
    description: Any
    name: Any
    version: int
    port: int | None
    generation: Generation
    min_pos_points: int = 1
    min_neg_points: int = -1
    startswith_box: bool = False
    startswith_box_optional: bool = False
    help_message: Any = ""
    animated_gif: Any = ""
    supported_shape_types: tuple[str, ...] | None = None
    typed_shapes: bool = False

    @property
    def callable(self) -> bool:
        """Whether CVAT's URLs can name the function; others are listed and answer 404 when called."""
        return _CALLABLE_ID.fullmatch(self.id) is not None

    def to_dict(self) -> dict[str, Any]:
        """The REST answer of this generation."""
        body: dict[str, Any] = {
            "id": self.id,
            "kind": self.kind,
            "labels_v2": [label.to_dict() for label in self.labels],
            "description": self.description,
            "name": self.name,
            "version": self.version,
        }
        if self.kind == "interactor":
            keys = ["min_pos_points", "min_neg_points", "startswith_box"]
            keys += [] if self.generation is Generation.G1 else ["startswith_box_optional"]
            body |= {key: getattr(self, key) for key in [*keys, "help_message", "animated_gif"]}
        if self.kind == "tracker" and self.supported_shape_types is not None:
            body["supported_shape_types"] = list(self.supported_shape_types)
        return body


def list_function(raw: Mapping[str, Any], generation: Generation = NEWEST) -> Listed:
    """Reads Nuclio's function object (`metadata`, `spec`, `status`) as a CVAT server of `generation` does.

    Raises `ListingError`, whose `breaks_list` tells whether the whole list of functions fails with it. CVAT looks
    neither at `status.state` nor at the values of attributes, label types or shape types.
    """
    with unhandled(lambda name, text: ListingError(name, text, 500, breaks_list=True, handled=False)):
        return _read(raw, generation)


def list_functions(answer: Any, generation: Generation = NEWEST) -> list[Listed]:
    """The whole list, from Nuclio's `GET /api/functions` (an object; its keys are not used).

    Raises `ListingError` for the first function that breaks the list; functions that CVAT hides are left out.
    """
    with unhandled():
        functions = list(answer.values())
    listed = []
    for function in functions:
        try:
            listed.append(list_function(function, generation))
        except ListingError as error:
            if error.breaks_list:
                raise
    return listed


def retrieve_function(raw: Mapping[str, Any], generation: Generation = NEWEST) -> Listed:
    """`GET /api/lambda/functions/<id>`, which is also CVAT's first step of every call."""
    listed = list_function(raw, generation)
    if not listed.callable:
        raise CvatError(None, None, 404)
    return listed


def _read(raw: Mapping[str, Any], generation: Generation) -> Listed:
    function_id = raw["metadata"]["name"]
    annotations = raw["metadata"]["annotations"]

    def not_unique(what: str) -> ListingError:
        return _refused(f"{function_id} lambda function has non-unique {what}", generation)

    kind = _kind(function_id, annotations.get("type"), generation)
    labels = parse_spec(annotations.get("spec"), generation, not_unique)
    listed = Listed(
        id=function_id,
        kind=kind,
        labels=labels,
        # In CVAT's order, so that the first of several faults is the one told.
        description=raw["spec"]["description"],
        port=raw["status"].get("httpPort"),
        name=annotations.get("name", function_id),
        min_pos_points=int(annotations.get("min_pos_points", 1)),
        min_neg_points=int(annotations.get("min_neg_points", -1)),
        startswith_box=bool(annotations.get("startswith_box", False)),
        startswith_box_optional=bool(annotations.get("startswith_box_optional", False)),
        animated_gif=annotations.get("animated_gif", ""),
        version=int(annotations.get("version", "1")),
        help_message=annotations.get("help_message", ""),
        generation=generation,
    )
    shape_types = _shape_types(function_id, annotations, generation)
    typed = shape_types is not None and "supported_shape_types" in annotations
    return attrs.evolve(listed, supported_shape_types=shape_types, typed_shapes=typed)


def _kind(function_id: str, declared: Any, generation: Generation) -> str:
    if declared in KINDS:
        return str(declared)
    if generation is Generation.G1:
        return "unknown"
    raise _refused(f"{function_id} lambda function has unknown type: {declared!r}", generation)


def _shape_types(function_id: str, annotations: Mapping[str, Any], generation: Generation) -> tuple[str, ...] | None:
    """Present but empty is refused, even on a detector; absent means a tracker of rectangles as flat arrays."""
    if generation is Generation.G1:
        return None
    if "supported_shape_types" not in annotations:
        return ("rectangle",)
    declared = annotations["supported_shape_types"].split(",")
    types = tuple(shape_type.strip() for shape_type in declared if shape_type.strip())
    if not types:
        raise _refused(f"'{function_id}' lambda function has no supported shape types", generation)
    return types


def _refused(message: str, generation: Generation) -> ListingError:
    """CVAT's own refusal: G1 fails the whole list with it, later servers hide the function."""
    if generation is Generation.G1:
        return ListingError(VALIDATION, message, 404, breaks_list=True, handled=True)
    return ListingError(INVALID_METADATA, message, 500, breaks_list=False, handled=False)
