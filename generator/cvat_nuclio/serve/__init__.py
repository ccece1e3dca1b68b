"""The engines (built-in; the real Nuclio processor) and Nuclio's dashboard calls.

`running(path)` serves a bundle while a `with` block runs.
"""

from .engine_report import FunctionReport, Report
from .running import Server, running

__all__ = ["FunctionReport", "Report", "Server", "running"]
