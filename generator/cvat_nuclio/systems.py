"""What an operating system lacks that this tool builds on: Windows has no Unix signals and no file locks."""

import importlib.util
import os
import signal
import subprocess
from contextlib import suppress

from .errors import UserError


def require_unix(what: str) -> None:
    """Raises UserError where `what` cannot run, as Nuclio's processor itself cannot."""
    modules = [name for name in ("fcntl", "resource") if _lacks(name)]
    signals = [name for name in ("SIGUSR1", "SIGUSR2") if not hasattr(signal, name)]
    if lacking := modules + signals:
        raise UserError(
            f"{what} needs Linux or macOS",
            why=f"this system has no {', '.join(lacking)}",
            remedy="run it in WSL2, which is Linux; docs/platforms.md says what works where",
        )


def _lacks(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except ValueError:  # taken out of this process
        return True


def send(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Sends a signal to a program's whole session; where there are none the program itself is ended."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()
