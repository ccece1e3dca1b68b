"""The image formats that are read, and what a file of each must keep to before Pillow sees it.

Named are those of CVAT's list of media types (`cvat/apps/engine/media.mimetypes`) whose Pillow reader opens no other
reader and no program, and decodes pixels in compiled code. So these are left out: EPS and WMF (programs), IPTC, ICNS,
ICO, CUR, FLI and MIC (readers within readers), FITS (gzip at three bytes a microsecond), DDS, XPM, PSD, PCD and XBM
(slow, or nothing that is annotated). AVIF and HEIF are not on CVAT's list.

A stranger may send any file. What takes longer, or more memory, than its pixels is refused: the limits are far
above what programs write, and the reason stands beside each.
"""

import importlib
from typing import Final

from aa_runtime.formats.limits import TooCostly, at_most

#: The first bytes of a file, and Pillow's name. JPEG covers MPO, which phones call JPEG: its first picture is read.
#: TIFF of 64 bits only in the byte order in which Pillow reads it: the other it takes for one of 32 bits.
SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\x01\xda", "SGI"),
    (b"\x59\xa6\x6a\x95", "SUN"),
    *((b"P" + digit, "PPM") for digit in (b"1", b"2", b"3", b"4", b"5", b"6", b"f")),
    *((b"\n" + version, "PCX") for version in (b"\0", b"\2", b"\3", b"\5")),
)
#: As a user knows them.
NAMES: Final = "JPEG, PNG, BMP, GIF, WebP, TIFF, PBM/PGM/PPM, JPEG 2000, TGA, PCX, SGI or Sun raster"
#: Those whose files may cost more than their pixels; the module of that name tells.
_CHECKED: Final = frozenset({"JPEG", "PNG", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"})
#: Functions turn pictures by their EXIF, and each fraction in it becomes a Python object. JPEG has 64 KiB for it.
EXIF_BYTES: Final = 2**20

__all__ = ["NAMES", "SIGNATURES", "TooCostly", "check", "check_exif", "format_of"]


def format_of(data: bytes) -> str:
    """Pillow's name of the format that a file has by its first bytes. TGA, which has no signature, for the rest."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((name for signature, name in SIGNATURES if data.startswith(signature)), "TGA")


def check(name: str, data: bytes) -> None:
    """Raises TooCostly for a file that may cost more than its pixels; ValueError, IndexError or struct.error where it
    is too broken to tell."""
    if name in _CHECKED:
        importlib.import_module(f"aa_runtime.formats.{name.lower()}").check(data)


def check_exif(exif: object) -> None:
    """TooCostly for more EXIF, as Pillow leaves it in an image's `info`, than a picture needs."""
    if isinstance(exif, bytes):
        at_most(len(exif), EXIF_BYTES, "bytes of EXIF")
