"""The segmentation networks, interactors and trackers of `cvat_functions`, each architecture with small random weights,
beside transformers' own pipelines and processors; a tracker beside a session that keeps every frame."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.auto_annotation import TrackableShape
from cvat_sdk.masks import decode_mask, encode_mask

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("timm")

from tools import tiny_networks  # noqa: E402

SEMANTIC = ("segformer", "upernet", "beit", "dpt", "mobilevit")
UNIVERSAL = ("mask2former", "maskformer")


def bitmap(shape: Any, image: PIL.Image.Image) -> np.ndarray:
    return decode_mask(shape.points, image_width=image.width, image_height=image.height)


def as_set(masks: Any) -> set[tuple[str, bytes]]:
    return {(name, np.packbits(np.asarray(mask) > 0).tobytes()) for name, mask in masks}


@pytest.mark.parametrize(
    ("name", "task"),
    [
        *((name, "semantic") for name in SEMANTIC),
        *((name, task) for name in UNIVERSAL for task in ("panoptic", "semantic")),
    ],
)
def test_regions_are_the_pipeline_s(
    name: str, task: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    tiny_networks.save("transformers_segmentation", name, tmp_path)
    found = transformers.pipeline("image-segmentation", model=str(tmp_path))(small, subtask=task, threshold=0.1)
    segmenter = function("transformers_segmentation", tmp_path, task=None if name in SEMANTIC else task)
    names = {label.id: label.name for label in segmenter.spec.labels}
    shapes = segmenter.detect(detection(conf_threshold=0.1), small)
    assert as_set((names[s.label_id], bitmap(s, small)) for s in shapes) == as_set(
        (f["label"], f["mask"]) for f in found
    )
    assert shapes


@pytest.mark.parametrize("name", ["mask2former", "maskformer", "eomt", "eomt_dinov3"])
def test_instances_are_as_the_library_decodes_them(
    name: str, tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    model = tiny_networks.save("transformers_segmentation", name, tmp_path)
    segmenter = function("transformers_segmentation", tmp_path)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    with torch.inference_mode():
        answer = model(**processor(images=small, return_tensors="pt"))
    wanted = processor.post_process_instance_segmentation(answer, threshold=0.0, target_sizes=[small.size[::-1]])[0]
    scores = sorted(info["score"] for info in wanted["segments_info"])
    threshold = (scores[len(scores) // 2] + scores[len(scores) // 2 - 1]) / 2
    shapes = segmenter.detect(detection(conf_threshold=threshold), small)
    labels = sorted(info["label_id"] for info in wanted["segments_info"] if info["score"] >= threshold)
    assert sorted(shape.label_id for shape in shapes) == labels
    # Instances may overlap: together they cover what the library's map of one number a pixel covers.
    together = np.any([bitmap(shape, small) for shape in shapes], axis=0)
    of_map = np.isin(
        wanted["segmentation"].numpy(), [i["id"] for i in wanted["segments_info"] if i["score"] >= threshold]
    )
    assert (of_map <= together).all()
    assert together.any()


def test_a_network_that_sees_a_picture_in_parts_finds_regions(
    tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    """EoMT's for regions, whatever its folder is called; its instances could not be decoded."""
    model = tiny_networks.save("transformers_segmentation", "eomt", tmp_path)
    file = tmp_path / "preprocessor_config.json"
    settings = {**json.loads(file.read_text()), "do_split_image": True, "do_pad": False}
    file.write_text(json.dumps({**settings, "size": {"shortest_edge": 64, "longest_edge": None}}))
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    inputs = processor(images=small, return_tensors="pt")
    assert len(inputs["pixel_values"]) > 1
    with torch.inference_mode():
        answer = model(**inputs)
    (wanted,) = processor.post_process_semantic_segmentation(answer, target_sizes=[small.size[::-1]])
    shapes = function("transformers_segmentation", tmp_path).detect(detection(), small)
    assert {shape.label_id for shape in shapes} == set(wanted.unique().tolist())
    for shape in shapes:
        assert (bitmap(shape, small) == (wanted.numpy() == shape.label_id)).all()


