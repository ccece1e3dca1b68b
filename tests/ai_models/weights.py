"""Small random weights of each function's own package, saved as it saves them: `python weights.py KIND FOLDER`.

Runs where that package is installed, and neither this project nor its tests.
"""

# None of these packages is where the types are checked:
# mypy: ignore-errors
import sys
from pathlib import Path


def yolo(folder: Path) -> None:
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    network = YOLO("yolo11n.yaml")
    with torch.no_grad():
        for name, value in network.model.named_parameters():
            if value.ndim == 1 and "cv3" in name and name.endswith("bias"):
                value.add_(4)  # so that it is sure of something
    network.save(str(folder / "best.pt"))


def transformers(folder: Path) -> None:
    import torch
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessor

    torch.manual_seed(0)
    network = YolosForObjectDetection(
        YolosConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=[64, 64],
            num_detection_tokens=12, id2label={0: "cat", 1: "dog"}, label2id={"cat": 0, "dog": 1},
        )
    )  # fmt: skip
    with torch.no_grad():
        network.class_labels_classifier.layers[-1].bias[1] += 9
    network.save_pretrained(folder / "detector")
    YolosImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder / "detector")


def sam2(folder: Path) -> None:
    """Where the hub's cache would have it: the package loads by names of the hub alone."""
    import torch
    from sam2.build_sam import build_sam2_video_predictor

    torch.manual_seed(0)
    model = build_sam2_video_predictor("configs/sam2.1/sam2.1_hiera_t.yaml", ckpt_path=None, device="cpu")
    with torch.no_grad():
        # Everything is sure to be there, and to be the object.
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(9)
    cache, commit = folder / "hub/models--facebook--sam2.1-hiera-tiny", "0" * 40
    for place in ("refs", f"snapshots/{commit}"):
        (cache / place).mkdir(parents=True)
    (cache / "refs/main").write_text(commit)
    torch.save({"model": model.state_dict()}, cache / "snapshots" / commit / "sam2.1_hiera_tiny.pt")


def sam2_of_transformers(folder: Path) -> None:
    import torch
    from transformers import Sam2Config, Sam2ImageProcessorFast, Sam2Model, Sam2Processor

    torch.manual_seed(0)
    Sam2Model(Sam2Config()).save_pretrained(folder / "sam2")
    Sam2Processor(Sam2ImageProcessorFast()).save_pretrained(folder / "sam2")


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
