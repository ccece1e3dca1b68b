"""One call of the page's: what it asks in `invoke`'s own words, its steps, and what is kept of it to save."""

import json
import secrets
import shlex
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

import attrs

from ..cvat import NEWEST, Generation, ListingError
from ..errors import UserError
from ..invoke.call_options import Options, options_of
from ..invoke.call_report import Report, unlistable
from ..invoke.call_target import Target
from ..invoke.kinds import steps
from .pictures import Held, Pictures
from .shown import as_text, finite, shown

MOST_CALLS = 24
"""So many reports are kept with their pictures, of all tabs together."""
LOG_LINES_LATE = 0.05
"""Seconds that a worker's last line may come after its answer."""
_TEXTS = {"pos", "neg", "shape", "box0", "box1"}
_TAKEN: dict[str, set[type]] = {
    "threshold": {int, float},
    "max_distance": {int},
    "conv_mask_to_poly": {bool},
    "box": {str},
    "cvat": {str},
    **{name: {list} for name in _TEXTS},
}


@attrs.frozen
class Served:
    """A function as the page calls it: what `invoke` needs, its bundle as the user named it, and its log."""

    target: Target
    bundle: str
    mark: Callable[[], int]
    lines: Callable[[int], list[str]]


@attrs.define
class Call:
    """A call under way. A tracker's goes on with every `step`, all others have one."""

    id: str
    served: Served
    frames: Sequence[Held]
    options: Options
    given: Mapping[str, Any]
    report: Report | None = None
    _steps: Iterator[Report] | None = None
    _seen: int = 0
    _mark: int = 0
    _lock: Lock = attrs.field(factory=Lock)

    @classmethod
    def of(cls, served: Served, frames: Sequence[Held], given: Mapping[str, Any]) -> "Call":
        """Raises `UserError` for options that `invoke` would not take."""
        options = options_of(checked(given))
        found = steps(served.target, [held.frame for held in frames], options)
        return cls(secrets.token_urlsafe(12), served, frames, options, given, steps=found)

    def step(self) -> dict[str, Any]:
        """Goes on; what the page shows of it: new shapes, new log lines, the last exchange, the commands.

        Raises `UserError` where the options do not fit the kind, or CVAT cannot list the function.
        """
        with self._lock:
            self._mark = self._mark or self.served.mark()
            report = self._next()
            time.sleep(LOG_LINES_LATE if report is None or report.failed else 0)
            self.report = report or self.report
            told = {"call": self.id, "done": report is None or not self._goes_on, "log": self.served.lines(self._mark)}
            return finite(told | self._told())

    def _next(self) -> Report | None:
        try:
            return next(self._steps or iter(()), None)
        except ListingError as error:
            raise unlistable(error, self.options.generation) from error

    @property
    def _goes_on(self) -> bool:
        report = self.report
        follows = report is not None and report.function.kind == "tracker" and not report.failed
        return follows and report is not None and len(report.calls.answers) < len(self.frames)

    def _told(self) -> dict[str, Any]:
        if self.report is None:
            return {}
        first, self._seen, calls = self._seen, len(self.report.kept), self.report.calls
        last = {"request": as_text(calls.payloads[-1:]), "answer": as_text(calls.answers[-1:])}
        return shown(self.report, first) | last | {"commands": self._commands()}

    def _commands(self) -> dict[str, str]:
        picture = "answer.gif" if len(self.frames) > 2 else "answer.png"
        invoke = invoke_command(self.served.bundle, self.frames, self.given, picture)
        return {"curl": curl_command(self.served.target.url), "invoke": invoke}


def checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options of the right types under known names. Raises `UserError`."""
    for name, value in given.items():
        texts = name not in _TEXTS or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        if name not in _TAKEN or not texts or type(value) not in _TAKEN[name]:
            raise UserError(f"{name}={json.dumps(value)[:80]} is no option of a call")
    generation(given.get("cvat", "G3"))
    return given


def generation(name: str) -> Generation:
    """A generation of CVAT by its name. Raises `UserError`."""
    try:
        return Generation(name)
    except ValueError:
        raise UserError(f"there is no generation {name!r} of CVAT", remedy="G1, G2 or G3") from None


def curl_command(url: str) -> str:
    """For the last request, which the page offers to save."""
    return f"curl -sS {shlex.quote(url)} -H 'Content-Type: application/json' --data-binary @request.json"


def invoke_command(bundle: str, frames: Sequence[Held], options: Mapping[str, Any], picture: str) -> str:
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


@attrs.define
class Calls:
    """The newest calls, for their next steps and to be saved."""

    pictures: Pictures
    _calls: OrderedDict[str, Call] = attrs.field(factory=OrderedDict)

    def start(self, served: Served, body: Mapping[str, Any]) -> Call:
        """A new call. Raises `UserError`."""
        call = Call.of(served, self.pictures.get(body["frames"]), body.get("options") or {})
        self._calls[call.id] = call
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)
        return call

    def get(self, name: str) -> Call:
        """Raises `UserError` for one that is no longer kept."""
        if name not in self._calls:
            raise UserError("this call is no longer kept", remedy="ask again")
        self._calls.move_to_end(name)
        return self._calls[name]
