"""How much memory worker processes hold, from the kernel's own account."""

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


def largest_mib(pids: Iterable[int]) -> float:
    """The largest of these processes' resident memory in MiB; 0 for none."""
    return max((resident_mib(pid) for pid in pids), default=0.0)
