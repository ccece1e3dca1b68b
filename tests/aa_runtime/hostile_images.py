"""Files that cost far more than their pixels, each kind made as large as asked."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Final

import PIL.Image


def saved(format: str, size: tuple[int, int] = (16, 16), mode: str = "RGB", **options: object) -> bytes:
    """A flat image."""
    stream = io.BytesIO()
    PIL.Image.new(mode, size).save(stream, format, **options)
    return stream.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(chunks: bytes) -> bytes:
    """A small PNG with these after its header."""
    plain = saved("PNG")
    return plain[:33] + chunks + plain[33:]


def png_chunks(count: int) -> bytes:
    return png_with(png_chunk(b"prVt", b"") * count)


def png_pixels_in_crumbs(count: int) -> bytes:
    plain = saved("PNG")
    return plain[:33] + png_chunk(b"IDAT", b"") * count + plain[33:]


def _bomb(size: int = 2**20 - 1) -> bytes:
    return zlib.compress(b"\xff" * size, 9)


def png_profiles(count: int) -> bytes:
    return png_with(png_chunk(b"iCCP", b"a\0\0" + _bomb()) * count)


def png_texts_without_keyword(count: int) -> bytes:
    return png_with(png_chunk(b"zTXt", b"\0\0" + _bomb()) * count)


def png_texts_that_are_no_utf8(count: int) -> bytes:
    return png_with(png_chunk(b"iTXt", b"a\0\1\0\0\0" + _bomb()) * count)


def jpeg_scans(count: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan comes again and again, without data."""
    plain = saved("JPEG", (side, side), "L", progressive=True)
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0, 1, 63, 0)
    return plain[: plain.rindex(b"\xff\xda")] + scan * count + b"\xff\xd9"


def jpeg_segments(count: int) -> bytes:
    plain = saved("JPEG")
    return plain[:2] + b"\xff\xe5\0\2" * count + plain[2:]


def jpeg_filling(count: int) -> bytes:
    plain = saved("JPEG")
    return plain[:2] + b"\xff" * count + plain[2:]


def jpeg_exif_pieces(count: int) -> bytes:
    piece = b"Exif\0\0" + b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 282, 5, 8000, 0)
    return jpeg_with(_segment(0xFFE1, piece.ljust(65_000, b"\1")) * count)


def jpeg_quantizers(count: int) -> bytes:
    return jpeg_with(_segment(0xFFDB, (b"\0" + bytes(range(1, 65))) * 1000) * count)


def jpeg_resources(count: int) -> bytes:
    return jpeg_with(_segment(0xFFED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5000) * count)


def jpeg_with(segments: bytes) -> bytes:
    plain = saved("JPEG")
    return plain[:2] + segments + plain[2:]


def jpeg_scans_of_the_next_picture(count: int, side: int = 64) -> bytes:
    """First a picture of tables alone, of which there are none."""
    return b"\xff\xd8\xff\xd9" + jpeg_scans(count, side)


def jpeg_scans_behind_a_marker(count: int, side: int = 64) -> bytes:
    """A marker that libjpeg does not know, where a restart's should be; what would be its length takes in all scans."""
    plain = saved("JPEG", (side, side), "L", progressive=True)
    start = plain.index(b"\xff\xda")
    tables = b"".join(b"\xff\xc4" + piece[: int.from_bytes(piece[:2], "big")] for piece in plain.split(b"\xff\xc4")[1:])
    scans = [
        struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, first, last, 0) for first, last in [(0, 0)] + [(1, 63)] * count
    ]
    return (
        plain[:start] + tables + b"\xff\xdd\0\4\0\1" + scans[0] + b"\xff\2\xff\xff" + b"".join(scans[1:]) + b"\xff\xd9"
    )


def gif_with(blocks: bytes) -> bytes:
    plain = saved("GIF", mode="P")
    start = plain.index(b",", 13 + 3 * 2 ** ((plain[10] & 7) + 1))
    return plain[:start] + blocks + plain[start:]


def gif_comments(count: int) -> bytes:
    return gif_with(b"!\xfe" + b"\x01a" * count + b"\0")


def gif_extensions(count: int) -> bytes:
    return gif_with(b"!\x01\0" * count)


def gif_junk(count: int) -> bytes:
    return gif_with(bytes(count))


def _bmp(width: int, height: int, runs: bytes) -> bytes:
    palette = b"".join(bytes((255 - i, i, 0, 0)) for i in range(256))
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 256)
    start = 14 + len(head) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(runs), 0, 0, start) + head + palette + runs


def bmp_ends_of_lines(count: int) -> bytes:
    """Lines of 65,535 pixels, each of four bytes."""
    return _bmp(65535, count, b"\1\1\0\0" * count + b"\0\1")


