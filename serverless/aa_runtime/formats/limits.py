"""What the checks of all formats share."""

from typing import Final

#: Pixels of what Pillow decodes in Python, one by one: half a microsecond each.
SLOW_PIXELS: Final = 2**20
#: Pixels of a tile, whatever the image's size: what programs write at most for small images.
TILE_PIXELS: Final = 2**20


class TooCostly(Exception):
    """The file would take more time or memory than an image of its size may; the text says what of it."""


def at_most(count: int, most: int, what: str) -> None:
    """Raises TooCostly when `count` is larger than `most`."""
    if count > most:
        raise TooCostly(f"{what}: more than {most}")


def at_least(value: int, least: int, what: str) -> None:
    """Raises TooCostly when `value` is smaller than `least`."""
    if value < least:
        raise TooCostly(f"{what}: smaller than 2^{least}")
