"""The tags of the format: what the values that follow are. Numbers are for ever: never reuse one.

Plain integers, not an Enum, since a state holds many and Python 3.11 takes a third of a microsecond to look
up a member of one.
"""

from typing import Final

SCALAR: Final = 0  # one scalar

# Runs: the items of a container.
ITEMS: Final = 1  # count; then each item with its tag
SCALAR_ITEMS: Final = 2  # count, then that many scalars
PACKED_ITEMS: Final = {code: 3 + index for index, code in enumerate("Bhiqfd")}
"""By typecode of `struct`: the bytes of that many numbers, little-endian. 3 to 8."""

# Containers, each followed by a run.
LIST: Final = 16
TUPLE: Final = 17
SET: Final = 18
FROZENSET: Final = 19
DEQUE: Final = 20  # maxlen, run
DICT: Final = 21  # run of keys, run of values
ORDERED_DICT: Final = 22

# Objects of the function's classes.
OBJECT: Final = 32  # class index, run of names, run of values
ENUM: Final = 33  # class index, name
FLAG: Final = 34  # class index, int
NAMED_TUPLE: Final = 35  # class index, run
FIELDS: Final = 36  # class index; then the value of each field of the class, with its tag: an object of just those

# Values of libraries, each as many scalars as its adapter has parts.
ARRAY: Final = 48
ARRAY_SCALAR: Final = 49
IMAGE: Final = 50
TENSOR: Final = 51

REFERENCE: Final = 64  # index among the shared values, in the order in which they ended
BYTEARRAY: Final = 65
COMPLEX: Final = 66  # real, imaginary

#: Not in any token: what comes after the last.
END: Final = 255

#: Values whose identity is kept: two references to one of them are two references to one when decoded.
#: Objects are too, unless their class has a hash of its own (`StateClass.shareable`).
SHARED: Final = frozenset({LIST, SET, DEQUE, DICT, ORDERED_DICT, BYTEARRAY, ARRAY, IMAGE, TENSOR})
