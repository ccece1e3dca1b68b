"""Input files → frames with the bytes that CVAT would send."""

import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ..cvat.frames import frame_bytes
from ..errors import UserError

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_PARTS = re.compile(r"(\d+)")
_FRAMES = re.compile(r"(?P<name>.+)#(?P<first>\d{1,9})(?P<to>-(?P<last>\d{1,9})?)?")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v")


@attrs.frozen
class Frame:
    """One frame: a name for people, the bytes that CVAT sends, and the size in pixels."""

    name: str
    content: bytes = attrs.field(repr=False)
    width: int
    height: int

    @classmethod
    def of(cls, name: str, content: bytes) -> "Frame":
        """Reads the size. Raises `UserError` for what Pillow cannot read."""
        with Image.open(io.BytesIO(content)) as image:
            return cls(name, content, *image.size)

    def picture(self) -> Image.Image:
        """To draw on: RGB, 16-bit values scaled down, transparency over white."""
        with Image.open(io.BytesIO(self.content)) as image:
            image.load()
            if image.mode.startswith("I;16") or image.mode in ("I", "F"):
                values = np.asarray(image, dtype=np.float64)
                scale = 255 / max(float(values.max()), 1.0)
                return Image.fromarray((values * scale).clip(0, 255).astype(np.uint8)).convert("RGB")
            if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
                white = Image.new("RGBA", image.size, "white")
                return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
            return image.convert("RGB")


def load_frames(files: Sequence[Path], limit: int | None = None) -> list[Frame]:
    """The frames of all files in order, videos frame by frame; at most `limit`. A folder gives its pictures by name.

    Raises `UserError` for a file that is not there, no picture, or damaged, and for a folder without one.
    """
    frames: list[Frame] = []
    for file in (found for path in files for found in (_pictures(path) if path.is_dir() else [path])):
        frames += _from_file(file, None if limit is None else limit - len(frames))
        if limit is not None and len(frames) >= limit:
            break
    return frames


def _pictures(folder: Path) -> list[Path]:
    """The pictures and videos that lie in a folder, other files left out; 2.png comes before 10.png."""
    known = {suffix for suffix, name in Image.registered_extensions().items() if name in IMAGE_FORMATS}
    found = [path for path in folder.iterdir() if path.suffix.lower() in known | set(VIDEO_SUFFIXES) and path.is_file()]
    if not found:
        raise UserError(f"{folder} holds no picture", remedy="name a folder or files of " + ", ".join(IMAGE_FORMATS))
    return sorted(found, key=lambda path: [int(part) if part.isdigit() else part for part in _PARTS.split(path.name)])


def _from_file(file: Path, limit: int | None) -> list[Frame]:
    file, wanted = (file, None) if file.exists() else _chosen(file)
    if not file.is_file():
        raise UserError(f"there is no file {file}")
    if file.suffix.lower() in VIDEO_SUFFIXES:
        return list(video(file, file.name, wanted, limit))
    return [picture(str(file), file.read_bytes())]


def _chosen(file: Path) -> tuple[Path, range | None]:
    """`clip.mp4#12` is one frame of a video, `clip.mp4#12-` that and all after it, `clip.mp4#12-40` those up to 40."""
    found = _FRAMES.fullmatch(file.name)
    if not found or Path(found["name"]).suffix.lower() not in VIDEO_SUFFIXES:
        return file, None
    first = int(found["first"])
    last = first if found["to"] is None else int(found["last"] or sys.maxsize - 1)
    return file.with_name(found["name"]), range(first, last + 1)


def picture(name: str, content: bytes) -> Frame:
    """A picture's file as a frame. Raises `UserError`, in words, for what CVAT could not take."""
    try:
        return Frame.of(Path(name).name, frame_bytes(content))
    except UnidentifiedImageError:
        raise UserError(
            f"{name} is no image that CVAT could send",
            why="Pillow does not know its format",
            remedy="use JPEG, PNG, WebP, BMP, GIF or TIFF, or a video: " + ", ".join(VIDEO_SUFFIXES),
        ) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"{name} cannot be read as an image", why=str(error)) from error


def video(file: Path, name: str, wanted: range | None = None, limit: int | None = None) -> Iterator[Frame]:
    """The frames of a video: all, or those that are `wanted`, at most `limit`. CVAT sends them as PNG.

    Raises `UserError` for a file without a frame that OpenCV can read.
    """
    wanted = range(sys.maxsize) if wanted is None else wanted
    wanted = wanted if limit is None else wanted[:limit]
    capture = cv2.VideoCapture(str(file))
    found = False
    try:
        for number in range(wanted.stop):
            if not capture.grab():
                break
            if number in wanted:
                found = True
                yield _encoded(f"{name}#{number}", capture.retrieve()[1])
    finally:
        capture.release()
    if not found:
        which = f"frame {wanted.start}" if wanted.start else "frame"
        raise UserError(f"{name} has no {which} that OpenCV can read")


def _encoded(name: str, pixels: cv2.typing.MatLike) -> Frame:
    encoded, content = cv2.imencode(".png", pixels)
    if not encoded:
        raise UserError(f"{name} cannot be encoded as PNG")
    return Frame(name, content.tobytes(), pixels.shape[1], pixels.shape[0])
