"""`cvat_functions.sam_checkpoint`: the original checkpoint's names in transformers' architecture, and the same answers.

The numbers under ORIGINAL were computed by facebookresearch/segment-anything (commit dca509f) itself, for the same
picture and the same small checkpoint (`tools/checkpoints/sam.txt`, section `tiny`, values that follow from the names).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from cvat_sdk.masks import decode_mask

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tools import random_checkpoints  # noqa: E402

from cvat_functions import sam_original  # noqa: E402

ORIGINAL_FEATURES = [-1.23824, 0.41212, -0.1692, -1.03404, 1.5603, -2.26067, 0.65143, 1.73915, 1.58754]
CLICK, AWAY, BOX = [(420.0, 160.0)], [(20.0, 30.0)], ((360.0, 100.0), (480.0, 220.0))
#: Prompts, the mask's pixels, and the sum of x + 3 y over them.
ORIGINAL_MASKS: dict[str, tuple[dict[str, Any], int, int]] = {
    "click": ({"pos_points": CLICK}, 179691, 141991859),
    "clicks": ({"pos_points": CLICK, "neg_points": AWAY}, 67408, 52336692),
    "box": ({"bounding_box": BOX}, 37556, 32747927),
    "all": ({"pos_points": CLICK, "neg_points": AWAY, "bounding_box": BOX}, 79268, 62185304),
}


@pytest.fixture(scope="module")
def sam(create: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    file = tmp_path_factory.mktemp("sam") / "tiny.pth"
    random_checkpoints.sam(file)
    return create("sam_checkpoint", weights=str(file), device="cpu")


@pytest.mark.parametrize(("name", "weights"), [("vit_b", 314), ("vit_l", 482), ("vit_h", 594)])
def test_published_checkpoints_fit_name_by_name_and_shape_by_shape(name: str, weights: int) -> None:
    published = random_checkpoints.names("sam", name)
    assert len(published) == weights
    with torch.device("meta"):
        model = transformers.SamModel(sam_original.read_config(published))
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {sam_original.renamed(name): shape for name, shape in published.items()}
    given["shared_image_embedding.positional_embedding"] = given["prompt_encoder.shared_embedding.positional_embedding"]
    assert given == wanted


def test_sizes_are_read_from_the_checkpoint() -> None:
    config = sam_original.read_config(random_checkpoints.names("sam", "vit_h")).vision_config
    assert (config.image_size, config.window_size, config.num_attention_heads) == (1024, 14, 16)
    assert config.global_attn_indexes == [7, 15, 23, 31]


def test_features_are_the_original_s(sam: Any, picture: PIL.Image.Image) -> None:
    features = sam.preprocess_image(None, picture).features["image_embeddings"]
    assert features.shape == (1, 64, 8, 8)
    np.testing.assert_allclose(features.flatten()[::509], ORIGINAL_FEATURES, atol=1e-4)


@pytest.mark.parametrize("case", ORIGINAL_MASKS)
def test_masks_are_the_original_s(sam: Any, prompts: Any, picture: PIL.Image.Image, case: str) -> None:
    given, pixels, moment = ORIGINAL_MASKS[case]
    (shape,) = sam.detect(None, sam.preprocess_image(None, picture), prompts(**given))
    assert shape.type == "mask"
    mask = decode_mask(shape.points, image_width=640, image_height=320)
    y, x = np.mgrid[0:320, 0:640]
    # Borders move by a pixel here and there with the processor's way of adding.
    assert mask.sum() == pytest.approx(pixels, rel=2e-3)
    assert (mask * (x + 3 * y)).sum() == pytest.approx(moment, rel=2e-3)


def test_the_picture_is_not_embedded_again_for_a_click(
    sam: Any, prompts: Any, picture: PIL.Image.Image, monkeypatch: Any
) -> None:
    embedded = sam.preprocess_image(None, picture)
    before = embedded.features["image_embeddings"].clone()
    monkeypatch.setattr(sam._model.vision_encoder, "forward", None)
    for x in (100.0, 300.0):
        sam.detect(None, embedded, prompts(pos_points=[(x, 100.0)]))
    assert torch.equal(embedded.features["image_embeddings"], before)


def test_corners_of_the_box_in_any_order(sam: Any, prompts: Any, picture: PIL.Image.Image) -> None:
    embedded = sam.preprocess_image(None, picture)
    right = sam.detect(None, embedded, prompts(bounding_box=BOX))
    assert sam.detect(None, embedded, prompts(bounding_box=((480.0, 100.0), (360.0, 220.0)))) == right


def test_nothing_to_go_by_is_no_shape(sam: Any, prompts: Any, picture: PIL.Image.Image) -> None:
    embedded = sam.preprocess_image(None, picture)
    assert sam.detect(None, embedded, prompts()) == []
    assert sam.detect(None, embedded, prompts(neg_points=AWAY)) == []


@pytest.mark.parametrize(("mode", "size"), [("L", (31, 300)), ("RGBA", (300, 31)), ("I;16", (64, 64)), ("P", (1, 1))])
def test_any_mode_and_size(sam: Any, prompts: Any, mode: str, size: tuple[int, int]) -> None:
    embedded = sam.preprocess_image(None, PIL.Image.new(mode, size))
    for shape in sam.detect(None, embedded, prompts(pos_points=[(0.0, 0.0)])):
        decode_mask(shape.points, image_width=size[0], image_height=size[1])


def test_another_checkpoint_is_refused(create: Any, tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(3)}, file)
    with pytest.raises(ValueError, match=r"other.pth is not a checkpoint of segment-anything: 'image_encoder"):
        create("sam_checkpoint", weights=str(file))


def test_a_missing_checkpoint_says_where_to_put_it(create: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file '.*nowhere\.pth'"):
        create("sam_checkpoint", weights="nowhere.pth")
