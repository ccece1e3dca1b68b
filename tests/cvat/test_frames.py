"""The bytes that CVAT sends for each kind of picture, beside what was recorded of them."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, UnidentifiedImageError

from cvat_nuclio.cvat.frames import frame_bytes

VECTORS = "detector"
WITH = "source_file"
SIZE = (64, 48)


def picture(name: str, mode: str, *, orientation: int | None = None) -> bytes:
    """A file of the recorded kind: 64 by 48 pixels (the recorder's own pictures are not in the recordings)."""
    image = Image.linear_gradient("L").resize(SIZE).convert("RGB" if mode == "RGB" else "L")
    if mode in ("RGBA", "P", "I;16"):
        image = image.convert(mode)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    image_format = {"jpg": "JPEG"}.get(Path(name).suffix[1:], Path(name).suffix[1:].upper())
    image.save(buffer, image_format, **({"exif": exif} if orientation else {}))
    return buffer.getvalue()


def test_the_frame_is_what_was_recorded_for_its_kind(vector: dict[str, Any]) -> None:
    recorded = vector["request"]["image"]["$image"]
    turned = 6 if "exif6" in vector["id"] else None
    content = picture(vector["source_file"]["name"], recorded["mode"], orientation=turned)
    sent = frame_bytes(content)
    assert (sent == content) == vector["image_bytes_equal_source_file"]
    with Image.open(io.BytesIO(sent)) as image:
        assert Image.MIME[image.format or ""] == recorded["media_type"]
        assert image.mode == recorded["mode"]
        expected = SIZE if "1600x1200" in vector["id"] else tuple(recorded["size"])
        assert image.size == expected
        assert image.getexif().get(0x0112, 1) == 1


def test_a_turned_picture_is_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture("a.png", "RGB", orientation=8))
    with Image.open(io.BytesIO(frame_bytes(path))) as image:
        assert image.size == (48, 64)
        assert image.format == "PNG"


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnidentifiedImageError):
        frame_bytes(b"no picture")


def test_a_damaged_picture_is_refused() -> None:
    content = picture("a.png", "RGB")
    with pytest.raises((OSError, SyntaxError)):
        frame_bytes(content[: len(content) // 2])
