import base64
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
from tests.aa_runtime import hostile_images
from tests.aa_runtime.hostile_images import saved

from aa_runtime import Options, RequestError
from aa_runtime.formats import SIGNATURES, check, format_of
from aa_runtime.images import open_image, read_image

LIMIT = Options().max_image_pixels


def read(text: object, limit: int = LIMIT) -> PIL.Image.Image:
    return read_image({"image": text}, "image", limit)


def refused(text: object, limit: int = LIMIT) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(text, limit)
    assert caught.value.field == "image"
    return caught.value


def gradient(mode: str) -> PIL.Image.Image:
    values = np.add.outer(np.arange(20), np.arange(30))
    if mode == "I;16":
        return PIL.Image.fromarray((values * 1000).astype(np.uint16))
    if mode == "F":
        return PIL.Image.fromarray(values.astype(np.float32))
    if mode == "I":
        return PIL.Image.fromarray((values * 100_000).astype(np.int32))
    return PIL.Image.fromarray((values * 5).astype(np.uint8)).convert(mode)


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("TIFF", mode) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB", "I")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
        *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
        *(("GIF", mode) for mode in ("L", "P")),
        ("PPM", "RGB"),
        ("TGA", "RGBA"),
        *(("JPEG2000", mode) for mode in ("L", "RGB", "RGBA", "I;16")),
        *(("TGA", mode) for mode in ("L", "P", "RGB")),
        *(("PPM", mode) for mode in ("1", "L", "I")),
        *(("PCX", mode) for mode in ("1", "L", "P", "RGB")),
        *(("SGI", mode) for mode in ("L", "RGB", "RGBA")),
        ("MPO", "RGB"),
    ],
)
def test_hands_over_every_format_and_mode_as_pillow_reads_it(
    format: str, mode: str, encode: Callable[..., str]
) -> None:
    text = encode(gradient(mode), format)
    plain = PIL.Image.open(io.BytesIO(base64.b64decode(text)))
    plain.load()
    image = read(text)
    assert (image.mode, image.size, image.format) == (plain.mode, plain.size, plain.format)
    assert image.tobytes() == plain.tobytes()


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first(format: str, encode: Callable[..., str]) -> None:
    frames = [PIL.Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    image = read(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    pixel = image.convert("RGB").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 50 > max(pixel[1:])


def test_does_not_turn_by_exif(encode: Callable[..., str]) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    assert read(encode(gradient("RGB"), "JPEG", exif=exif)).size == (30, 20)


def test_takes_base64_in_lines(encode: Callable[..., str]) -> None:
    text = encode(gradient("RGB"))
    lines = "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)) + "\n"
    assert read(lines).tobytes() == read(text).tobytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "missing"),
        ("", "empty"),
        (5, "not a number"),
        (["x"], "not an array"),
        ("   ", "not base64"),
        ("####", "not base64"),
        ("iVBORw0KGgo", "not base64"),
        ("iVBO=Rw0", "not base64"),
        ("iVBORw0KGg==\N{GREEK SMALL LETTER ALPHA}", "not base64"),
        ("iVBORw0KGg==iVBO", "not base64"),
        ("_-_-", "not base64"),
        ("data:image/png;base64,iVBORw0KGgo=", "without a 'data:' prefix"),
    ],
)
def test_says_why_it_is_no_base64(text: object, words: str) -> None:
    assert words in refused(text).message