def bmp_empty_runs(count: int) -> bytes:
    return _bmp(16, 16, b"\x10\1" + b"\1\1" * count + b"\0\1")


def ppm_text(side: int) -> bytes:
    return f"P3 {side} {side} 255\n".encode() + b"1 " * (3 * side * side)


def ppm_odd_scale(side: int) -> bytes:
    return f"P6 {side} {side} 100\n".encode() + bytes(3 * side * side)


def ppm_comments(count: int) -> bytes:
    return b"P3 1 1 255\n" + b"#\n" * count + b"1 1 1\n"


def ppm_header(count: int) -> bytes:
    return b"P6 " + b" " * count + b"1 1 255\n123"


Entry = tuple[int, int, Sequence[int]]
_LETTERS: Final = {1: "B", 3: "H", 4: "I", 5: "II", 16: "Q"}


def tiff_of(entries: Sequence[Entry], pixels: bytes = b"", *, count: int | None = None) -> bytes:
    """A TIFF with these tags, little-endian; `pixels` lie at byte 8."""
    outside, written = b"", b""
    start = 8 + len(pixels)
    directory = start
    body = 2 + 12 * len(entries) + 4
    for number, kind, values in entries:
        packed = b"".join(struct.pack("<" + _LETTERS[kind][0], value) for value in values)
        amount = len(values) // len(_LETTERS[kind])
        if len(packed) > 4:
            place = struct.pack("<I", directory + body + len(outside))
            outside += packed
        else:
            place = packed.ljust(4, b"\0")
        written += struct.pack("<HHI", number, kind, amount) + place
    head = struct.pack("<2sHI", b"II", 42, directory)
    return head + pixels + struct.pack("<H", count or len(entries)) + written + bytes(4) + outside


def tiff_tags(
    width: int, height: int, compression: int, offsets: Sequence[int], sizes: Sequence[int], rows: int
) -> list[Entry]:
    return [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [8]), (259, 3, [compression]), (262, 3, [1]),
        (273, 4, offsets), (277, 3, [1]), (278, 4, [rows]), (279, 4, sizes),
    ]  # fmt: skip


def tiff_shared_strips(count: int, size: int = 2**16) -> bytes:
    """All strips, of one row each, are the same bytes: deflate's empty blocks, which say nothing, and then a row."""
    strip = zlib.compress(bytes(64), 9)
    strip = strip[:2] + b"\0\0\0\xff\xff" * (size // 5) + strip[2:]
    return tiff_of(tiff_tags(64, count, 8, [8] * count, [len(strip)] * count, 1), strip)


def tiff_strips(count: int) -> bytes:
    return tiff_of(tiff_tags(1, count, 1, [8] * count, [1] * count, 1), b"1")


def tiff_tile(side: int) -> bytes:
    """One packed tile, far larger than the image."""
    packer = zlib.compressobj(9)
    row = bytes(side)
    tile = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    tags = [
        (256, 4, [16]), (257, 4, [16]), (258, 3, [8]), (259, 3, [8]), (262, 3, [1]), (277, 3, [1]),
        (322, 4, [side]), (323, 4, [side]), (324, 4, [8]), (325, 4, [len(tile)]),
    ]  # fmt: skip
    return tiff_of(tags, tile)


def tiff_rationals(count: int) -> bytes:
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    return tiff_of([*tags, (282, 5, [1, 3] * count)], bytes(256))


def tiff_values(count: int) -> bytes:
    tags = [tag for tag in tiff_tags(16, 16, 1, [8], [256], 16) if tag[0] != 258]
    return tiff_of([tags[0], tags[1], (258, 3, [8] * count), *tags[2:]], bytes(256))


def tiff_many_tags(count: int) -> bytes:
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    return tiff_of([*tags, *((40000 + i, 3, [1]) for i in range(count))], bytes(256))


def bigtiff_many_tags(count: int) -> bytes:
    """The same tag again and again, which a directory of 64 bits may hold a million times."""
    tag = struct.pack("<HHQQ", 50000, 3, 1, 1)
    return struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) + struct.pack("<Q", count) + tag * count + bytes(8)


def tiff_exif_tags(count: int) -> bytes:
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    inner = b"".join(struct.pack("<HHII", 50000 + i, 3, 1, 1) for i in range(count))
    inner = struct.pack("<H", count) + inner + bytes(4)
    return tiff_of([*tags, (34665, 4, [264])], bytes(256) + inner)


