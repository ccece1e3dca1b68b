"""The tags of the format: what sort of value comes next. Numbers are for ever: never reuse one.

Plain integers, not an Enum, since a state holds many and Python 3.11 takes a third of a microsecond to look
up a member of one.
"""

from typing import Final

SCALAR: Final = 0
"""One of `wire.SCALARS`. Every other value is a node: a tag, a count, and that many parts."""

# Containers: the parts are the items.
LIST: Final = 1
TUPLE: Final = 2
SET: Final = 3
DEQUE: Final = 4  # maxlen, items: the last so many frames
DICT: Final = 5  # keys, values
ORDERED_DICT: Final = 6  # keys, values: the objects of SAM 2's own video predictor

# Of the function's classes: the first part is the index of the class in the state's own table.
OBJECT: Final = 7  # values of the attributes that the table names
VALUE: Final = 8  # the same, for classes with a hash of their own: frozen ones, TrackableShape among them
ENUM: Final = 9  # name of the member
NAMED_TUPLE: Final = 10  # items

# Of libraries: the parts say what the next bytes of the bulk are.
ARRAY: Final = 11  # dtype, order, dimensions
NUMBER: Final = 12  # dtype: a numpy scalar, which is what indexing an array gives
# 13 was a picture of Pillow's.
TENSOR: Final = 14  # dtype, kind of device, dimensions

REFERENCE: Final = 15  # index among the shared values, in the order in which they ended

#: Set in the tag of a node whose parts are all scalars, which then have no tags of their own and are taken in one go:
#: boxes, points and most objects.
FLAT: Final = 64

#: Nodes whose identity is kept: two references to one of them are two references to one when decoded. Nothing
#: that can be hashed is: a few bytes could then stand for a structure that takes ages to hash.
SHARED: Final = frozenset({LIST, SET, DEQUE, DICT, ORDERED_DICT, OBJECT, ARRAY, TENSOR})
