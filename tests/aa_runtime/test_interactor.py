import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import numpy as np
import PIL.Image
import pytest
from cvat_sdk import models
from cvat_sdk.masks import decode_mask, encode_mask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aa_runtime import geometry, masks
from aa_runtime.interactor import Found, mask_answer, shapes_answer
from cvat_nuclio.cvat import Generation
from cvat_nuclio.cvat.interactor_answer import browser_accepts

BITMAP = np.zeros((80, 100), bool)
BITMAP[10:14, 20:25] = True
RUNS = encode_mask(BITMAP)
Call = Callable[..., Any]


def result(points: Any = RUNS, type: str = "mask", confidence: str | None = None) -> cvataa.InteractionResultShape:
    attributes = [] if confidence is None else [models.AttributeValRequest(spec_id=0, value=confidence)]
    return cvataa.InteractionResultShape(type=type, points=points, attributes=attributes)


@pytest.fixture
def interactor() -> Call:
    """Makes an interaction function that answers `found`: `interactor(found, preprocess=None, **spec)`."""

    def make(found: Any, preprocess: Call | None = None, **spec: Any) -> SimpleNamespace:
        function = SimpleNamespace(
            spec=cvataa.InteractionFunctionSpec(**({"min_pos_points": 1} | spec)), calls=[], preprocessed=[]
        )

        def detect(context: Any, pp_image: Any, prompts: Any) -> Any:
            function.calls.append((context, pp_image, prompts))
            return found() if callable(found) else found

        def preprocess_image(context: Any, image: PIL.Image.Image) -> Any:
            assert isinstance(context, cvataa.InteractionFunctionContext)
            function.preprocessed.append(image)
            return preprocess(image) if preprocess else None

        function.detect = detect
        if preprocess is not None:
            function.preprocess_image = preprocess_image
        return function

    return make


def click(picture: str, **fields: Any) -> dict[str, Any]:
    return {"image": picture, "pos_points": [[5, 6.5]], "neg_points": [], "obj_bbox": None} | fields


def test_answers_shapes_as_cvats_agent_does(worker: Call, interactor: Call, picture: str) -> None:
    shapes = [result(confidence="0.93"), result()]
    status, body = worker(interactor(shapes)).post(click(picture))
    assert status == 200
    assert body == {
        "shapes": [
            {"type": "mask", "points": RUNS, "attributes": [{"spec_id": 0, "value": "0.93"}]},
            {"type": "mask", "points": RUNS, "attributes": []},
        ]
    }
    assert type(body["shapes"][0]["attributes"][0]["spec_id"]) is int


def test_answers_one_full_mask_for_older_uis(worker: Call, interactor: Call, picture: str) -> None:
    status, body = worker(interactor([result()]), interactor_answer="mask").post(click(picture))
    assert status == 200
    assert set(body) == {"mask", "points"}
    assert np.array_equal(body["mask"], BITMAP.astype(int))
    assert sorted(map(tuple, body["points"])) == [(20, 10), (20, 13), (24, 10), (24, 13)]


@pytest.mark.parametrize("found", [[], [result([8000, 0, 0, 99, 79])], [result([0, 4, 200, 200, 201, 201])]])
def test_nothing_found(worker: Call, interactor: Call, picture: str, found: list[Any]) -> None:
    assert worker(interactor(found)).post(click(picture)) == (200, {"shapes": []})
    status, body = worker(interactor(found), interactor_answer="mask").post(click(picture))
    assert status == 200
    assert body == {"mask": [[0] * 100] * 80, "points": []}


def test_of_alternatives_the_surest_is_the_mask(worker: Call, interactor: Call, picture: str) -> None:
    other = encode_mask(np.roll(BITMAP, 40, axis=0))
    shapes = [result(other, confidence="0.3"), result(confidence="0.9"), result(other)]
    _, body = worker(interactor(shapes), interactor_answer="mask").post(click(picture))
    assert np.array_equal(body["mask"], BITMAP.astype(int))


def test_objects_without_confidence_are_one_mask(worker: Call, interactor: Call, picture: str) -> None:
    shifted = np.roll(BITMAP, 40, axis=0)
    shapes = [result(), result(encode_mask(shifted))]
    _, body = worker(interactor(shapes), interactor_answer="mask").post(click(picture))
    assert np.array_equal(body["mask"], (BITMAP | shifted).astype(int))


