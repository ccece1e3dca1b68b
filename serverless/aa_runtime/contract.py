"""Names, limits and words of the contract between CVAT and a function. Names no model.

Where a limit guards memory, its comment says what it guards and why a real CVAT never meets it.
"""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The value of `metadata.annotations.type`; CVAT lists no other."""

    DETECTOR = "detector"
    INTERACTOR = "interactor"
    TRACKER = "tracker"
    REID = "reid"


#: CVAT's shape types. `tag` is not one of them: a tag has no geometry.
SHAPE_TYPES: Final = frozenset({"rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"})

#: How many numbers `points` holds; CVAT 2.40 and later refuse anything else, older servers store it and
#: the job then cannot be opened.
EXACT_NUMBERS: Final = {"rectangle": 4, "ellipse": 4, "cuboid": 16, "skeleton": 0}
LEAST_NUMBERS: Final = {"polygon": 6, "polyline": 4, "points": 2, "mask": 5}

#: What `DetectionFunctionContext.frame_name` says. CVAT sends no file name to a Nuclio function, so that an
#: AA function cannot learn it; the word is safe to use in a file name.
FRAME_NAME: Final = "frame"

#: The interactor's confidence attribute (`cvat_sdk.auto_annotation.InteractionResultAttributes.CONFIDENCE`).
CONFIDENCE_SPEC_ID: Final = 0

# Lists of a request. Each is far above what CVAT's UI can produce and far below what would hurt a worker.
MAX_PROMPT_POINTS: Final = 10_000
MAX_TEXT_PROMPTS: Final = 100
MAX_TEXT_LETTERS: Final = 1000
MAX_TRACKED_OBJECTS: Final = 10_000
#: A tracker keeps a shape twice in a state's 4 MiB, its own copy and the runtime's.
MAX_SHAPE_NUMBERS: Final = 100_000
#: ReID builds matrices of boxes0 x boxes1. The best assignment takes n * n * n steps where the boxes look as if they
#: lay on a line: 8 seconds for 2048, a minute for twice as many.
MAX_REID_BOXES: Final = 2048

#: Larger coordinates are no pixels; beyond it float32 loses whole pixels.
MAX_COORDINATE: Final = float(2**24)

CONTENT_TYPE: Final = "application/json"


def points_fault(shape_type: str, count: int) -> str | None:
    """What is wrong with a shape's `points` of `count` numbers, or None. `shape_type` is one of
    `SHAPE_TYPES`."""
    exact = EXACT_NUMBERS.get(shape_type)
    if exact is not None:
        return None if count == exact else f"a {shape_type} has {exact} numbers, not {count}"
    least = LEAST_NUMBERS[shape_type]
    if count < least:
        return f"a {shape_type} has at least {least} numbers, not {count}"
    if shape_type != "mask" and count % 2:
        return f"a {shape_type} has an even count of numbers, not {count}"
    return None