def test_garbage_is_no_image() -> None:
    for data in (b"hello", b"\0" * 1000, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4\n"):
        assert refused(base64.b64encode(data).decode()).status == 415


@pytest.mark.parametrize(("brand", "name"), [(b"heic", "HEIF"), (b"avif", "AVIF")])
def test_names_formats_that_phones_and_browsers_make(brand: bytes, name: str) -> None:
    fault = refused(base64.b64encode(b"\0\0\0\x18ftyp" + brand + b"\0" * 50).decode())
    assert fault.status == 415
    assert name in fault.message


def test_says_which_formats_are_read() -> None:
    message = refused(base64.b64encode(b"hello").decode()).message
    for name in ("JPEG", "PNG", "BMP", "GIF", "WebP", "TIFF", "PPM", "JPEG 2000"):
        assert name in message


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


def iptc(payload: bytes) -> bytes:
    """An IPTC/NAA file of 10x10 pixels, whose reader opens whatever it carries."""
    fields = [(3, 60, b"\1\0"), (3, 20, b"\0\x0a"), (3, 30, b"\0\x0a"), (3, 120, b"\5")]
    head = b"".join(b"\x1c" + bytes(name) + struct.pack(">H", len(value)) + value for *name, value in fields)
    return head + b"\x1c\x08\x0a\x84\0" + struct.pack(">I", len(payload)) + payload


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(EPS, id="EPS"),
        pytest.param(iptc(EPS), id="EPS in IPTC"),
        pytest.param(iptc(saved("JPEG")), id="JPEG in IPTC"),
        pytest.param(b"SIMPLE  =                    T".ljust(80), id="FITS"),
        *(
            pytest.param(saved(format), id=format)
            for format in ("ICO", "ICNS", "EPS", "DDS", "DIB", "IM", "MSP", "SPIDER", "AVIF")
            if format in PIL.Image.SAVE and (format != "MSP")
        ),
    ],
)
def test_other_readers_are_never_reached(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plain = PIL.Image.open

    def noted(file: Any, formats: list[str]) -> Any:
        asked.append(*formats)
        return plain(file, formats=formats)

    monkeypatch.setattr(PIL.Image, "open", noted)
    assert refused(base64.b64encode(data).decode()).status == 415
    assert set(asked) <= {name for _, name in SIGNATURES} | {"WEBP", "TGA"}


def name_of(make: Callable[[int], bytes]) -> str:
    return make.__name__


@pytest.mark.parametrize("make", hostile_images.KINDS, ids=name_of)
def test_refuses_what_costs_more_than_its_pixels_before_pillow_sees_it(
    make: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    size, words = hostile_images.KINDS[make]
    data = make(size)
    monkeypatch.setattr(PIL.Image, "open", lambda *args, **named: pytest.fail("opened"))
    fault = refused(base64.b64encode(data).decode())
    if make in (hostile_images.ppm_header, hostile_images.jpeg2000_behind_a_marker):
        assert (fault.status, fault.message) == (400, words)
    else:
        costs = "the file would take far more time or memory than its pixels. Save the image again"
        assert (fault.status, fault.message) == (413, f"{words}; {costs}")


#: Of these already one is too many, or their size is not that of the hostile part.
ONE_IS_TOO_MANY = {
    hostile_images.jpeg2000_behind_a_marker,
    hostile_images.tiff_lzma,
    hostile_images.bigtiff_many_tags,
    hostile_images.jpeg2000_other_size,
    hostile_images.jpeg2000_blocks,
}


@pytest.mark.parametrize("make", [hostile_images.png_exif, hostile_images.webp_exif])
def test_exif_that_functions_would_take_seconds_to_read_is_refused(make: Callable[[int], bytes]) -> None:
    assert read(base64.b64encode(make(2**20 - 100)).decode()).size == (16, 16)
    fault = refused(base64.b64encode(make(2**20 + 1)).decode())
    assert (fault.status, fault.message.partition(";")[0]) == (413, "bytes of EXIF: more than 1048576")


@pytest.mark.parametrize("make", [make for make in hostile_images.KINDS if make not in ONE_IS_TOO_MANY], ids=name_of)
def test_one_less_of_the_same_is_let_through(make: Callable[[int], bytes]) -> None:
    data = make(hostile_images.KINDS[make][0] - 1)
    check(format_of(data), data)


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"progressive": True, "quality": 100, "icc_profile": bytes(300_000), "comment": b"hello"}),
        ("PNG", {"icc_profile": bytes(1000), "dpi": (72, 72), "compress_level": 0}),
        *(("TIFF", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "raw")),
        ("TIFF", {"compression": "tiff_lzw", "big_tiff": True, "icc_profile": bytes(100_000)}),
        ("TIFF", {"compression": "tiff_lzw", "strip_size": 1000}),
        ("JPEG2000", {"tile_size": (128, 128), "num_resolutions": 5, "codeblock_size": (32, 32)}),
        ("JPEG2000", {"quality_layers": [40, 20, 10], "precinct_size": (128, 128), "irreversible": True}),
        ("JPEG2000", {"no_jp2": True}),
        ("WEBP", {"lossless": True}),
        ("SGI", {"bpc": 2}),
    ],
)
def test_takes_what_programs_write(format: str, options: dict[str, Any], encode: Callable[..., str]) -> None:
    noise = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 256, (700, 600, 3), np.uint8))
    text = encode(noise, format, **options)
    plain = PIL.Image.open(io.BytesIO(base64.b64decode(text)))
    assert read(text).tobytes() == plain.tobytes()


