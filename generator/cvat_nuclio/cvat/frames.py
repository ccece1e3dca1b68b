"""The bytes of a frame as CVAT sends them, from the file that a user uploads."""

import io
from pathlib import Path

from PIL import Image, ImageOps

_ORIENTATION = 0x0112


def frame_bytes(source: Path | bytes) -> bytes:
    """The file's own bytes, but for two cases that CVAT re-encodes: TIFF, and pictures that EXIF turns.

    A turned picture is rewritten upright in its own format (JPEG at quality 100 without subsampling), a TIFF
    upright with LZW. Raises PIL's UnidentifiedImageError or OSError for what Pillow cannot read.
    """
    content = source if isinstance(source, bytes) else source.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        turned = image.getexif().get(_ORIENTATION, 1) != 1
        if image.format != "TIFF" and not turned:
            image.load()  # a damaged file fails here, as it does when CVAT takes it in
            return content
        upright = ImageOps.exif_transpose(image)
        return _encoded(upright, image.format or "PNG")


def _encoded(image: Image.Image, image_format: str) -> bytes:
    buffer = io.BytesIO()
    match image_format:
        case "TIFF":
            image.save(buffer, "TIFF", compression="tiff_lzw")
        case "JPEG":
            image.save(buffer, "JPEG", quality=100, subsampling=0)
        case _:
            image.save(buffer, image_format)
    return buffer.getvalue()
