"""What is read of a JPEG 2000 before OpenJPEG sees it, in each form that a file may have."""

import struct

import pytest
from tests.aa_runtime.hostile_images import codestream, jp2

from aa_runtime.formats import TooCostly, check

SIDE = 1024
PLAIN = codestream((SIDE, SIDE), (SIDE, SIDE))


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(body)) + body


def refusal(data: bytes) -> str | None:
    try:
        check("JPEG2000", data)
    except (TooCostly, ValueError) as fault:
        return str(fault)
    return None


def from_offset(left: int, top: int) -> bytes:
    """An image of `SIDE` a side whose place in the grid starts at an offset."""
    sizes = struct.pack(">8I", SIDE + left, SIDE + top, left, top, SIDE, SIDE, left, top)
    return PLAIN[:8] + sizes + PLAIN[40:]


def box(name: bytes, body: bytes, *, long: bool = False) -> bytes:
    head = struct.pack(">I4sQ", 1, name, 16 + len(body)) if long else struct.pack(">I4s", 8 + len(body), name)
    return head + body


def component(style: int, *sides: int, levels: int = 0, block: int = 4) -> bytes:
    """The coding of one component, which replaces that of all."""
    return segment(0xFF53, bytes([0, style, levels, block, block, 0, 1, *sides]))


def with_extra(extra: bytes) -> bytes:
    return codestream((SIDE, SIDE), (SIDE, SIDE), extra=extra)


def test_an_image_may_lie_anywhere_in_its_grid() -> None:
    assert refusal(jp2(from_offset(100, 200), (SIDE, SIDE))) is None
    assert refusal(jp2(from_offset(100, 200), (SIDE + 100, SIDE))) == "two different sizes"
    assert refusal(jp2(from_offset(100, 200), (SIDE, SIDE + 200))) == "two different sizes"


def test_pixels_are_counted_without_the_offset() -> None:
    """Tiles of 64 x 64: one for each 4,096 pixels, and 64 more."""
    tiles = struct.pack(">8I", SIDE + 4096, SIDE, 4096, 0, 32, 32, 4096, 0)
    assert refusal(PLAIN[:8] + tiles + PLAIN[40:]) == "tiles of a JPEG 2000: more than 320"
    tiles = struct.pack(">8I", SIDE, SIDE + 4096, 0, 4096, 32, 32, 0, 4096)
    assert refusal(PLAIN[:8] + tiles + PLAIN[40:]) == "tiles of a JPEG 2000: more than 320"


def test_a_codestream_begins_with_its_size() -> None:
    assert refusal(PLAIN[:2] + PLAIN[PLAIN.index(b"\xff\x52") :]) == "a codestream without a size"


@pytest.mark.parametrize("long", [False, True])
def test_boxes_say_their_length_in_two_ways(long: bool) -> None:
    first = box(b"ftyp", b"jp2 \0\0\0\0jp2 ", long=long)
    assert refusal(first + box(b"jp2c", PLAIN, long=long)) is None
    assert refusal(first + box(b"jp2c", with_extra(component(0, block=0)), long=long)) == (
        "code blocks of a JPEG 2000: smaller than 2^8"
    )


def test_the_last_box_may_go_to_the_end_of_the_file() -> None:
    assert refusal(box(b"ftyp", b"") + struct.pack(">I4s", 0, b"jp2c") + PLAIN) is None


def test_boxes_that_lead_nowhere() -> None:
    assert refusal(box(b"ftyp", b"")) == "no codestream"
    assert refusal(box(b"ftyp", b"") + box(b"free", b"")) == "no codestream"
    assert refusal(struct.pack(">I4s", 7, b"free") + box(b"jp2c", PLAIN)) == "a box shorter than its head"
    assert refusal(struct.pack(">I4sQ", 1, b"free", 15) + box(b"jp2c", PLAIN)) == "a box shorter than its head"


def test_the_coding_of_a_component_is_checked_as_that_of_all_is() -> None:
    assert refusal(with_extra(component(0))) is None
    assert refusal(with_extra(component(0, block=0))) == "code blocks of a JPEG 2000: smaller than 2^8"
    # A precinct of one pixel, where the component says that it has its own.
    assert refusal(with_extra(component(1, 0x00))) == "precincts of a JPEG 2000: more than 1088"
    assert refusal(with_extra(component(0, 0x00))) is None
    assert refusal(with_extra(component(2, 0x00))) is None


@pytest.mark.parametrize(
    ("sides", "count"),
    [
        ([0x55], 32 * 32),  # of 32 x 32
        ([0x64], 64 * 16),
        ([0x46], 16 * 64),
        ([0x55, 0x55], 16 * 16 + 32 * 32),
        ([0x44, 0x88, 0x88], 16 * 16 + 2 * 2 + 4 * 4),
    ],
)
def test_precincts_of_all_resolutions_are_counted(sides: list[int], count: int) -> None:
    """Each resolution has half the sides of the next, the last those of the tile."""
    allowed = 64 + SIDE * SIDE // 1024
    expected = "precincts of a JPEG 2000: more than 1088" if count > allowed else None
    assert refusal(codestream((SIDE, SIDE), (SIDE, SIDE), levels=len(sides) - 1, precincts=bytes(sides))) == expected


def test_a_long_tile_has_as_many_precincts_as_its_pixels_allow() -> None:
    long = codestream((64 * SIDE, 16), (64 * SIDE, 16), precincts=b"\x45")
    assert refusal(long) == "precincts of a JPEG 2000: more than 1088"
    assert refusal(codestream((64 * SIDE, 16), (64 * SIDE, 16), precincts=b"\x46")) is None


def test_changes_of_the_order_are_added_up() -> None:
    change = struct.pack(">BBHBBB", 0, 0, 1, 1, 1, 2)
    assert refusal(with_extra(segment(0xFF5F, change * 2) * 2)) is None
    assert refusal(with_extra(segment(0xFF5F, change * 2) * 2 + segment(0xFF5F, change))) == (
        "changes of order of a JPEG 2000: more than 4"
    )