@pytest.mark.parametrize(
    "data", [b"P3 2 1 9\n# a\n1 2 3 4 5 9", b"P1\n#a\n2 1\n01", b"P6 2 1 100\nabcdef", b"P2 1 1 3 2"]
)
def test_small_files_of_the_slow_kinds_are_read(data: bytes) -> None:
    assert read(base64.b64encode(data).decode()).tobytes() == PIL.Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("pixels", [599, 600])
def test_refuses_a_size_that_decoding_brought(
    pixels: int, encode: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As IPTC's reader did: the header says less than what comes."""

    def load(self: Any) -> None:
        self._size = (30, 20)

    text = encode(PIL.Image.new("L", (10, 10)))
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", load)
    if pixels == 600:
        assert read(text, pixels).size == (30, 20)
    else:
        assert refused(text, pixels).status == 413


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_refuses_truncated_files(format: str, share: float, encode: Callable[..., str]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    data = base64.b64decode(encode(PIL.Image.fromarray(noise), format))
    fault = refused(base64.b64encode(data[: int(len(data) * share)]).decode())
    assert fault.status in (400, 415)


def test_refuses_truncated_files_even_where_a_library_told_pillow_not_to(
    encode: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    data = base64.b64decode(encode(PIL.Image.fromarray(noise), "JPEG"))
    assert refused(base64.b64encode(data[:-2000]).decode()).status == 400
    assert PIL.ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_refuses_too_many_pixels_before_decoding(encode: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = encode(gradient("RGB"))
    assert read(text, 600).size == (30, 20)
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    fault = refused(text, 599)
    assert fault.status == 413
    assert "599" in fault.message


def test_refuses_too_many_pixels_whatever_pillow_does(
    encode: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's own check is a warning that anybody may switch off, and its readers call it each in its way."""
    text = encode(gradient("RGB"))
    monkeypatch.setattr(PIL.Image, "_decompression_bomb_check", lambda *args, **named: None)
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    assert refused(text, 599).status == 413


def png_of(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [14_000, 60_000, 2**31 - 1])
def test_refuses_decompression_bombs(side: int) -> None:
    assert refused(base64.b64encode(png_of(side, side)).decode()).status == 413


def test_the_limit_may_be_above_pillows_own(monkeypatch: pytest.MonkeyPatch, encode: Callable[..., str]) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    assert read(encode(gradient("RGB"))).size == (30, 20)
    assert PIL.Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("fault", [MemoryError])
def test_running_out_of_memory_is_not_the_callers_fault(
    fault: type[BaseException], encode: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise fault

    text = encode(gradient("RGB"))
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", fail)
    with pytest.raises(fault):
        read(text)


def test_the_image_needs_no_file_afterwards(encode: Callable[..., str]) -> None:
    data = base64.b64decode(encode(gradient("RGB"), "TIFF"))
    image = open_image(data, "image", LIMIT)
    del data
    assert image.getpixel((29, 19)) == (240, 240, 240)
