"""How many lines a person wrote for each function, here and in CVAT, for README.md and docs/functions.md.

    python -m tools.written_lines                                     # after a function here has changed
    python -m tools.written_lines --cvat CLONE --release 2.73.0=ac6e63b96 --release 2.51.0=dfd505e76

A line counts unless it is empty or nothing but a comment; docstrings and lists of labels count. Counted are all files
that somebody wrote by hand, READMEs and licences aside: in CVAT's folders `*.py`, `function*.yaml` and `Dockerfile`;
here `func.py`, `cvat-nuclio.yaml` (what was chosen) and lists of labels. The rest of a bundle here is generated.
CVAT's numbers are kept in `tools/cvat_lines.json`; nothing of its text is.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parents[1]
COUNTED = ROOT / "tools" / "cvat_lines.json"
PAGES = ("README.md", "docs/functions.md")
BASE = "openvino/base"
"""What CVAT's functions on OpenVINO share: copied into an image that theirs start from."""


def lines(text: str) -> int:
    """Those that are neither empty nor nothing but a comment."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


@attrs.frozen
class Theirs:
    """A function that CVAT ships or shipped."""

    name: str
    folder: str
    release: str = "2.73.0"
    shares: Sequence[str] = ()
    """The files of `openvino/base` that it uses."""

    def lines(self) -> int:
        """All that its author wrote, what it shares included."""
        return sum(self.parts().values())

    def parts(self) -> dict[str, int]:
        """Lines by what they are: Python, yaml, Dockerfile."""
        parts = dict.fromkeys(("Python", "yaml", "Dockerfile"), 0)
        shared = {f"{BASE}/{name}" for name in self.shares}
        for file, count in cvat()[self.release]["files"].items():
            if file.startswith(f"{self.folder}/") or file in shared:
                parts[kind(file)] += count
        return parts


@attrs.frozen
class Row:
    """A task that functions do, CVAT's and those here."""

    task: str
    theirs: Sequence[Theirs]
    ours: Sequence[str]
    remark: str
    """How CVAT's differ."""


def kind(file: str) -> str:
    """What a file of CVAT's is, by its name."""
    name = Path(file).name
    return "Dockerfile" if name == "Dockerfile" else "Python" if name.endswith(".py") else "yaml"


@cache
def cvat() -> dict[str, Any]:
    """What was counted of CVAT, by release, the newest first: `commit`, `date`, and `files` with their lines."""
    return dict(json.loads(COUNTED.read_text("utf-8")))


def written(folder: str) -> dict[str, int]:
    """Lines in a folder of `serverless/`, by what they are; without the parts that it lacks."""
    place = ROOT / "serverless" / folder
    files = {
        "`func.py`": [place / "nuclio" / "func.py"],
        "labels": [file for file in place.glob("nuclio/*.txt") if not file.name.startswith("requirements")],
        "options": [place / "cvat-nuclio.yaml"],
    }
    counts = {
        what: sum(lines(file.read_text("utf-8")) for file in some if file.exists()) for what, some in files.items()
    }
    return {what: count for what, count in counts.items() if count}


def told(parts: Mapping[str, int]) -> str:
    """A sum for a table's cell, with what it is made of."""
    return f"{sum(parts.values())} ({', '.join(f'{count} {what}' for what, count in parts.items() if count)})"


OPENVINO = ("Dockerfile", "model_loader.py")
RETINANET = Theirs("RetinaNet R101", "pytorch/facebookresearch/detectron2/retinanet_r101/nuclio")
FASTER_RCNN = Theirs("Faster R-CNN (TensorFlow)", "tensorflow/faster_rcnn_inception_v2_coco/nuclio")
YOLO = Theirs("YOLO v7", "onnx/WongKinYiu/yolov7/nuclio")
MASK_RCNN = Theirs(
    "Mask R-CNN (OpenVINO)",
    "openvino/omz/public/mask_rcnn_inception_resnet_v2_atrous_coco/nuclio",
    shares=(*OPENVINO, "shared.py"),
)
HRNET = Theirs("HRNet32 whole body", "pytorch/mmpose/hrnet32/nuclio")
SAM = Theirs("Segment Anything", "pytorch/facebookresearch/sam/nuclio")
IOG = Theirs("IOG", "pytorch/shiyinzhang/iog/nuclio")
TRANST = Theirs("TransT", "pytorch/dschoerk/transt/nuclio")
FACES = Theirs("Face Detection 0205", "openvino/omz/intel/face-detection-0205/nuclio", shares=OPENVINO)
TEXT = Theirs("Text Detection 0004", "openvino/omz/intel/text-detection-0004/nuclio", release="2.51.0", shares=OPENVINO)
PERSONS = Theirs(
    "Person Reidentification 0277",
    "openvino/omz/intel/person-reidentification-retail-0277/nuclio",
    release="2.51.0",
    shares=OPENVINO,
)

