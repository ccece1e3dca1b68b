"""Base64 text → bytes → `PIL.Image`, unconverted and whole, within limits.

CVAT sends the user's own file, with EXIF rotation already applied. Which formats are read, and why: `formats`.
"""

import binascii
import importlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Final

import PIL.Image
import PIL.ImageFile

from aa_runtime import formats
from aa_runtime.errors import RequestError
from aa_runtime.fields import json_type

#: The largest block that glibc can be taught to keep, less room for headers.
KEPT_BLOCK: Final = 2**25 - 2**16
#: Pillow's module of each format that `PIL.Image.preinit` does not load.
_PLUGINS: Final = {
    "TIFF": "Tiff",
    "JPEG2000": "Jpeg2K",
    "WEBP": "WebP",
    "TGA": "Tga",
    "PCX": "Pcx",
    "SGI": "Sgi",
    "SUN": "Sun",
}
#: Formats that phones and browsers make, and that CVAT's server does not take.
_FOREIGN_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}


def image_bytes(body: Mapping[str, object], field: str) -> bytes:
    """The file in `body[field]`. RequestError 400 when it is absent, no text, empty or no base64."""
    text = body.get(field)
    if text is None:
        raise RequestError("missing: base64 text of an image file is expected", field=field)
    if not isinstance(text, str):
        raise RequestError(f"base64 text is expected, not {json_type(text)}", field=field)
    if not text:
        raise RequestError("empty: base64 text of an image file is expected", field=field)
    return _decode_base64(text, field)


def open_image(data: bytes, field: str, max_pixels: int) -> PIL.Image.Image:
    """The decoded image: first frame, own mode, nothing converted.

    RequestError 413 when it has more than `max_pixels` (found in the header, before decoding) or when the file would
    cost more than its pixels, 415 when it is of none of the formats that are read, 400 when it is broken or cut off.
    """
    with _decoding(max_pixels):
        try:
            image = _open(data)
            _check_size(image, field, max_pixels)
            image.load()
            formats.check_exif(image.info.get("exif"))
        except (RequestError, MemoryError):
            raise
        except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
            raise RequestError(f"more than {max_pixels} pixels", field=field, status=413) from None
        except formats.TooCostly as fault:
            text = f"{fault}; the file would take far more time or memory than its pixels. Save the image again"
            raise RequestError(text, field=field, status=413) from None
        except PIL.UnidentifiedImageError:
            raise RequestError(_unknown_format(data), field=field, status=415) from None
        except Exception as fault:
            # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error and more for
            # bad files.
            raise RequestError(f"a broken or truncated image file: {_words(fault)}", field=field) from fault
    _check_size(image, field, max_pixels)
    return image


def read_image(body: Mapping[str, object], field: str, max_pixels: int) -> PIL.Image.Image:
    """`open_image` of `image_bytes`."""
    return open_image(image_bytes(body, field), field, max_pixels)


def _decode_base64(text: str, field: str) -> bytes:
    # CVAT: the standard alphabet, padded, on one line. Lines are accepted too, since `base64 FILE` breaks
    # them.
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError as fault:
        if text.startswith("data:"):
            raise RequestError("bare base64 text is expected, without a 'data:' prefix", field=field) from None
        whole = "".join(text.split())
        if len(whole) == len(text) or not whole:
            raise RequestError(f"not base64: {_words(fault)}", field=field) from None
    return _decode_base64(whole, field)


def _check_size(image: PIL.Image.Image, field: str, max_pixels: int) -> None:
    width, height = image.size
    if width * height > max_pixels:
        raise RequestError(f"{width}x{height} are more than {max_pixels} pixels", field=field, status=413)
    if width < 1 or height < 1:
        raise RequestError(f"an image of {width}x{height} pixels", field=field)


@contextmanager
def _decoding(max_pixels: int) -> Iterator[None]:
    """Pillow's process-wide switches, for one decoding: libraries set them at will, and workers have no
    threads."""
    before = PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES
    PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES = max_pixels, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES = before


def prepare() -> None:
    """At a worker's start: what the first image would wait for, and what every large one would."""
    PIL.Image.preinit()
    # glibc gives large blocks back to the system at once, which clears and maps every page anew for the next request:
    # a third of the time of a 12 MP JPEG. It stops doing so up to the size of the largest block that it has seen
    # freed (mallopt(3), M_MMAP_THRESHOLD), and keeps at most twice that. These bytes are never touched.
    memory = bytes(KEPT_BLOCK)
    del memory


def _open(data: bytes) -> PIL.Image.Image:
    """The image before it is decoded, by the one reader that its first bytes name."""
    name = formats.format_of(data)
    formats.check(name, data)
    # Before asking `open`, which imports all forty plugins for a name that it does not know.
    if name in _PLUGINS:
        importlib.import_module(f"PIL.{_PLUGINS[name]}ImagePlugin")
    return PIL.Image.open(BytesIO(data), formats=(name,))


def _unknown_format(data: bytes) -> str:
    foreign = _FOREIGN_BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None
    what = f"a {foreign} image, which CVAT does not take" if foreign else "not an image in a format that is read"
    return f"{what}: {formats.NAMES} is expected"


def _words(fault: Exception) -> str:
    text = str(fault) or type(fault).__name__
    return text.splitlines()[0][:120]
