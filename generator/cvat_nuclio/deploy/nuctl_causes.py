"""From nuctl's output to the one line that is the cause.

nuctl prints up to 330 KB for a failed deploy; the cause is one line in the middle of it, often inside JSON inside a
log line. The patterns are data (`data/deploy_causes.yaml`), tried in order: in the failing build step's own lines where
a build stopped, else in what the cluster says of the pods, the function's status and nuctl's output.
"""

import functools
import re
from collections.abc import Mapping
from importlib import resources

import attrs
import yaml

from .build_step import BuildStep, failing_step

_COLOUR = re.compile(r"(?:\x1b|\\+u001b)\[[0-9;]*m")


LONGEST = 200
"""Characters of a cause: it is one line, also in the table at the end."""


@attrs.frozen
class Cause:
    """What went wrong (`text`, one line), what to do, and the id of the pattern that found it."""

    id: str
    text: str
    remedy: str


@attrs.frozen
class _Pattern:
    id: str
    expression: re.Pattern[str]
    cause: str
    remedy: str
    where: str
    """`build`: a failing step's own lines; `start`: everything else; empty: both."""


@functools.cache
def _patterns() -> tuple[_Pattern, ...]:
    text = resources.files("cvat_nuclio.data").joinpath("deploy_causes.yaml").read_text("utf-8")
    return tuple(
        _Pattern(row["id"], re.compile(row["pattern"], re.MULTILINE), row["cause"], row["remedy"], row.get("where", ""))
        for row in yaml.safe_load(text)
    )


def plain(output: str) -> str:
    """The output without colour codes, and with the escapes of JSON inside JSON undone."""
    # A Python traceback in a log line in nuctl's own log line is escaped three times, so any number of backslashes.
    text = _COLOUR.sub("", output).replace("\r", "\n")
    return re.sub(r'\\+"', '"', re.sub(r"\\+n", "\n", text))


def find_cause(stdout: str, stderr: str, evidence: str = "") -> Cause:
    """The cause of a failed nuctl run; the first line of its own message where no pattern fits.

    `evidence` is what the function's status, its pods and their events say.
    """
    said = _NOISE.sub("", f"{plain(stderr)}\n{plain(stdout)}")
    if step := failing_step(said):
        return _find(f"{step.output}\nexit code {step.code}", "build") or _of_step(step)
    found = _find(f"{_NOISE.sub('', plain(evidence))}\n{said}", "start")
    return found or Cause("unknown", _own_line(said), "look at the log")


# No sign of anything: what the processor logs of its configuration (the user's text), notes of client-go and of Docker.
_NOISE = re.compile(
    r"Read configuration \{[\s\S]*?\n\}\"\}|^I\S* +(?:\S+ +)*request\.go:\d+\] Waited for .*$"
    r"|^DEPRECATED: The legacy builder is deprecated[\s\S]*?environment-variable\.$",
    re.MULTILINE,
)


def _find(text: str, where: str) -> Cause | None:
    for pattern in _patterns():
        if pattern.where in ("", where) and (match := pattern.expression.search(text)):
            groups = {key: (value or "").strip() for key, value in match.groupdict().items()}
            return Cause(pattern.id, _short(pattern.cause.format(**groups)), _filled(pattern.remedy, groups))
    return None


def _filled(text: str, groups: Mapping[str, str]) -> str:
    """`text` with what was found in place of its `{name}`; other braces are the remedy's own."""
    return re.sub(r"\{(\w+)\}", lambda match: groups.get(match[1], match[0]), text)


def _of_step(step: BuildStep) -> Cause:
    if not step.command:
        return Cause(
            "build-failed", _short(f"the build failed: {step.own_line}"), "correct the step that the log names"
        )
    said = step.own_line or step.command
    return Cause(
        "build-command-failed",
        _short(f"a build step failed with exit code {step.code}: {said}"),
        f"correct the step `{_short(step.command)}`; the log holds its whole output",
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) < LONGEST else f"{text[: LONGEST - 2]}…"


def _own_line(text: str) -> str:
    """nuctl's own first line, or where that is an exit status alone what the program under it printed first."""
    own = re.search(r"^(?:Error - )?(?P<line>\S.*)$", text, re.MULTILINE)
    if own is None:
        return "nuctl said nothing"
    printed = re.search(r"^std(?:out|err):\n(?P<line>[^\s].*)$", text, re.MULTILINE)
    return printed["line"] if printed and own["line"].startswith("exit status ") else own["line"]