@pytest.mark.parametrize(
    ("type_", "points"), [("rectangle", [25, 14, 20, 10]), ("polygon", [20, 10, 25, 10, 25, 14, 20, 14])]
)
def test_boxes_and_polygons_can_be_a_mask(
    worker: Call, interactor: Call, picture: str, type_: str, points: list[float]
) -> None:
    _, body = worker(interactor([result(points, type_)]), interactor_answer="mask").post(click(picture))
    mask = np.array(body["mask"], bool)
    assert mask[BITMAP].all()
    assert mask.sum() <= 6 * 5


def test_other_shapes_pass_as_they_are(worker: Call, interactor: Call, picture: str) -> None:
    shapes = [result([20.0, 10, 25, 14], "rectangle"), result([5.0, 5], "points")]
    driver = worker(interactor(shapes))
    _, body = driver.post(click(picture))
    assert [(shape["type"], shape["points"]) for shape in body["shapes"]] == [
        ("rectangle", [20, 10, 25, 14]),
        ("points", [5, 5]),
    ]
    assert driver.log[-1]["message"].endswith("this answer's: points, rectangle")
    status, body = worker(interactor(shapes), interactor_answer="mask").post(click(picture))
    assert status == 500
    assert "'points', which cannot be answered as a mask" in body["error"]["message"]


@pytest.mark.parametrize("value", ["1.0000001", "1", "2.5"])
def test_confidence_stays_within_one(worker: Call, interactor: Call, picture: str, value: str) -> None:
    _, body = worker(interactor([result(confidence=value)])).post(click(picture))
    assert body["shapes"][0]["attributes"] == [{"spec_id": 0, "value": "1"}]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "'NoneType'"),
        ([None], "'NoneType'"),
        ([{"type": "mask", "points": RUNS}], "'dict'"),
        ([result([5, 0, 0, 1, 1])], "does not match"),
        ([result([1, 2])], "too few"),
        ([result([], "skeleton")], "'skeleton'"),
        ([result([], "blob")], "'blob'"),
        ([result(confidence="sure")], "confidence"),
        ([result(confidence="nan")], "confidence"),
    ],
)
def test_what_breaks_the_interface_is_a_500(
    worker: Call, interactor: Call, picture: str, found: Any, words: str
) -> None:
    status, body = worker(interactor(found)).post(click(picture))
    assert status == 500
    assert words in body["error"]["message"]


def test_the_function_gets_tuples_in_cvat_sdks_class(worker: Call, interactor: Call, picture: str) -> None:
    function = interactor([], min_neg_points=0, min_bounding_boxes=0)
    body = click(picture, pos_points=[[1, 2], [3.5, -4]], neg_points=[[5, 6]], obj_bbox=[[30, 40], [10, 20]])
    assert worker(function).post(body)[0] == 200
    ((context, image, prompts),) = function.calls
    assert isinstance(context, cvataa.InteractionFunctionContext)
    assert isinstance(prompts, cvataa.InteractionPrompts)
    assert isinstance(image, PIL.Image.Image)
    assert (prompts.pos_points, prompts.neg_points) == (((1, 2), (3.5, -4)), ((5, 6),))
    assert prompts.bounding_box == ((10, 20), (30, 40))


@pytest.mark.parametrize(
    ("spec", "fields", "field", "words"),
    [
        ({"min_pos_points": 2}, {}, "pos_points", "not enough positive points"),
        ({}, {"neg_points": [[1, 2]]}, "neg_points", "negative points are not supported"),
        ({"min_neg_points": 1}, {}, "neg_points", "not enough negative points"),
        ({}, {"obj_bbox": [[1, 2], [3, 4]]}, "obj_bbox", "bounding boxes are not supported"),
        ({"min_bounding_boxes": 1}, {"obj_bbox": []}, "obj_bbox", "a bounding box is required"),
    ],
)
def test_refuses_prompts_in_the_words_of_cvats_agent(
    worker: Call, interactor: Call, picture: str, spec: Any, fields: Any, field: str, words: str
) -> None:
    function = interactor([], **spec)
    status, body = worker(function).post(click(picture, **fields))
    assert status == 400
    assert body["error"] == {"type": "request", "field": field, "message": words}
    assert not function.calls


@pytest.mark.parametrize("box", [None, []])
def test_an_optional_box_may_be_missing(worker: Call, interactor: Call, picture: str, box: Any) -> None:
    function = interactor([], min_pos_points=0, min_neg_points=0, min_bounding_boxes=0)
    assert worker(function).post(click(picture, pos_points=[], obj_bbox=box))[0] == 200
    assert function.calls[0][2].bounding_box is None


