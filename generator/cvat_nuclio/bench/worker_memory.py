"""How much memory and processor time worker processes take, from the kernel's own account."""

import os
from collections.abc import Iterable
from pathlib import Path


def resident_mib(pid: int) -> float:
    """The process's resident memory in MiB (Linux); 0 when it is gone or the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return 0.0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(pids: Iterable[int]) -> float:
    """Processor time that these processes took so far, in seconds (Linux); 0 where the system does not say."""
    return sum(map(_processor_seconds, pids))


def _processor_seconds(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return 0.0
    # After the name, which may hold blanks and brackets: fields 14 and 15, user and system time in ticks.
    fields = status.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def largest_mib(pids: Iterable[int]) -> float:
    """The largest of these processes' resident memory in MiB; 0 for none."""
    return max((resident_mib(pid) for pid in pids), default=0.0)
