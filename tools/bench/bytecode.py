"""Every interpreter of the benchmarks finds its modules compiled, as pip leaves them in an image.

A fresh environment may hold sources alone, and some machines forbid writing bytecode: then each start of a worker
would compile a hundred modules, which no worker in an image does.
"""

import compileall
import os
import sys
import sysconfig
from pathlib import Path

FORBIDS = "PYTHONDONTWRITEBYTECODE"


def allow() -> None:
    """Compiles this environment's packages, and lets processes started from here keep what they compile."""
    os.environ.pop(FORBIDS, None)
    sys.dont_write_bytecode = False
    packages(Path(sysconfig.get_path("purelib")))


def packages(folder: Path) -> None:
    """Compiles what lies under a site-packages folder; what is up to date is left alone."""
    compileall.compile_dir(folder, quiet=2, workers=0)