def test_preprocesses_an_image_once(worker: Call, interactor: Call, picture: str, encode: Call) -> None:
    function = interactor([], preprocess=lambda image: {"features": np.ones(image.size)})
    driver = worker(function, cache_entries=2)
    other, third = (encode(PIL.Image.new("L", (100, 80), value)) for value in (1, 2))
    for text in (picture, picture, other, picture, third, picture, other):
        assert driver.post(click(text))[0] == 200
    assert len(function.preprocessed) == 4  # `other` went when `third` came, since `picture` was used in between
    assert function.calls[0][1] is function.calls[1][1]


def test_without_preprocessing_the_decoded_image_is_kept(worker: Call, interactor: Call, picture: str) -> None:
    function = interactor([])
    driver = worker(function)
    driver.post(click(picture))
    driver.post(click(picture))
    assert function.calls[0][1] is function.calls[1][1]


def test_keeps_nothing_larger_than_the_cache(worker: Call, interactor: Call, picture: str) -> None:
    function = interactor([], preprocess=lambda image: np.ones(1000))
    driver = worker(function, cache_bytes=1000)
    driver.post(click(picture))
    driver.post(click(picture))
    assert len(function.preprocessed) == 2


def test_out_of_memory_empties_the_cache(worker: Call, interactor: Call, picture: str) -> None:
    failures = iter([False, True, False])

    def found() -> list[Any]:
        if next(failures):
            raise MemoryError
        return [result()]

    function = interactor(found, preprocess=lambda image: np.ones(10))
    driver = worker(function)
    assert [driver.post(click(picture))[0] for _ in range(3)] == [200, 507, 200]
    assert len(function.preprocessed) == 2


@pytest.mark.parametrize("bad", ["", "!!", None, 5])
def test_names_a_bad_image(worker: Call, interactor: Call, bad: Any) -> None:
    status, body = worker(interactor([])).post(click(bad))
    assert status == 400
    assert body["error"]["field"] == "image"


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_both_forms_say_the_same(bitmap: np.ndarray) -> None:
    height, width = bitmap.shape
    found = []
    if bitmap.any():
        found = [
            Found(type="mask", points=[], confidence=None, mask=masks.decode(encode_mask(bitmap), (width, height)))
        ]
    shapes = json.loads(shapes_answer(found))["shapes"]
    full = json.loads(mask_answer(found, (width, height)))
    assert np.array_equal(full["mask"], bitmap.astype(int))
    assert [decode_mask(s["points"], image_width=width, image_height=height).tolist() for s in shapes] == (
        [bitmap.tolist()] if bitmap.any() else []
    )
    assert all(geometry.clamp(x, width) == x and geometry.clamp(y, height) == y for x, y in full["points"])


@pytest.mark.parametrize(
    ("form", "generations"),
    [("shapes", [Generation.G2, Generation.G3]), ("mask", list(Generation))],
)
@pytest.mark.parametrize("found", [[], [result(confidence="0.7")]], ids=["nothing", "one"])
def test_the_browser_shows_what_the_function_found(
    worker: Call, interactor: Call, picture: str, form: str, generations: list[Generation], found: list[Any]
) -> None:
    _, body = worker(interactor(found), interactor_answer=form).post(click(picture))
    for generation in generations:
        shown, dropped = browser_accepts(body, 100, 80, generation)
        assert len(shown) == len(found)
        assert all(np.array_equal(one.bitmap, BITMAP) for one in shown)
        assert all(one.confidence == (0.7 if form == "shapes" else 1) for one in shown)
        assert not [reason for reason in dropped if found]


@pytest.mark.parametrize(
    ("sent", "given"),
    [(["a car", " "], ("a car",)), ("a red car", ("a red car",)), ([], ()), (None, ()), ("", ())],
)
def test_texts_reach_a_function_that_reads_them(
    worker: Call, interactor: Call, picture: str, sent: Any, given: tuple[str, ...]
) -> None:
    function = interactor([])
    assert worker(function).post(click(picture, text_prompts=sent))[0] == 200
    ((_, _, prompts),) = function.calls
    assert prompts.text_prompts == given


@pytest.mark.parametrize(("sent", "status"), [(5, 400), ([5], 400), ({}, 400), (["a"] * 101, 413), ("a" * 1001, 413)])
def test_texts_that_are_none_are_refused(worker: Call, interactor: Call, picture: str, sent: Any, status: int) -> None:
    code, body = worker(interactor([])).post(click(picture, text_prompts=sent))[:2]
    assert code == status
    assert "text_prompts" in str(body)