def tiff_fractions_within(count: int) -> bytes:
    """EXIF's own directory of interoperability, and another, empty, where the first directory says it is."""
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    inner = struct.pack("<HHHIII", 1, 40965, 4, 1, 264 + 18, 0)
    deepest = struct.pack("<HHHIII", 1, 282, 5, count, 264 + 36, 0) + struct.pack("<II", 1, 3) * count
    empty = 264 + len(inner + deepest)
    return tiff_of([*tags, (34665, 4, [264]), (40965, 4, [empty])], bytes(256) + inner + deepest + bytes(6))


def tiff_fractions_in_tags(count: int) -> bytes:
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    inner = b"".join(struct.pack("<HHII", 40_000 + i, 5, 100, 8) for i in range(count))
    return tiff_of([*tags, (34665, 4, [1000])], bytes(992) + struct.pack("<H", count) + inner + bytes(4))


def tiff_values_in_tags(count: int) -> bytes:
    tags = tiff_tags(16, 16, 1, [8], [256], 16)
    inner = b"".join(struct.pack("<HHII", 40_000 + i, 3, 50_000, 8) for i in range(count))
    return tiff_of([*tags, (34665, 4, [1000])], bytes(992) + struct.pack("<H", count) + inner + bytes(100_004))


def tiff_lzma(count: int) -> bytes:
    return saved("TIFF", (count, 16), compression="lzma")


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(body)) + body


def codestream(
    size: tuple[int, int], tile: tuple[int, int], *, layers: int = 1, block: int = 4, precincts: bytes = b"",
    levels: int = 0, components: int = 1, extra: bytes = b"", parts: int = 1,
) -> bytes:  # fmt: skip
    """A JPEG 2000 codestream whose tiles hold nothing."""
    siz = struct.pack(">HIIIIIIIIH", 0, *size, 0, 0, *tile, 0, 0, components) + b"\7\1\1" * components
    cod = struct.pack(">BBHBBBBBB", bool(precincts), 0, layers, 0, levels, block, block, 0, 1) + precincts
    qcd = b"\x40" + b"\x40" * (3 * levels + 1)
    head = b"\xff\x4f" + _segment(0xFF51, siz) + _segment(0xFF52, cod) + _segment(0xFF5C, qcd) + extra
    tiles = -(-size[0] // tile[0]) * -(-size[1] // tile[1])
    body = b"".join(
        _segment(0xFF90, struct.pack(">HIBB", i, 14, part, 0)) + b"\xff\x93"
        for i in range(min(tiles, 65535))
        for part in range(parts)
    )
    return head + body + b"\xff\xd9"


def jp2(stream: bytes, size: tuple[int, int], *, boxes: bytes = b"", inner: bytes = b"") -> bytes:
    def box(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), name) + body

    ihdr = box(b"ihdr", struct.pack(">IIHBBBB", size[1], size[0], 1, 7, 7, 0, 0))
    header = box(b"jp2h", ihdr + inner + box(b"colr", struct.pack(">BBBI", 1, 0, 0, 17)))
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + boxes + header + box(b"jp2c", stream)


def jpeg2000_tiles(side: int) -> bytes:
    return codestream((side, side), (1, 1))


def jpeg2000_precincts(side: int) -> bytes:
    return codestream((side, side), (side, side), precincts=b"\0")


def jpeg2000_blocks(side: int) -> bytes:
    return codestream((side, side), (side, side), block=0)


def jpeg2000_layers(count: int) -> bytes:
    return codestream((4096, 4096), (4096, 4096), layers=count, precincts=b"\x55")


def jpeg2000_other_size(side: int) -> bytes:
    return jp2(codestream((side, side), (side, side)), (16, 16))


def jpeg2000_components(count: int) -> bytes:
    return codestream((256, 256), (64, 64), components=count)


def jpeg2000_boxes(count: int) -> bytes:
    return jp2(codestream((16, 16), (16, 16)), (16, 16), boxes=b"\0\0\0\x08free" * count)


def jpeg2000_inner_boxes(count: int) -> bytes:
    return jp2(codestream((16, 16), (16, 16)), (16, 16), inner=b"\0\0\0\x08free" * count)


def jpeg2000_markers(count: int) -> bytes:
    return codestream((16, 16), (16, 16), extra=b"\xff\x63\0\2" * count)


def jpeg2000_parts(count: int) -> bytes:
    return codestream((16, 16), (16, 16), parts=count)


def jpeg2000_changes(count: int) -> bytes:
    change = struct.pack(">BBHBBB", 0, 0, 1, 1, 1, 2)
    return codestream((16, 16), (16, 16), extra=_segment(0xFF5F, change * count))


def jpeg2000_behind_a_marker(block: int) -> bytes:
    """A marker that OpenJPEG does not know; what would be its length is the next marker, of tiny code blocks."""
    plain = codestream((16, 16), (16, 16), block=block)
    start, rest = plain.index(b"\xff\x52"), plain.index(b"\xff\x5c")
    return plain[:start] + b"\xff\x70" + plain[start:rest] + bytes(0xFF52 - rest + start) + plain[rest:]


