"""Asks an AA function itself: loads it in a process of its own, under an interpreter that has its packages."""

import os
from collections.abc import Sequence
from pathlib import Path

from .apply_rules import Ask
from .bundle import Function

#: Seconds for one function: a model's weights take their time.
PATIENCE = 600.0


def loader(python: str) -> Ask:
    """What `check` asks with. A path of an interpreter is taken from the current folder."""
    executable = os.path.abspath(python) if os.sep in python else python  # noqa: PTH100 - a link leads to its packages

    def ask(function: Function) -> Sequence[tuple[str, str]]:
        from ..generate.probe import ProbeRequest, probe

        file = Path(os.path.abspath(function.file))  # noqa: PTH100 - a function may be reached through a link
        request = ProbeRequest(
            python=executable, module=None, file=file, parameters=function.parameters, directory=file.parent,
            timeout=PATIENCE,
        )  # fmt: skip
        return probe(request).faults

    return ask
