"""What the families share: any picture as RGB, weights with their proof, the device, labels, bitmaps as shapes."""

import hashlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
from cvat_sdk.masks import encode_mask

Bitmap = npt.NDArray[np.bool_]
#: Letters of a label's name in CVAT.
LONGEST = 64


def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def pretrained(kind: Any, model: str, revision: str | None = None, **options: Any) -> Any:
    """`kind.from_pretrained` of a folder, or of a model of the Hugging Face hub at a revision.

    FileNotFoundError where neither is there; it says what to do.
    """
    try:
        return kind.from_pretrained(model, revision=revision, **options)
    except OSError as fault:
        raise FileNotFoundError(
            f"no model {model!r}: no folder of that name with config.json, and the Hugging Face hub or its cache gave "
            f"none ({str(fault).splitlines()[0]}). Let the image fetch it while it is built (generate --bake), or name "
            "a folder that goes into the image: -p model=file:FOLDER"
        ) from fault


def verify(model: str, sha256: str | None, revision: str | None = None) -> None:
    """ValueError unless the weights' file has the sum that was recorded with the bundle; nothing without one."""
    if not sha256:
        return
    path = Path(model)
    file = path if path.is_file() else path / "model.safetensors"
    if not path.exists():
        from huggingface_hub import hf_hub_download

        file = Path(hf_hub_download(model, "model.safetensors", revision=revision))
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{file} has the SHA-256 {found}, not {sha256}: it is not the file that was chosen")


def device_of(name: str | None) -> Any:
    """The named device of PyTorch, else CUDA where there is one, else the CPU."""
    import torch

    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def report(what: str, device: Any, started: float) -> None:
    """One line for the log: what was loaded, where, and in what time since `time.monotonic()` gave `started`."""
    import torch

    place = f"cpu, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        place = f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    print(f"{what}: loaded in {time.monotonic() - started:.1f} s, on {place}", file=sys.stderr, flush=True)


def labels_of(
    id2label: Mapping[int, str], kind: str, leave_out: Sequence[str] = ()
) -> tuple[list[Any], dict[int, int]]:
    """Specs of a network's classes, and each class's label.

    Of ImageNet's synonyms those stay that CVAT's 64 letters hold. Classes of one name share a label, for CVAT wants
    names unique; `N/A`, as gaps in COCO's numbers are called, and names in `leave_out` get none.
    """
    first: dict[str, int] = {}
    of_class = {}
    for number, name in sorted((int(key), str(value)) for key, value in id2label.items()):
        if name.strip() and name.lower() not in ("n/a", *leave_out):
            short = name if len(name) <= LONGEST else name[: LONGEST + 1].rpartition(",")[0][:LONGEST] or name[:LONGEST]
            of_class[number] = first.setdefault(short, number)
    return [cvataa.label_spec(name, number, type=kind) for name, number in first.items()], of_class


def shapes_of(label: int, bitmap: Bitmap, as_polygons: bool) -> Iterator[Any]:
    """A bitmap of the picture's size as a mask, or as the polygon of each of its parts; nothing for an empty one."""
    if as_polygons:
        for contour in cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]:
            if len(contour) >= 3:
                yield cvataa.polygon(label, contour.ravel().tolist())
    elif bitmap.any():
        yield cvataa.mask(label, encode_mask(bitmap))


def phrases(text: str) -> list[str]:
    """`helmet; person with a bag` → its phrases. ValueError for none, one given twice, one too long for CVAT."""
    found = [phrase.strip() for phrase in text.split(";") if phrase.strip()]
    if not found or len(set(found)) != len(found) or max(map(len, found)) > LONGEST:
        raise ValueError(
            f"labels={text!r}: give each phrase once, of {LONGEST} letters at most: "
            '-p labels=str:"helmet; person with a bag"'
        )
    return found