def png_exif(count: int) -> bytes:
    return png_with(png_chunk(b"eXIf", bytes(count)))


def webp_exif(count: int) -> bytes:
    return saved("WEBP", exif=bytes(count))


Maker = Callable[[int], bytes]
#: Makes a file; the least size of those here that is refused (a request's 24 MB hold many times that); and in what
#: words.
KINDS: Final[dict[Maker, tuple[int, str]]] = {
    png_chunks: (1034, "chunks of a PNG: more than 1036"),
    png_pixels_in_crumbs: (1034, "chunks of a PNG: more than 1036"),
    png_profiles: (33, "packed texts and profiles of a PNG: more than 32"),
    png_texts_without_keyword: (33, "packed texts and profiles of a PNG: more than 32"),
    png_texts_that_are_no_utf8: (33, "packed texts and profiles of a PNG: more than 32"),
    jpeg_scans: (28, "scans of a JPEG: more than 32"),
    jpeg_segments: (504, "segments of a JPEG: more than 512"),
    jpeg_filling: (65_537, "bytes between the segments of a JPEG: more than 65536"),
    jpeg_exif_pieces: (5, "pieces of a JPEG's EXIF: more than 4"),
    jpeg_quantizers: (31, "segments of a JPEG with quantizers: more than 32"),
    jpeg_resources: (33, "segments of a JPEG with resources of Photoshop: more than 32"),
    jpeg_scans_of_the_next_picture: (28, "scans of a JPEG: more than 32"),
    jpeg_scans_behind_a_marker: (32, "scans of a JPEG: more than 32"),
    gif_comments: (65_536, "blocks of a GIF: more than 65536"),
    gif_extensions: (65_537, "blocks of a GIF: more than 65536"),
    gif_junk: (65_537, "blocks of a GIF: more than 65536"),
    bmp_ends_of_lines: (17, "pixels of a BMP in run lengths: more than 1048576"),
    bmp_empty_runs: (32_740, "bytes of a BMP of 256 pixels in run lengths: more than 66560"),
    ppm_text: (1025, "pixels of a PPM that is text or on a scale other than 255: more than 1048576"),
    ppm_odd_scale: (1025, "pixels of a PPM that is text or on a scale other than 255: more than 1048576"),
    ppm_comments: (257, "comments of a PPM: more than 256"),
    ppm_header: (16_379, "a broken or truncated image file: no PPM header in the first 16384 bytes"),
    tiff_shared_strips: (2, "bytes of a TIFF's strips together: more than 65685"),
    tiff_strips: (65_537, "strips or tiles of a TIFF: more than 65536"),
    tiff_tile: (1025, "pixels of a TIFF's tile: more than 1048576"),
    tiff_rationals: (1001, "values of a TIFF's tag 282: more than 1000"),
    tiff_values: (196_609, "values of a TIFF's tag 258: more than 196608"),
    tiff_many_tags: (966, "tags of a TIFF: more than 1000"),
    bigtiff_many_tags: (1001, "tags of a TIFF: more than 1000"),
    tiff_exif_tags: (1001, "tags of a TIFF: more than 1000"),
    tiff_fractions_within: (1001, "values of a TIFF's tag 282: more than 1000"),
    tiff_fractions_in_tags: (11, "fractions of a TIFF's EXIF: more than 1000"),
    tiff_values_in_tags: (4, "values of a TIFF's EXIF: more than 196608"),
    tiff_lzma: (16, "a TIFF of compression 34925, which is not read"),
    jpeg2000_tiles: (9, "tiles of a JPEG 2000: more than 64"),
    jpeg2000_precincts: (9, "precincts of a JPEG 2000: more than 64"),
    jpeg2000_blocks: (64, "code blocks of a JPEG 2000: smaller than 2^8"),
    jpeg2000_layers: (257, "layers of a JPEG 2000: more than 256"),
    jpeg2000_components: (5, "components of a JPEG 2000: more than 4"),
    jpeg2000_boxes: (251, "boxes of a JPEG 2000: more than 256"),
    jpeg2000_inner_boxes: (251, "boxes of a JPEG 2000: more than 256"),
    jpeg2000_markers: (254, "markers of a JPEG 2000: more than 256"),
    jpeg2000_changes: (5, "changes of order of a JPEG 2000: more than 4"),
    jpeg2000_behind_a_marker: (0, "a broken or truncated image file: a marker ff70"),
    jpeg2000_parts: (65, "parts of a JPEG 2000's tiles: more than 64"),
}
