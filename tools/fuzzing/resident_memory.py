"""Resident memory of processes (Linux), and whether it is flat."""

import ctypes
import gc
import statistics
from collections.abc import Sequence
from pathlib import Path

#: Growth after warm-up that is no growth: allocators keep what they once had.
SLACK = 16 * 2**20
SHARE = 0.05


def resident(pid: int | str = "self") -> int:
    """Bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def settle() -> None:
    """Lets this process give back what it can, so that the next reading says what it holds."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def growth(readings: Sequence[int]) -> int:
    """Bytes by which the last third of the readings lies above the first, after the first fifth is left out as
    warm-up."""
    steady = readings[len(readings) // 5 :]
    third = max(len(steady) // 3, 1)
    return int(statistics.median(steady[-third:]) - statistics.median(steady[:third]))


def is_flat(readings: Sequence[int]) -> bool:
    """Whether the growth is within what an allocator explains."""
    return growth(readings) <= max(SLACK, SHARE * min(readings))
