"""Every interpreter of the benchmarks finds its modules compiled, as pip leaves them in an image.

A fresh environment may hold sources alone, and some machines forbid writing bytecode: then each start of a worker
would compile a hundred modules, which no worker in an image does.
"""

import compileall
import os
import sys
import sysconfig

FORBIDS = "PYTHONDONTWRITEBYTECODE"


def allow() -> None:
    """Compiles those of this environment's packages that are not yet, and lets processes started from here keep what
    they compile."""
    os.environ.pop(FORBIDS, None)
    sys.dont_write_bytecode = False
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)
