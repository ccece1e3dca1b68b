"""Whether the resident memory of a process is flat."""

import ctypes
import gc
import statistics
from collections.abc import Sequence

#: Growth after warm-up that is no growth, in MiB: allocators keep what they once had.
SLACK = 16.0
SHARE = 0.05


def settle() -> None:
    """Lets this process give back what it can, so that the next reading says what it holds."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def growth(readings: Sequence[float]) -> float:
    """MiB by which the last third of the readings lies above the first, after the first fifth is left out as
    warm-up."""
    steady = readings[len(readings) // 5 :]
    third = max(len(steady) // 3, 1)
    return statistics.median(steady[-third:]) - statistics.median(steady[:third])


def is_flat(readings: Sequence[float]) -> bool:
    """Whether the growth is within what an allocator explains."""
    return growth(readings) <= max(SLACK, SHARE * min(readings))
