"""What the checks of the formats read of a file: each form that a file may have, and what they leave alone."""

import struct
from collections.abc import Sequence

import PIL.Image
import pytest
from tests.aa_runtime import hostile_images
from tests.aa_runtime.hostile_images import png_chunk, saved

from aa_runtime import Options, RequestError
from aa_runtime.formats import TooCostly, check, format_of
from aa_runtime.images import open_image


def checked(data: bytes) -> None:
    check(format_of(data), data)


def opened(data: bytes) -> PIL.Image.Image:
    return open_image(data, "image", Options().max_image_pixels)


def test_what_follows_the_end_of_a_png_is_not_counted() -> None:
    data = saved("PNG") + png_chunk(b"prVt", b"") * 2000
    assert opened(data).size == (16, 16)


def test_a_png_chunk_longer_than_any_file_is_a_broken_file() -> None:
    plain = saved("PNG")
    with pytest.raises(RequestError) as caught:
        opened(plain[:33] + b"\xff\xff\xff\xffprVt" + plain[33:])
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "head", [b"P6 1200 1200 255\n", b"P5 1200 1200 255\n", b"P5 1200 1200 65535\n", b"P4 9000 9000\n"]
)
def test_kinds_of_ppm_that_are_decoded_at_once_may_be_large(head: bytes) -> None:
    checked(head + bytes(1200 * 1200 * 3))


@pytest.mark.parametrize("kind", [b"P1", b"P2", b"P3"])
def test_comments_are_counted_in_every_ppm_that_is_text(kind: bytes) -> None:
    checked(kind + b" 1 1 255\n" + b"#\n" * 256)
    with pytest.raises(TooCostly, match="comments of a PPM"):
        checked(kind + b" 1 1 255\n" + b"#\n" * 257)


def test_signs_of_a_comment_among_bytes_are_no_comments() -> None:
    checked(b"P6 20 20 100\n" + b"#" * 1200)


def test_a_bmp_of_old_has_no_run_lengths() -> None:
    """Its header is so short that pixels lie where later ones say how they are packed."""
    header = struct.pack("<IHHHH", 12, 2, 2, 1, 24)
    pixels = b"\1\0\0\0" * 4
    data = struct.pack("<2sIHHI", b"BM", 26 + len(pixels), 0, 0, 26) + header + pixels
    assert opened(data).size == (2, 2)


@pytest.mark.parametrize("height", [16, -16])
def test_the_rows_of_a_bmp_may_go_up_or_down(height: int) -> None:
    checked(hostile_images._bmp(16, height, b"\x10\1" * 16 + b"\0\1"))
    with pytest.raises(TooCostly, match="bytes of a BMP of 256 pixels"):
        checked(hostile_images._bmp(16, height, b"\x10\1" * 40_000))


def tiff(order: str, big: bool, tags: Sequence[tuple[int, int, Sequence[int]]]) -> bytes:
    """A TIFF of either byte order and of 32 or 64 bits, its directory first; values of several are behind it."""
    letters = {3: "H", 4: "I", 16: "Q"}
    start, head, entry, room = (16, "Q", "HHQ", 8) if big else (8, "H", "HHI", 4)
    behind = start + struct.calcsize("<" + head) + len(tags) * (room + struct.calcsize("<" + entry)) + room
    written, outside = struct.pack(order + head, len(tags)), b""
    for number, kind, values in tags:
        packed = struct.pack(f"{order}{len(values)}{letters[kind]}", *values)
        if len(packed) > room:
            packed, outside = struct.pack(order + ("Q" if big else "I"), behind + len(outside)), outside + packed
        written += struct.pack(order + entry, number, kind, len(values)) + packed.ljust(room, b"\0")
    magic = struct.pack(order + "HHHQ", 43, 8, 0, start) if big else struct.pack(order + "HI", 42, start)
    return (b"II" if order == "<" else b"MM") + magic + written + bytes(room) + outside + bytes(300)


