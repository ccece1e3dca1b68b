"""The tags of the format: each says what the values after it are. Codes are for ever: never reuse one.

Plain constants, not an Enum, since a state holds many and Python 3.11 takes a third of a microsecond to look
up a member.
"""

from typing import Final

import attrs
import msgpack


@attrs.frozen(eq=False)
class Tag:
    """One tag. `shared`: whether the identity of such values is kept (two references to one of them are two
    references to one when decoded)."""

    code: int
    name: str
    shared: bool = False
    mark: msgpack.ExtType = attrs.field(init=False)
    """How it stands in a row that is to be packed."""

    @mark.default
    def _mark(self) -> msgpack.ExtType:
        return msgpack.ExtType(self.code, b"")


# Runs: the items of a container.
ITEMS: Final = Tag(1, "items")  # count, then each item
SCALAR_ITEMS: Final = Tag(2, "scalar items")  # count, then that many scalars
PACKED_ITEMS: Final = Tag(3, "packed items")  # typecode of `struct`, then the bytes, little-endian

# Containers, each followed by a run.
LIST: Final = Tag(8, "list", shared=True)
TUPLE: Final = Tag(9, "tuple")
SET: Final = Tag(10, "set", shared=True)
FROZENSET: Final = Tag(11, "frozenset")
DEQUE: Final = Tag(12, "deque", shared=True)  # maxlen, run
DICT: Final = Tag(13, "dict", shared=True)  # run of keys, run of values
ORDERED_DICT: Final = Tag(14, "OrderedDict", shared=True)

# Objects of the function's classes; shared unless their class has a hash of its own.
OBJECT: Final = Tag(20, "object")  # class index, run of names, run of values
ENUM: Final = Tag(21, "enum")  # class index, name
FLAG: Final = Tag(22, "flag")  # class index, int
NAMED_TUPLE: Final = Tag(23, "named tuple")  # class index, run

# Values of libraries, each followed by a count and that many scalars.
ARRAY: Final = Tag(32, "array", shared=True)
ARRAY_SCALAR: Final = Tag(33, "array scalar")
IMAGE: Final = Tag(34, "image", shared=True)
TENSOR: Final = Tag(35, "tensor", shared=True)

REFERENCE: Final = Tag(40, "reference")  # index among the shared values, in the order in which they ended
BYTEARRAY: Final = Tag(41, "bytearray", shared=True)
COMPLEX: Final = Tag(42, "complex")  # real, imaginary

BY_CODE: Final = {value.code: value for value in list(globals().values()) if isinstance(value, Tag)}
