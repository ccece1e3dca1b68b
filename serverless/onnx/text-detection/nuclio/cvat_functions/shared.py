"""What the families share: pictures as RGB, boxes, files, labels, bitmaps as shapes, what is computed once. It needs no
framework."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import cvat_sdk.auto_annotation as cvataa
import numpy as np
import numpy.typing as npt
import PIL.Image
from cvat_sdk.masks import encode_mask

Bitmap = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
#: `x1, y1, x2, y2` in pixels.
Box = tuple[float, float, float, float]
#: Letters of a label's name in CVAT.
LONGEST = 64


def to_rgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """Three bytes a pixel from any mode; sixteen bits are scaled, which Pillow's `convert` would cut off."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.asarray(image, np.float32)
        image = PIL.Image.fromarray((grey / (257 if grey.max() > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def pixels_of(box: Box) -> tuple[int, int, int, int]:
    """The whole pixels that a box touches, at least one each way: left, top, right, bottom."""
    left, top = int(box[0]), int(box[1])
    return left, top, max(int(np.ceil(box[2])), left + 1), max(int(np.ceil(box[3])), top + 1)


def file_of(path: str, parameter: str) -> Path:
    """The file that a parameter of `create` names. FileNotFoundError says what to do where there is none."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"no file {str(file.absolute())!r}: lay it there before the image is built, mount a volume that has it, or "
            f"name another, which then goes into the bundle, with -p {parameter}=file:FILE"
        )
    return file


def lines_of(file: Path) -> list[str]:
    """A text file's lines that are not blank."""
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def check_sum(file: str, sha256: str | None) -> None:
    """ValueError unless a file has the sum that was recorded with the bundle; nothing without one."""
    if not sha256:
        return
    with Path(file).open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{file} has the SHA-256 {found}, not {sha256}: it is not the file that was chosen")


def classes_of(id2label: Mapping[int, object], leave_out: Sequence[str] = ()) -> tuple[dict[str, int], dict[int, int]]:
    """The labels of a network's classes, by name the first class that has it, and each class's label.

    Of ImageNet's synonyms those stay that CVAT's 64 letters hold. Classes of one name share a label, for CVAT wants
    names unique; those without a name, `N/A`, as gaps in COCO's numbers are called, and names in `leave_out` get none.
    ValueError where no class has a name.
    """
    first: dict[str, int] = {}
    of_class = {}
    for number, name in sorted((int(key), str(value).strip()) for key, value in id2label.items()):
        if name and name.lower() not in ("n/a", *leave_out):
            short = name if len(name) <= LONGEST else name[: LONGEST + 1].rpartition(",")[0][:LONGEST] or name[:LONGEST]
            of_class[number] = first.setdefault(short.strip(), number)
    if not first:
        raise ValueError("the network names none of its classes")
    return first, of_class


def labels_of(
    id2label: Mapping[int, object], kind: str, leave_out: Sequence[str] = ()
) -> tuple[list[Any], dict[int, int]]:
    """Specs of a network's classes, all of the kind, and each class's label. ValueError as `classes_of`."""
    first, of_class = classes_of(id2label, leave_out)
    return [cvataa.label_spec(name, number, type=kind) for name, number in first.items()], of_class


def spec_of(names: Sequence[str], kind: str) -> cvataa.DetectionFunctionSpec:
    """A detector's whose labels are `names`, all of the kind, numbered from 0."""
    return cvataa.DetectionFunctionSpec(
        labels=[cvataa.label_spec(name, number, type=kind) for number, name in enumerate(names)]
    )


def shapes_of(label: int, bitmap: Bitmap, as_polygons: bool, corner: tuple[int, int] = (0, 0)) -> Iterator[Any]:
    """A bitmap as a mask, or as the polygon of each of its parts; nothing for an empty one.

    `corner`: the picture's pixel that the bitmap begins at, x and y, where it is of a part of the picture.
    """
    if as_polygons:
        for contour in cv2.findContours(bitmap.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_KCOS)[0]:
            if len(contour) >= 3:
                yield cvataa.polygon(label, np.add(contour.reshape(-1, 2), corner).ravel().tolist())
    elif bitmap.any():
        *runs, x1, y1, x2, y2 = encode_mask(bitmap)
        left, top = corner
        yield cvataa.mask(label, [*runs, x1 + left, y1 + top, x2 + left, y2 + top])


def phrases(text: str) -> list[str]:
    """`helmet; person with a bag` → its phrases; those of the variable AA_LABELS instead, where it is set.

    ValueError for none, one given twice, one too long for CVAT.
    """
    # An image that is there already gets another vocabulary by its environment.
    text = os.environ.get("AA_LABELS") or text
    found = [phrase.strip() for phrase in text.split(";") if phrase.strip()]
    if not found or len(set(found)) != len(found) or max(map(len, found)) > LONGEST:
        raise ValueError(
            f"labels={text!r}: give each phrase once, of {LONGEST} letters at most: "
            '-p labels=str:"helmet; person with a bag"'
        )
    return found


def kept(file: Path, key: str, compute: Callable[[], Floats]) -> Floats:
    """What `compute` gives, from `file` (.npz) where it was put there under the same `key`, and put there otherwise."""
    if file.is_file():
        with np.load(file, allow_pickle=False) as stored:
            if str(stored["key"]) == key:
                return np.asarray(stored["value"])
    value, new = compute(), file.with_name(f".{os.getpid()}.{file.name}")
    # A folder that is not to be written costs the time again, nothing else.
    with contextlib.suppress(OSError):
        try:
            np.savez(new, key=key, value=value)
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)
    return value
