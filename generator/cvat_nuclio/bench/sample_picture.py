"""The picture that is sent where the user names none."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..cvat.sample import SIZE
from ..errors import UserError

FRAME = (1920, 1080)
#: The prompts and boxes of the request lie within this size.
LEAST = SIZE


def photograph(width: int, height: int) -> bytes:
    """A JPEG that takes as long to decode as a photograph: smooth shapes with noise on them. Always the same."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (height // 40, width // 40, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth).astype(np.int16) + generator.integers(-6, 7, (height, width, 3))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def read_picture(file: Path) -> bytes:
    """The user's file as it is. UserError when it is no image, or too small for the request around it."""
    try:
        content = file.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except UnidentifiedImageError:
        raise UserError(f"{file} is not an image that Pillow reads") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read", why=error.strerror or str(error)) from None
    if width < LEAST[0] or height < LEAST[1]:
        raise UserError(f"{file} has {width} x {height} pixels", remedy=f"send at least {LEAST[0]} x {LEAST[1]}")
    return content
