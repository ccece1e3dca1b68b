"""Whatever a detector finds, every generation of CVAT's server stores it whole, or nothing of it was sent."""

import io
import json
import math
from types import SimpleNamespace
from typing import Any

import attrs
import cvat_sdk.auto_annotation as cvataa
import nuclio_sdk
import numpy as np
import PIL.Image
import pytest
from cvat_sdk import models
from cvat_sdk.masks import decode_mask, encode_mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aa_runtime import Handler, Options
from cvat_nuclio.cvat import Generation, Server, Task, labels_from_spec, list_function
from cvat_nuclio.cvat.job import Job, run_job
from cvat_nuclio.cvat.storage import Store

WIDTH, HEIGHT = 40, 30
ATTRIBUTES = [
    cvataa.number_attribute_spec("age", 1, ["0", "100", "5"]),
    cvataa.checkbox_attribute_spec("smile", 2),
    cvataa.select_attribute_spec("mood", 3, ["happy", "sad"]),
    cvataa.text_attribute_spec("note", 4),
]
LABELS = [
    cvataa.label_spec("thing", 1, attributes=ATTRIBUTES),
    cvataa.skeleton_label_spec("sk", 2, [cvataa.keypoint_spec("nose", 1), cvataa.keypoint_spec("tail", 2)]),
    cvataa.label_spec("scene", 3, type="tag"),
]
# The same as `metadata.annotations.spec`.
SPEC: list[dict[str, Any]] = [
    {
        "name": "thing",
        "attributes": [
            {"name": "age", "input_type": "number", "values": ["0", "100", "5"]},
            {"name": "smile", "input_type": "checkbox", "values": ["false"]},
            {"name": "mood", "input_type": "select", "values": ["happy", "sad"]},
            {"name": "note", "input_type": "text", "values": []},
        ],
    },
    {
        "name": "sk",
        "type": "skeleton",
        "svg": "",
        "sublabels": [{"name": name, "type": "points", "attributes": []} for name in ("nose", "tail")],
    },
    {"name": "scene", "type": "tag"},
]


def image_bytes() -> bytes:
    stream = io.BytesIO()
    PIL.Image.new("L", (WIDTH, HEIGHT)).save(stream, "PNG")
    return stream.getvalue()


IMAGE = image_bytes()

coordinate = st.one_of(
    st.floats(-20, 60, width=32),
    st.floats(0, 30).map(round).map(float),
    st.floats(allow_nan=True, allow_infinity=True),
)
attribute_values = st.one_of(
    st.tuples(st.just(1), st.integers(0, 20).map(lambda n: str(5 * n)) | st.just("5.0")),
    st.tuples(st.just(2), st.sampled_from(["true", "false", "True", "FALSE"])),
    st.tuples(st.just(3), st.sampled_from(["happy", "sad"])),
    st.tuples(st.just(4), st.text(max_size=30)),
)
common = st.fixed_dictionaries(
    {},
    optional={
        "rotation": st.floats(0, 360),
        "group": st.none() | st.integers(0, 2**40),
        "score": st.floats(0, 1),
        "outside": st.booleans(),
        "occluded": st.booleans(),
        "attributes": st.lists(attribute_values, max_size=4, unique_by=lambda pair: pair[0]).map(
            lambda pairs: [models.AttributeValRequest(spec_id=k, value=v) for k, v in pairs]
        ),
    },
)


@st.composite
def shapes(draw: st.DrawFn) -> Any:
    shape_type = draw(st.sampled_from(["rectangle", "ellipse", "cuboid", "polygon", "polyline", "points"]))
    count = {"rectangle": 4, "ellipse": 4, "cuboid": 16}.get(shape_type) or 2 * draw(st.integers(1, 7))
    points = draw(st.lists(coordinate, min_size=count, max_size=count))
    return cvataa.shape(1, type=shape_type, points=points, **draw(common))


@st.composite
def masks(draw: st.DrawFn) -> Any:
    bitmap = draw(hnp.arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8))))
    left, top = draw(st.integers(-9, WIDTH + 2)), draw(st.integers(-9, HEIGHT + 2))
    rows, columns = bitmap.shape
    runs = encode_mask(bitmap, [0, 0, columns, rows])[:-4]
    return cvataa.mask(1, [*runs, left, top, left + columns - 1, top + rows - 1], **draw(common))


