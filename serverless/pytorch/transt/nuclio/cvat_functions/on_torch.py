"""What the families on PyTorch share: the device, and what the log says of it."""

import sys
import time

import torch


def device_of(name: str | None) -> torch.device:
    """The named device of PyTorch, else CUDA where there is one, else the CPU."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def report(what: str, device: torch.device, started: float) -> None:
    """One line for the log: what was loaded, where, and in what time since `time.monotonic()` gave `started`."""
    place = f"cpu, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        place = f"{torch.cuda.get_device_name(device)}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
    print(f"{what}: loaded in {time.monotonic() - started:.1f} s, on {place}", file=sys.stderr, flush=True)
