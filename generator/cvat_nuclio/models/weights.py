"""Files of weights, told apart without loading them: no pickle is run, no framework is needed."""

import io
import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LARGEST_PICKLE = 64 * 2**20
LARGEST_GRAPH = 512 * 2**20
#: What torch.save wrote first before PyTorch 1.6: the number 0x1950a86a20f9469cfc6c, pickled.
OLD_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


def pickled_names(path: Path) -> tuple[set[str], set[str]]:
    """The classes (`module.Class`) and the texts that a checkpoint of PyTorch names; nothing where it is none. Nothing
    of it is run."""
    classes, texts = set[str](), set[str]()
    try:
        for opcode, argument in _opcodes(path):
            if opcode in ("GLOBAL", "INST"):
                classes.add(str(argument).replace(" ", "."))
            elif opcode == "STACK_GLOBAL":
                # Its two texts are on the stack, or were there before: any text may be a class.
                classes |= texts
            elif isinstance(argument, str):
                texts.add(argument)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return set(), set()
    return classes, texts


def _opcodes(path: Path) -> Iterator[tuple[str, object]]:
    """Of the pickle in a checkpoint; of all pickles in one of before PyTorch 1.6, which begins with a magic number."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            if not stream.read(14).startswith(OLD_MAGIC):
                return
            stream.seek(0)
            # The magic number, the layout's version, the machine, what was saved; then the numbers' bytes.
            for _ in range(4):
                yield from ((opcode.name, argument) for opcode, argument, _ in pickletools.genops(stream))
        return
    with zipfile.ZipFile(path) as archive:
        inside = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if inside is not None and archive.getinfo(inside).file_size <= LARGEST_PICKLE:
            yield from ((opcode.name, argument) for opcode, argument, _ in pickletools.genops(archive.read(inside)))


def onnx_told(path: Path) -> tuple[dict[str, str], set[str]] | None:
    """What the exporter wrote into a graph's metadata, and the names of the files beside it that hold its weights; None
    where the file is no ONNX model.

    Read by ONNX's own layout (onnx.proto3: ModelProto has `graph` as field 7, `metadata_props` as field 14).
    """
    metadata, elsewhere, seen = dict[str, str](), set[str](), set[int]()
    size = path.stat().st_size
    # A larger graph has its weights inside.
    wanted = {7, 14} if size <= LARGEST_GRAPH else {14}
    try:
        with path.open("rb") as stream:
            for field, value in _fields(stream, size, wanted):
                seen.add(field)
                if field == 14:
                    pair = dict(_pairs(value))
                    metadata[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
                elif field == 7:
                    elsewhere |= set(_elsewhere(value))
    except (ValueError, OSError):
        return None
    return (metadata, elsewhere) if 7 in seen else None


def _elsewhere(graph: bytes) -> Iterator[str]:
    """Of each initializer (TensorProto, field 5 of GraphProto) `location` among the pairs `external_data`, field 13."""
    for tensor in _inside(graph, 5):
        for text in _inside(tensor, 13):
            pair = dict(_pairs(text))
            if pair.get(1) == b"location":
                yield pair.get(2, b"").decode()


def _inside(data: bytes, wanted: int) -> Iterator[bytes]:
    """A message's fields of one number."""
    yield from (value for field, value in _fields(io.BytesIO(data), len(data), {wanted}) if field == wanted)


def _pairs(data: bytes) -> Iterator[tuple[int, bytes]]:
    yield from _fields(io.BytesIO(data), len(data), wanted={1, 2})


def _fields(stream: BinaryIO, size: int, wanted: set[int]) -> Iterator[tuple[int, bytes]]:
    """A protobuf message's fields; the bytes of those wanted, for the others none."""
    while stream.tell() < size:
        key = _varint(stream)
        field, wire = key >> 3, key & 7
        if wire == 0:
            _varint(stream)
            yield field, b""
        elif wire == 2:
            length = _varint(stream)
            if length > size - stream.tell():
                raise ValueError("a field longer than the file")
            if field in wanted:
                yield field, stream.read(length)
            else:
                stream.seek(length, 1)
                yield field, b""
        elif wire in (1, 5):
            stream.seek(8 if wire == 1 else 4, 1)
            yield field, b""
        else:
            raise ValueError("no protobuf")


def _varint(stream: BinaryIO) -> int:
    value = shift = 0
    while shift < 64:
        byte = stream.read(1)
        if not byte:
            break
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
        shift += 7
    raise ValueError("no protobuf")


def openvino_outputs(path: Path) -> set[str] | None:
    """The names of an OpenVINO model's outputs; None where the file is no IR."""
    head = path.read_bytes()[:200]
    if b"<net" not in head:
        return None
    # Names alone are wanted: an XML parser of a stranger's file would need guards against what XML can do.
    text = path.read_text("utf-8", errors="replace")
    return {name for group in re.findall(r'names="([^"]*)"', text) for name in group.split(",")}