@st.composite
def skeletons(draw: st.DrawFn) -> Any:
    elements = [cvataa.keypoint(i, [draw(coordinate), draw(coordinate)], outside=draw(st.booleans())) for i in (1, 2)]
    return cvataa.skeleton(2, elements, **(draw(common) | {"attributes": []}))


annotations = st.lists(st.one_of(shapes(), masks(), skeletons(), st.just(3).map(cvataa.tag)), max_size=5)


@attrs.define
class Direct:
    """Calls the handler in this process, with the JSON of both directions checked."""

    handler: Handler
    sent: list[Any] = attrs.field(factory=list)

    def invoke(self, function: Any, payload: Any) -> Any:
        response = self.handler.handle(None, nuclio_sdk.Event(body=json.loads(json.dumps(payload))))
        assert response.status_code == 200, response.body
        self.sent = json.loads(response.body, parse_constant=pytest.fail)
        return self.sent


def annotate(found: list[Any], generation: Generation, **fields: Any) -> tuple[Job, Server]:
    quiet = SimpleNamespace(**{level: lambda *_: None for level in ("debug", "info", "warn", "error")})
    function = SimpleNamespace(spec=cvataa.DetectionFunctionSpec(labels=LABELS), detect=lambda *_: found)
    listed = list_function(
        {
            "metadata": {"name": "f", "annotations": {"type": "detector", "spec": json.dumps(SPEC)}},
            "spec": {"description": "a function"},
            "status": {"httpPort": 1},
        },
        generation,
    )
    task = Task.of(labels_from_spec(listed.labels), [IMAGE])
    server = Server(generation, Direct(Handler(function, Options(), quiet)))
    # A mapping by equal names, as the UI sends it: G1 cannot do without when a label has attributes.
    mapping: dict[str, Any] = {
        label["name"]: {
            "name": label["name"],
            "attributes": {a["name"]: a["name"] for a in label.get("attributes", [])},
            **(
                {"sublabels": {s["name"]: {"name": s["name"], "attributes": {}} for s in label["sublabels"]}}
                if "sublabels" in label
                else {}
            ),
        }
        for label in SPEC
    }
    return run_job(server, listed, Store(task), {"mapping": mapping} | fields), server


@pytest.mark.parametrize("to_polygons", [False, True])
@pytest.mark.parametrize("generation", list(Generation))
@given(found=annotations)
def test_the_server_stores_everything_that_is_sent(generation: Generation, to_polygons: bool, found: list[Any]) -> None:
    job, server = annotate(found, generation, conv_mask_to_poly=to_polygons)
    assert job.error is None
    assert server.drops.found == []
    stored = job.stored["shapes"]
    sent = server.invoker.sent  # type: ignore[attr-defined]
    assert len(stored) + len(job.stored["tags"]) == len(sent)
    for shape in stored:
        assert all(math.isfinite(value) for value in shape["points"])
        assert 0 <= shape["rotation"] <= 360
        if shape["type"] == "mask":
            mask = decode_mask([float(v) for v in shape["points"]], image_width=WIDTH, image_height=HEIGHT)
            assert mask.any()
    groups = {shape["group"] for shape in stored if shape["group"]}
    assert groups == set(range(1, len(groups) + 1))


@pytest.mark.parametrize("generation", list(Generation))
@given(found=st.lists(masks(), min_size=1, max_size=3))
def test_masks_are_stored_pixel_for_pixel(generation: Generation, found: list[Any]) -> None:
    job, _ = annotate(found, generation)
    expected = []
    for annotation in found:
        x1, y1, x2, y2 = (int(value) for value in annotation.points[-4:])
        canvas = np.zeros((HEIGHT + 40, WIDTH + 40), bool)
        crop = decode_mask([*annotation.points[:-4], 0, 0, x2 - x1, y2 - y1], image_width=8, image_height=8)
        canvas[y1 + 20 : y1 + 28, x1 + 20 : x1 + 28] |= crop
        inside = canvas[20 : 20 + HEIGHT, 20 : 20 + WIDTH]
        if inside.any():
            expected.append(inside)
    stored = [
        decode_mask([float(v) for v in shape["points"]], image_width=WIDTH, image_height=HEIGHT)
        for shape in job.stored["shapes"]
    ]
    assert len(stored) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(stored, expected, strict=True))
