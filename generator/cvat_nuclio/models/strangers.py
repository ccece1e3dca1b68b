"""What is said of weights that no ready function runs: broken files, other programs' forms, the wrong folder."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..data import tables
from ..errors import UserError

KNOWN = (
    "known are best.pt (Ultralytics), sam_vit_*.pth, x.onnx (YOLO; YuNet and RTMPose by name; ReID by --kind reid), "
    "model.xml (OpenVINO Mask R-CNN), a folder with config.json (transformers), hf:OWNER/NAME[@REVISION], "
    "torchvision:NAME, or a name that `cvat-nuclio models` lists"
)
#: Files of weights that somebody may have meant with their folder, the likeliest first.
MEANT = ("best.pt", "weights/best.pt", "config.json", "*/config.json", "*.pt", "weights/*.pt", "*.onnx", "*.pth")


def check_whole(path: Path) -> None:
    """Raises UserError for what a broken download leaves in the place of a file."""
    with path.open("rb") as stream:
        head = stream.read(200)
    again = "fetch it again, and look at its size"
    found = None
    if not head:
        found = "the file is empty", again
    elif head.startswith(b"version https://git-lfs"):
        found = (
            "it is a Git LFS pointer, in the place of the weights",
            "git lfs pull, in the repository that it is from",
        )
    elif head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        found = "it is a page of HTML, as a server answers that wants a log-in", again
    elif head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(path):
        found = "it is cut off: the end of the archive is not there", again
    elif path.suffix == ".safetensors" and not _is_whole_safetensors(path, head):
        found = "it is cut off, or no safetensors", again
    if found:
        raise UserError(f"--model: {path} does not hold weights", why=found[0], remedy=found[1])


def _is_whole_safetensors(path: Path, head: bytes) -> bool:
    """By the format's own layout: eight bytes with the length of a JSON text, which tells where each weight ends."""
    length = int.from_bytes(head[:8], "little")
    if length > path.stat().st_size - 8:
        return False
    with path.open("rb") as stream:
        stream.seek(8)
        try:
            told = json.loads(stream.read(length))
        except ValueError:
            return False
    ends = [item["data_offsets"][1] for name, item in told.items() if name != "__metadata__"]
    return path.stat().st_size >= 8 + length + max(ends, default=0)


def file(path: Path) -> UserError:
    """For a file whose name ends in nothing that is known."""
    row = _ending(path)
    why = f"it is {row['is']}" if row else f"a file that ends in {path.suffix or 'nothing'}"
    return UserError(f"--model {path}: no known format", why=why, remedy=_way(row))


def checkpoint(path: Path, classes: Iterable[str], texts: Iterable[str]) -> UserError:
    """For a checkpoint of PyTorch, or a file of that name, by what it names."""
    names = sorted({*classes, *texts})
    starts = tables.read("strangers")["checkpoints"]
    row = next((row for start, row in starts.items() if any(name.startswith(start) for name in names)), None)
    shown = ", ".join(name for name in names if "." in name and not name.startswith("torch."))[:150]
    why = "no checkpoint of PyTorch" if not names else f"it is {row['is']}" if row else f"it names {shown or 'nothing'}"
    return UserError(f"--model {path}: no known checkpoint", why=why, remedy=_way(row))


def folder(path: Path) -> UserError:
    """For a folder without `config.json`."""
    rows: Mapping[str, Mapping[str, str]] = tables.read("strangers")["folders"]
    row = _ending(path) or next((row for name, row in rows.items() if (path / name).exists()), None)
    if row:
        return UserError(f"--model {path}: no known format", why=f"it is {row['is']}", remedy=_way(row))
    meant = [found for pattern in MEANT for found in sorted(path.glob(pattern))]
    if not meant:
        return UserError(
            f"--model {path}: no model in this folder", why="it has no config.json, and no weights that are known",
            remedy=KNOWN,
        )  # fmt: skip
    one = meant[0].parent if meant[0].name == "config.json" else meant[0]
    more = " (of several: choose)" if len(meant) > 1 else ""
    return UserError(
        f"--model {path}: no config.json in this folder", why=f"weights lie in it: {one.relative_to(path)}",
        remedy=f"--model '{one}'{more}",
    )  # fmt: skip


def _ending(path: Path) -> Mapping[str, str] | None:
    rows: Mapping[str, Mapping[str, str]] = tables.read("strangers")["endings"]
    name = path.resolve().name.lower()
    return next((row for ending, row in rows.items() if name.endswith(ending)), None)


def _way(row: Mapping[str, str] | None) -> str:
    if row is None:
        return KNOWN
    return str(tables.read("strangers")["ways"].get(row["try"], row["try"]))