def test_rf_detr_s_instances_are_decoded_one_by_one(
    tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    """Decoded here from the logits: every query and class that is sure enough, with the whole of its mask."""
    model = tiny_networks.save("transformers_segmentation", "rf_detr_segmentation", tmp_path)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    with torch.inference_mode():
        answer = model(**processor(images=small, return_tensors="pt"))
        sizes = torch.nn.functional.interpolate(answer.pred_masks, small.size[::-1], mode="bilinear")[0] > 0
    sure = answer.logits[0].sigmoid().numpy()
    # The library asks as many pairs of query and class as there are queries.
    threshold = float(np.sort(sure.ravel())[-6])
    wanted = {(int(label), sizes[query].numpy().tobytes()) for query, label in np.argwhere(sure > threshold)}
    segmenter = function("transformers_segmentation", tmp_path)
    shapes = segmenter.detect(detection(conf_threshold=threshold), small)
    assert {(shape.label_id, bitmap(shape, small).tobytes()) for shape in shapes} == wanted
    assert len(wanted) == 5


def test_masks_become_polygons_where_they_are_asked_for(
    tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image
) -> None:
    tiny_networks.save("transformers_segmentation", "segformer", tmp_path)
    segmenter = function("transformers_segmentation", tmp_path)
    shapes = segmenter.detect(detection(conv_mask_to_poly=True), small)
    assert {str(shape.type) for shape in shapes} == {"polygon"}
    with pytest.raises(ValueError, match="instance, panoptic, semantic"):
        function("transformers_segmentation", tmp_path, task="boxes")


def test_sam3_masks_are_the_library_s(tmp_path: Path, function: Any, detection: Any, small: PIL.Image.Image) -> None:
    """The picture is encoded once here, and together with each phrase there."""
    model = tiny_networks.save("transformers_sam3", "sam3", tmp_path)
    processor = transformers.AutoProcessor.from_pretrained(tmp_path)
    segmenter = function("transformers_sam3", tmp_path, labels="cat; red hat")
    wanted = set()
    for word in ("cat", "red hat"):
        with torch.inference_mode():
            answer = model(**processor(images=small, text=word, return_tensors="pt"))
        found = processor.post_process_instance_segmentation(answer, threshold=0.2, target_sizes=[small.size[::-1]])[0]
        wanted |= as_set((word, mask) for mask in found["masks"].numpy() if mask.any())
    names = {label.id: label.name for label in segmenter.spec.labels}
    shapes = segmenter.detect(detection(conf_threshold=0.2), small)
    assert as_set((names[shape.label_id], bitmap(shape, small)) for shape in shapes) == wanted
    assert wanted


CLICKS: dict[str, dict[str, Any]] = {
    "one click": {"pos_points": [(70.0, 30.0)]},
    "clicks": {"pos_points": [(70.0, 30.0), (80.0, 35.0)], "neg_points": [(5.0, 5.0)]},
    "a box from its far corner": {"bounding_box": ((120.0, 60.0), (30.0, 10.0))},
    "a box and a click": {"bounding_box": ((30.0, 10.0), (120.0, 60.0)), "pos_points": [(70.0, 30.0)]},
}


@pytest.mark.parametrize("clicked", CLICKS)
@pytest.mark.parametrize("name", tiny_networks.families()["transformers_sam"])
def test_clicks_cut_out_what_the_library_cuts_out(
    name: str, clicked: str, tmp_path: Path, function: Any, prompts: Any, small: PIL.Image.Image
) -> None:
    """The library's way: picture and prompts in one call of processor and network."""
    model = tiny_networks.save("transformers_sam", name, tmp_path)
    processor = tiny_networks.parts("transformers_sam", name)[2]
    given = prompts(**CLICKS[clicked])
    asked: dict[str, Any] = {}
    if points := [*given.pos_points, *given.neg_points]:
        asked["input_points"] = [[[list(point) for point in points]]]
        asked["input_labels"] = [[[1] * len(given.pos_points) + [0] * len(given.neg_points)]]
    if given.bounding_box:
        asked["input_boxes"] = [[[float(v) for v in np.sort(given.bounding_box, axis=0).ravel()]]]
    inputs = processor(images=small, return_tensors="pt", **asked)
    known = ("pixel_values", "input_points", "input_labels", "input_boxes")
    single = clicked == "one click"
    with torch.inference_mode():
        cast = {
            key: value.float() if value.is_floating_point() else value for key, value in inputs.items() if key in known
        }
        answer = model(**cast, multimask_output=single)
    sizes = [inputs[key] for key in ("original_sizes", "reshaped_input_sizes") if key in inputs]
    masks = processor.post_process_masks(answer.pred_masks, *sizes)[0][0]
    wanted = masks[int(answer.iou_scores[0, 0].argmax())].numpy()
    interactor = function("transformers_sam", tmp_path)
    embedded = interactor.preprocess_image(None, small)
    for _ in range(2):  # what is kept of the picture serves again
        shapes = interactor.detect(None, embedded, given)
        got = bitmap(shapes[0], small) if shapes else wanted * False
        assert (got == wanted).mean() > 0.999
    assert 0 < wanted.sum() < wanted.size
    assert interactor.detect(None, embedded, prompts(neg_points=[(1.0, 1.0)])) == []


def session_masks(model: Any, kind: Any, processor: Any, frames: list[PIL.Image.Image], mask: Any) -> list[np.ndarray]:
    """transformers' own tracking, in one session that keeps everything."""
    width, height = frames[0].size
    session = kind(video_height=height, video_width=width, dtype=torch.float32)
    session.obj_id_to_idx(0)
    session.add_mask_inputs(0, 0, mask)
    session.obj_with_new_inputs.append(0)
    found = []
    for number, frame in enumerate(frames):
        batch = processor(images=frame, return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            answer = model(inference_session=session, frame=batch[0], frame_idx=number)
        masks = torch.nn.functional.interpolate(answer.pred_masks, (height, width), mode="bilinear")
        found.append((masks[0, 0] > 0).numpy())
    return found


@pytest.mark.parametrize("name", tiny_networks.families()["transformers_sam_video"])
def test_a_mask_is_followed_as_by_a_session_that_keeps_everything(
    name: str, tmp_path: Path, function: Any, tracked: Any
) -> None:
    model = tiny_networks.save("transformers_sam_video", name, tmp_path)
    noise = np.random.default_rng(0).integers(0, 255, (4, 8, 3), np.uint8)
    frames = [
        PIL.Image.fromarray(np.roll(noise, step, 1)).resize((160, 80), PIL.Image.Resampling.BICUBIC)
        for step in range(12)
    ]
    tracker = function("transformers_sam_video", tmp_path)
    first = np.zeros((80, 160), bool)
    first[20:60, 40:90] = True
    context = tracked("mask")
    start = TrackableShape(type="mask", points=encode_mask(first))
    state = tracker.init_tracking_state(context, tracker.preprocess_image(context, frames[0]), start)
    session = type(tracker._session(tracker.preprocess_image(context, frames[0]), 0))
    square = tracker._squared(first)
    wanted = session_masks(model, session, tracker._processor, frames, square)
    sizes = []
    for frame, expected in zip(frames[1:], wanted[1:], strict=True):
        shape = tracker.track(context, tracker.preprocess_image(context, frame), state)
        got = expected & False if shape is None else bitmap(shape, frame)
        # What is remembered is rounded to a byte a value, which moves a border here and there.
        assert (got == expected).mean() > 0.95
        sizes.append(sum(memory.values.size for memory in (state.first, *state.recent.values())))
    assert sizes[6] == sizes[-1]  # bounded
    assert 0 < np.mean(wanted) < 1


@pytest.mark.parametrize("kind", ["polygon", "rectangle"])
@pytest.mark.parametrize("name", tiny_networks.families()["transformers_sam_video"])
def test_states_travel_for_every_shape(
    name: str, kind: str, tmp_path: Path, function: Any, small: PIL.Image.Image, tracked: Any, ask: Any
) -> None:
    """Each request gets nothing but the last answer, as from CVAT; the result is that of one process that remembers."""
    tiny_networks.save("transformers_sam_video", name, tmp_path)
    tracker = function("transformers_sam_video", tmp_path)
    points = [30.0, 10.0, 120.0, 60.0] if kind == "rectangle" else [30.0, 10.0, 120.0, 20.0, 70.0, 70.0]
    context = tracked(kind)
    seen = tracker.preprocess_image(context, small)
    kept = tracker.init_tracking_state(context, seen, TrackableShape(type=kind, points=points))
    states = ask(tracker, image=small, shapes=[{"type": kind, "points": points}], states=[])["states"]
    for _ in range(3):
        wanted = tracker.track(context, seen, kept)
        answer = ask(tracker, image=small, shapes=[None], states=states)
        states = answer["states"]
        assert wanted is not None
        assert answer["shapes"][0]["type"] == kind
        np.testing.assert_allclose(answer["shapes"][0]["points"], wanted.points, atol=1)


def test_a_network_that_follows_nothing_is_refused(tmp_path: Path, function: Any) -> None:
    tiny_networks.save("transformers_sam", "sam", tmp_path)
    with pytest.raises(ValueError, match="follows nothing"):
        function("transformers_sam_video", tmp_path)


@pytest.mark.parametrize("asked", [{"text_prompts": ["cat", "red hat"]}, {"obj_bbox": [[120, 60], [30, 10]]}])
def test_texts_and_a_box_find_what_the_library_finds(
    asked: dict[str, Any], tmp_path: Path, function: Any, ask: Any, small: PIL.Image.Image
) -> None:
    """Through the whole runtime, as CVAT's server asks."""
    model = tiny_networks.save("transformers_sam3", "sam3", tmp_path)
    processor = transformers.AutoProcessor.from_pretrained(tmp_path)
    interactor = function("transformers_sam3_text", tmp_path, confidence=0.2)
    body = {"pos_points": [], "neg_points": [], "obj_bbox": [], **asked}
    shapes = ask(interactor, image=small, **body)["shapes"]
    wanted = set()
    for text in asked.get("text_prompts", ["visual"]):
        boxes = {"input_boxes": [[[30, 10, 120, 60]]], "input_boxes_labels": [[1]]} if "obj_bbox" in asked else {}
        inputs = processor(images=small, text=text, return_tensors="pt", **boxes)
        inputs.pop("original_sizes", None)
        with torch.inference_mode():
            answer = model(**inputs)
        found = processor.post_process_instance_segmentation(answer, threshold=0.2, target_sizes=[small.size[::-1]])[0]
        for mask, score in zip(found["masks"], found["scores"], strict=True):
            if mask.any():
                wanted.add((tuple(encode_mask(mask.numpy() > 0)), f"{float(score):.3f}"))
    got = {(tuple(shape["points"]), f"{float(shape['attributes'][0]['value']):.3f}") for shape in shapes}
    assert got == wanted
    assert wanted
    assert ask(interactor, image=small, pos_points=[], neg_points=[], obj_bbox=[])["shapes"] == []
