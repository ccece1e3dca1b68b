"""What something was measured on."""

import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path


def machine(distributions: Iterable[str]) -> str:
    """Its cores, how busy they are, and the versions of Python and of those of the distributions that are installed."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    cores = f"{len(os.sched_getaffinity(0))} cores of {model}, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    known = {found.name.replace("_", "-"): found.version for found in importlib.metadata.distributions()}
    versions = (f"{name} {known[name]}" for name in distributions if name in known)
    return ", ".join([cores, f"Python {platform.python_version()}", *versions])
