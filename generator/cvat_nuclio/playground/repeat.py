"""The commands that repeat a call of the page's."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..cvat import NEWEST
from .pictures import Held


def curl(url: str) -> str:
    """For the last request, which the page offers to save."""
    return f"curl -sS {shlex.quote(url)} -H 'Content-Type: application/json' --data-binary @request.json"


def invoke(bundle: str, frames: Sequence[Held], options: Mapping[str, Any], picture: str) -> str:
    """`cvat-nuclio invoke` with the files by the names under which the user gave them."""
    words = ["cvat-nuclio", "invoke", bundle, *_files(frames)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif value not in (None, False, NEWEST.value):
            # With an equals sign: a value may begin with a minus.
            words += [f"{option}={each}" for each in (value if isinstance(value, list) else [value])]
    return shlex.join([*words, "--output", picture])


def _files(frames: Sequence[Held]) -> list[str]:
    """Neighbouring frames of a video as one file with their numbers."""
    files: list[str] = []
    for held in frames:
        file, _, number = held.frame.name.rpartition("#")
        before = files[-1].rpartition("#") if files else ("", "", "")
        if file != held.file:
            files.append(held.file)
        elif before[0] == file and int(before[2].split("-")[-1]) + 1 == int(number):
            files[-1] = f"{file}#{before[2].split('-')[0]}-{number}"
        else:
            files.append(held.frame.name)
    return files