FORMS = pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
PLAIN = {256: (3, [16]), 257: (3, [16]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 273: (4, [8]), 279: (4, [256])}


def tiff_with(order: str, big: bool, **changed: tuple[int, list[int]]) -> bytes:
    """A TIFF of 16 x 16 with other tags, by `_NUMBER`."""
    tags = PLAIN | {int(name[1:]): value for name, value in changed.items()}
    return tiff(order, big, [(number, *value) for number, value in sorted(tags.items())])


@FORMS
def test_every_form_of_tiff_is_read(order: str, big: bool) -> None:
    assert opened(tiff_with(order, big)).size == (16, 16)
    checked(tiff_with(order, big, _258=(3, [8, 8, 8])))
    checked(tiff_with(order, big, _256=(4, [20_000]), _257=(4, [20_000])))


@FORMS
def test_every_form_of_tiff_is_checked(order: str, big: bool) -> None:
    tile = {"_324": (4, [8]), "_325": (4, [256])}
    for words, changed in {
        "compression 34925": {"_259": (3, [34925])},
        "a TIFF's tile": {**tile, "_322": (4, [1024]), "_323": (4, [1025])},
        "strips together": {"_259": (3, [5]), "_273": (4, [8, 8, 8]), "_279": (4, [200, 200, 300])},
        "strips or tiles": {"_324": (4, [8] * 65_537)},
        "tag 258": {"_258": (3, [8] * 196_609)},
        "tags of a TIFF": {f"_{40_000 + i}": (3, [1]) for i in range(1000)},
    }.items():
        with pytest.raises(TooCostly, match=words):
            checked(tiff_with(order, big, **changed))
    checked(tiff_with(order, big, **tile, _322=(4, [1024]), _323=(4, [1024])))
    checked(tiff_with(order, big, _259=(3, [5]), _273=(4, [8, 8]), _279=(4, [100, 100])))


@FORMS
def test_a_tiff_without_a_compression_has_none(order: str, big: bool) -> None:
    tags = [(number, *value) for number, value in PLAIN.items() if number != 259]
    checked(tiff(order, big, [*tags[:-1], (279, 4, [2**31])]))


def test_a_tiff_of_64_bits_that_pillow_takes_for_32_is_refused() -> None:
    """What the check counts in the one directory is not what Pillow would read, which is the other."""
    many = [(number, *value) for number, value in (PLAIN | {40_000 + i: (3, [1]) for i in range(3000)}).items()]
    directory = tiff(">", False, sorted(many))[8:]
    data = tiff_with(">", True).ljust(0x80000, b"\0") + directory
    with pytest.raises(RequestError) as caught:
        opened(data)
    assert caught.value.status == 415


def test_a_tile_of_a_large_tiff_may_be_four_times_as_large_as_the_image() -> None:
    large = {"_256": (4, [2000]), "_257": (4, [1000]), "_324": (4, [8]), "_325": (4, [256]), "_323": (4, [2000])}
    checked(tiff_with("<", False, **large, _322=(4, [4000])))
    with pytest.raises(TooCostly, match="a TIFF's tile"):
        checked(tiff_with("<", False, **large, _322=(4, [4001])))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"_259": (3, [5]), "_279": (4, [1, 1])}, "strips without their sizes"),
        ({"_256": (4, [])}, ""),
    ],
)
def test_a_tiff_whose_tags_do_not_agree_is_broken(changed: dict[str, tuple[int, list[int]]], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        opened(tiff_with("<", False, **changed))
    assert caught.value.status == 400
    assert words in caught.value.message


def test_a_tiff_with_a_tag_twice_is_broken() -> None:
    tags = [(number, *value) for number, value in PLAIN.items()]
    with pytest.raises(RequestError) as caught:
        opened(tiff("<", False, [*tags, (279, 4, [1])]))
    assert caught.value.message == "a broken or truncated image file: tag 279 comes twice"


def test_types_of_values_that_nobody_knows_are_passed_over() -> None:
    tags = [(256, 3, [16]), (257, 3, [16]), (259, 3, [34925])]
    data = tiff("<", False, tags)
    unknown = struct.pack("<HHII", 257, 99, 1, 0)
    data = data[:8] + struct.pack("<H", 4) + unknown + data[10:]
    with pytest.raises(TooCostly, match="compression 34925"):
        checked(data)


def test_scans_of_jpeg_within_a_tiff_are_counted_beside_its_strips() -> None:
    jpeg = tiff_with("<", False, _259=(3, [7]), _273=(4, [8, 8]), _279=(4, [100, 100]))
    checked(jpeg + b"\xff\xda" * 34)
    with pytest.raises(TooCostly, match="scans of a TIFF: more than 34"):
        checked(jpeg + b"\xff\xda" * 35)
    checked(tiff_with("<", False) + b"\xff\xda" * 100)


@pytest.mark.parametrize("colours", [2, 4, 16, 256])
def test_a_gif_s_palette_is_no_block(colours: int) -> None:
    """Its bytes may look like anything: here like the start of a picture, or like blocks that lead nowhere."""
    for byte in (b",", b"!", b"\1"):
        palette = PIL.Image.new("P", (4, 4))
        palette.putpalette(byte * 3 * colours)
        data = bytearray(saved("GIF", mode="P"))
        size = 3 << (data[10] & 7) + 1
        bits = colours.bit_length() - 2
        data[10] = data[10] & ~7 | 0x80 | bits
        data[13 : 13 + size] = byte * 3 * colours
        checked(bytes(data))
        start = 13 + 3 * colours
        with pytest.raises(TooCostly, match="blocks of a GIF"):
            checked(bytes(data[:start]) + bytes(65_537) + bytes(data[start:]))


def test_a_gif_without_a_palette_is_read() -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x07, 0x80, 0)
    picture = b"," + struct.pack("<HHHHB", 0, 0, 4, 4, 0)
    checked(head + picture)
    with pytest.raises(TooCostly, match="blocks of a GIF"):
        checked(head + bytes(65_537) + picture)
