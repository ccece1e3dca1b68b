"""Image files: sound ones of every sort, and hostile ones."""

import base64
import functools
import io
import struct
import zlib

import numpy as np
import PIL.Image

SIZE = (48, 40)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def saved(image: PIL.Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def _noise(mode: str = "RGB", size: tuple[int, int] = SIZE) -> PIL.Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return PIL.Image.fromarray(pixels).convert(mode)


@functools.cache
def sound() -> dict[str, bytes]:
    """Files that CVAT's users have, by name. All must be answered with 200."""
    deep = PIL.Image.fromarray(np.arange(SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE[1], SIZE[0]) * 34)
    frames = [_noise("P", SIZE), PIL.Image.new("P", SIZE, 3)]
    transparent = _noise("P")
    transparent.info["transparency"] = 7
    return {
        "jpeg": saved(_noise(), "JPEG"),
        "jpeg, grey": saved(_noise("L"), "JPEG"),
        "jpeg, CMYK": saved(_noise("CMYK"), "JPEG"),
        "jpeg, progressive": saved(_noise(), "JPEG", progressive=True),
        "png": saved(_noise(), "PNG"),
        "png, one bit": saved(_noise("1"), "PNG"),
        "png, 16 bit": saved(deep, "PNG"),
        "png, alpha": saved(_noise("RGBA"), "PNG"),
        "png, grey and alpha": saved(_noise("LA"), "PNG"),
        "png, palette": saved(_noise("P"), "PNG"),
        "png, palette and transparency": saved(transparent, "PNG"),
        "png, animated": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "gif": saved(_noise("P"), "GIF"),
        "gif, animated": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "tiff": saved(_noise(), "TIFF"),
        "tiff, LZW": saved(_noise(), "TIFF", compression="tiff_lzw"),
        "tiff, 16 bit": saved(deep, "TIFF"),
        "tiff, float": saved(_noise("F"), "TIFF"),
        "tiff, pages": saved(_noise(), "TIFF", save_all=True, append_images=[_noise()]),
        "webp": saved(_noise(), "WEBP"),
        "webp, lossless alpha": saved(_noise("RGBA"), "WEBP", lossless=True),
        "bmp": saved(_noise(), "BMP"),
        "ppm": saved(_noise(), "PPM"),
        "tga": saved(_noise(), "TGA"),
        "pcx": saved(_noise(), "PCX"),
        "sgi": saved(_noise(), "SGI"),
        "jpeg 2000": saved(_noise(), "JPEG2000"),
        "1x1": saved(_noise("RGB", (1, 1)), "PNG"),
        "1x500": saved(_noise("L", (1, 500)), "PNG"),
        "30000x1": saved(PIL.Image.new("L", (30000, 1), 9), "PNG"),
    }


@functools.cache
def hostile() -> dict[str, bytes]:
    """Files that no worker must choke on, by name. All must be refused with a 4xx."""
    jpeg, png = sound()["jpeg"], sound()["png"]
    return {
        "nothing but a signature": png[:8],
        "half a jpeg": jpeg[: len(jpeg) // 2],
        "half a png": png[: len(png) // 2],
        "half a webp": sound()["webp"][:200],
        "half a tiff": sound()["tiff, LZW"][:100],
        "half a gif": sound()["gif"][:60],
        "png header of 60000x60000": png_header(60000, 60000),
        "png header of 2**31 - 1 squared": png_header(2**31 - 1, 2**31 - 1),
        "png header of no pixels": png_header(0, 0),
        "png of 20000x20000 in 50 kB": png_bomb(20000, 20000),
        "png whose data inflate for ever": png_text_bomb(),
        "gif of 65535x65535": b"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x08\x00;",
        "bmp of 2**31": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, *[0] * 6),
        "HEIF": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(200),
        "HEIF, sequence": b"\x00\x00\x00\x18ftypmsf1\x00\x00\x00\x00msf1heic" + bytes(200),
        "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        "ICO, which holds a PNG": saved(_noise("RGBA", (32, 32)), "ICO"),
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "PDF": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n",
        "ZIP": b"PK\x03\x04" + bytes(60),
        "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        "HTML": b"<html><body>not found</body></html>",
        "zeros": bytes(500),
        "one byte": b"\xff",
    }


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    return _png(width, height, [(b"IDAT", zlib.compress(b""))])


@functools.cache
def png_bomb(width: int, height: int) -> bytes:
    """A true PNG of zeros, one bit each."""
    deflate = zlib.compressobj(9)
    row = bytes(width // 8 + 2)
    data = b"".join([*[deflate.compress(row) for _ in range(height)], deflate.flush()])
    return _png(width, height, [(b"IDAT", data)], depth=1)


def png_text_bomb() -> bytes:
    """A PNG with a compressed text of 256 MB before pixels that are missing."""
    deflate = zlib.compressobj(9)
    part = bytes(2**20)
    text = b"".join([*[deflate.compress(part) for _ in range(256)], deflate.flush()])
    return _png(9, 9, [(b"zTXt", b"Comment\x00\x00" + text), (b"IDAT", zlib.compress(b"1"))])


def _png(width: int, height: int, chunks: list[tuple[bytes, bytes]], depth: int = 8) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, data in [(b"IHDR", head), *chunks, (b"IEND", b"")]:
        parts.append(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
    return b"".join(parts)
