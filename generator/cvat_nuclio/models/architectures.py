"""`config.json` of a network of transformers → the family that runs it."""

from collections.abc import Mapping
from typing import Any

from ..errors import UserError

ZERO_SHOT = ("GroundingDino", "MMGroundingDino", "Owlv2", "OwlViT", "OmDetTurbo")
#: By the end of the class's name in `architectures`.
ENDINGS = {
    "ForObjectDetection": "transformers_detection",
    "ForInstanceSegmentation": "transformers_segmentation",
    "ForUniversalSegmentation": "transformers_segmentation",
    "ForSemanticSegmentation": "transformers_segmentation",
    "ForImageClassification": "transformers_classification",
    "ForPoseEstimation": "transformers_pose",
}
SAM = ("sam", "sam_hq", "sam2", "sam2_video", "edgetam", "edgetam_video", "sam3_tracker", "sam3_tracker_video")
VIDEO = ("sam2", "sam2_video", "edgetam", "edgetam_video", "sam3_tracker", "sam3_tracker_video", "sam3_video", "sam3")

#: Networks of features, which have no head.
VISION = ("beit", "clip", "convnext", "deit", "dinov", "hiera", "metaclip", "resnet", "siglip", "swin", "vit")


def family_of(config: Mapping[str, Any], kind: str | None, name: str) -> str:
    """The module of `cvat_functions`. `kind` chooses where a network can do several things. Raises UserError."""
    model_type = str(config.get("model_type", ""))
    named = config.get("architectures") or ()
    classes = [named] if isinstance(named, str) else [str(item) for item in named]
    can = _possible(config, model_type, classes)
    chosen = can.get(kind) if kind else next(iter(can.values()), None)
    if chosen is None:
        shown = f"config.json: model_type {model_type or 'none'}, architectures {', '.join(classes) or 'none'}"
        remedy = (
            f"--kind {' or '.join(can)}" if can else f"a network whose class ends in {', '.join(ENDINGS)}, or a SAM"
        )
        raise UserError(f"{name}: no ready function runs this network{f' as {kind}' if kind else ''}", why=shown,
                        remedy=remedy)  # fmt: skip
    return chosen


def _possible(config: Mapping[str, Any], model_type: str, classes: list[str]) -> dict[str, str]:
    """Families by kind, the usual one first."""
    can: dict[str, str] = {}
    if not model_type and "pretrained_cfg" in config:
        can["detector"] = "transformers_classification"  # as timm saves it
    if model_type in ("sam3", "sam3_video"):
        can["detector"] = "transformers_sam3"
    if model_type in (*SAM, "sam3_video", "sam3"):
        can["interactor"] = "transformers_sam"
    if model_type in VIDEO:
        can["tracker"] = "transformers_sam_video"
    for name in classes:
        for ending, family in ENDINGS.items():
            if name.endswith(ending):
                can["detector"] = "transformers_zero_shot" if name.startswith(ZERO_SHOT) else family
        if name.endswith("ForImageClassification") or (name.endswith("Model") and model_type.startswith(VISION)):
            can["reid"] = "transformers_reid"
    return can
