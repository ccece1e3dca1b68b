"""Pillow images: mode, size, bytes, palette, transparency."""

from collections.abc import Callable
from typing import Any, Final

import PIL.Image

from aa_runtime.state import tags
from aa_runtime.state.faults import DecodeError, EncodeError

_BITS: Final = {
    **dict.fromkeys(("1",), 1),
    **dict.fromkeys(("L", "P"), 8),
    **dict.fromkeys(("LA", "La", "PA", "I;16", "I;16B", "I;16L"), 16),
    **dict.fromkeys(("RGB", "YCbCr", "LAB", "HSV"), 24),
    **dict.fromkeys(("RGBA", "RGBa", "RGBX", "CMYK", "I", "F"), 32),
}
_PALETTES: Final = ("RGB", "RGBA")


class _Pictures:
    """`[mode, width, height, bytes, transparency, palette mode, palette bytes]`.

    What else a file said (`info`, EXIF, further frames) is not part of a state.
    """

    tag = tags.IMAGE

    def take_apart(self, value: PIL.Image.Image) -> list[Any]:
        """EncodeError for a mode that Pillow itself barely knows."""
        if value.mode not in _BITS:
            raise EncodeError(f"an image of mode {value.mode} cannot be encoded")
        value.load()
        palette = value.palette if value.mode in ("P", "PA") else None
        colours = [palette.mode, bytes(palette.getdata()[1])] if palette else [None, None]
        transparency = value.info.get("transparency")
        if type(transparency) not in (int, bytes):
            transparency = None
        return [value.mode, *value.size, value.tobytes(), transparency, *colours]

    def put_together(self, part: Callable[[], Any]) -> PIL.Image.Image:
        """DecodeError unless the bytes are exactly what mode and size need."""
        mode, width, height, data, transparency, palette_mode, palette = (part() for _ in range(7))
        if type(width) is not int or type(height) is not int or width < 0 or height < 0:
            raise DecodeError("damaged")
        if type(data) is not bytes or (width * _BITS[mode] + 7) // 8 * height != len(data):
            raise DecodeError("damaged")
        image = PIL.Image.frombytes(mode, (width, height), data) if data else PIL.Image.new(mode, (width, height))
        if palette_mode is not None:
            _put_palette(image, palette_mode, palette)
        if transparency is not None:
            image.info["transparency"] = _transparency(transparency)
        return image


def _put_palette(image: PIL.Image.Image, mode: object, palette: object) -> None:
    if mode not in _PALETTES or type(palette) is not bytes or len(palette) > 1024 or image.mode not in ("P", "PA"):
        raise DecodeError("damaged")
    image.putpalette(palette, str(mode))


def _transparency(value: object) -> int | bytes:
    if type(value) is int and 0 <= value < 2**16:
        return value
    if type(value) is bytes and len(value) <= 256:
        return value
    raise DecodeError("damaged")


PICTURES: Final = _Pictures()