ROWS = [
    Row(
        "objects, boxes",
        [RETINANET, FASTER_RCNN],
        ["pytorch/torchvision-detection"],
        "the list of labels is in each yaml by hand; for GPUs RetinaNet is built for CUDA 11.7 and up to Turing",
    ),
    Row(
        "objects, YOLO",
        [YOLO],
        ["onnx/yolo"],
        "v7 alone, with NMS in the graph, COCO's labels; boxes alone. Ours: v5 to YOLO26, rotated boxes, masks, "
        "skeletons; labels from the graph",
    ),
    Row(
        "objects, masks",
        [MASK_RCNN],
        ["pytorch/torchvision-instance-segmentation", "openvino/mask-rcnn"],
        "one model. Ours: torchvision's, or three families of OpenVINO's",
    ),
    Row(
        "skeletons",
        [HRNET],
        ["pytorch/torchvision-keypoint-detection"],
        "133 points, feet, face and hands included, on the CPU; ours 17. The skeleton's picture is written by hand, "
        "ours is made from the lines named",
    ),
    Row("tags", [], ["pytorch/torchvision-classification"], ""),
    Row(
        "text",
        [TEXT],
        ["onnx/text-detection"],
        "removed in CVAT 2.52.0; it ignored the threshold that CVAT's user set",
    ),
    Row(
        "faces",
        [FACES],
        [],
        "boxes, with age, gender and emotion; a YOLO trained on faces finds them here, without the attributes",
    ),
    Row(
        "cut out, SAM",
        [SAM],
        ["pytorch/sam"],
        "answers an embedding, which a plugin of CVAT's web page decodes for this one function's name; other clients "
        "get no mask",
    ),
    Row("cut out, SAM 2", [], ["pytorch/sam2"], "in CVAT Online and Enterprise alone"),
    Row(
        "cut out, other",
        [IOG],
        ["opencv/grabcut"],
        "a box must come first; weights from Google Drive. Ours needs no weights",
    ),
    Row(
        "follow boxes",
        [TRANST],
        ["pytorch/transt", "opencv/correlation-tracker"],
        "uses the original's code, cloned into the image; ours has the network in `func.py`, or none. CVAT's states go "
        "through jsonpickle",
    ),
    Row(
        "follow, SAM 2",
        [],
        ["pytorch/sam2-tracker"],
        "in CVAT Online and Enterprise alone; a function for their agents, with states that stay in one process, is "
        "in the repository cvat-models: masks and polygons. Ours: masks and rectangles",
    ),
    Row(
        "join boxes (ReID)",
        [PERSONS],
        ["onnx/person-reid", "opencv/appearance-reid"],
        "removed in CVAT 2.52.0; the server still calls functions of this kind. Ours: any network, or none",
    ),
]


def tables() -> dict[str, str]:
    """The table of each page."""
    return {"README.md": _short(), "docs/functions.md": _long()}


def _short() -> str:
    head = ["| task | CVAT ships | lines | here | lines |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(_short_row(row) for row in ROWS), "", _source()])


def _source() -> str:
    newest, *older = ((version, table["date"], table["commit"][:9]) for version, table in cvat().items())
    told = "CVAT {} of {} (commit {})".format(*newest)
    return (
        f"Counted in {told}" + "".join(", what was removed since in {} of {} ({})".format(*one) for one in older) + "."
    )


def _short_row(row: Row) -> str:
    names = [f"{one.name}{'' if one.release == '2.73.0' else ' (until 2.51)'}" for one in row.theirs]
    theirs = [str(one.lines()) for one in row.theirs]
    ours = [str(sum(written(folder).values())) for folder in row.ours]
    cells = [names, theirs, [_link(folder, "") for folder in row.ours], ours]
    return f"| {row.task} | " + " | ".join("; ".join(cell) or "-" for cell in cells) + " |"


def _link(folder: str, up: str) -> str:
    return f"[{folder.rpartition('/')[2]}]({up}serverless/{folder})"


def _long() -> str:
    titles = ("task", "CVAT's function", "its lines", "here", "lines", "CVAT's, and how it differs")
    head = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*head, *(_long_row(row) for row in ROWS), "", _source()])


def _long_row(row: Row) -> str:
    theirs = [[one.name for one in row.theirs], [told(one.parts()) for one in row.theirs]]
    ours = [[_link(folder, "../") for folder in row.ours], [told(written(folder)) for folder in row.ours]]
    cells = ["<br>".join(cell) or "none" for cell in (*theirs, *ours)]
    return f"| {row.task} | {' | '.join(cells)} | {row.remark} |"


def filled(page: str, table: str) -> str:
    """The page with the table between its marks. Raises ValueError where it has none."""
    marks = re.compile(r"(<!-- python -m tools\.written_lines -->\n).*?(\n<!-- end -->)", re.DOTALL)
    new, count = marks.subn(lambda found: found[1] + table + found[2], page)
    if count != 1:
        raise ValueError("not one place for a table")
    return new


def count(clone: Path, releases: Iterable[str]) -> None:
    """Writes CVAT's numbers, read with git; a release is `VERSION=COMMIT`."""
    found = {}
    for release in releases:
        version, _, commit = release.partition("=")
        words = ["ls-tree", "-r", "--name-only", commit, "--", "serverless"]
        wanted = re.compile(r"\.py$|/function\S*\.yaml$|/Dockerfile$")
        files = [file for file in _git(clone, *words).splitlines() if wanted.search(file)]
        counts = {file.removeprefix("serverless/"): lines(_git(clone, "show", f"{commit}:{file}")) for file in files}
        day = _git(clone, "log", "-1", "--format=%cs", commit).strip()
        found[version] = {"commit": _git(clone, "rev-parse", commit).strip(), "date": day, "files": counts}
    COUNTED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _git(clone: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(clone), *words], check=True, capture_output=True, text=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cvat", type=Path, metavar="CLONE", help="count CVAT's functions in this clone first")
    parser.add_argument("--release", action="append", default=[], metavar="VERSION=COMMIT")
    args = parser.parse_args()
    if args.cvat:
        count(args.cvat, args.release)
    for name, table in tables().items():
        page = ROOT / name
        page.write_text(filled(page.read_text("utf-8"), table), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
