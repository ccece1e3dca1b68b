"""From nuctl's output to the one line that is the cause.

nuctl prints up to 330 KB for a failed deploy; the cause is one line in the middle of it, often inside JSON inside a
log line. The patterns are data (`data/deploy_causes.yaml`), tried in order.
"""

import functools
import re
from importlib import resources

import attrs
import yaml

_COLOUR = re.compile(r"(?:\x1b|\\+u001b)\[[0-9;]*m")


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


@functools.cache
def _patterns() -> tuple[_Pattern, ...]:
    text = resources.files("cvat_nuclio.data").joinpath("deploy_causes.yaml").read_text("utf-8")
    return tuple(
        _Pattern(row["id"], re.compile(row["pattern"], re.MULTILINE), row["cause"], row["remedy"])
        for row in yaml.safe_load(text)
    )


def plain(output: str) -> str:
    """The output without colour codes, and with the escapes of JSON inside JSON undone."""
    # A Python traceback in a log line in nuctl's own log line is escaped three times, so any number of backslashes.
    text = _COLOUR.sub("", output).replace("\r", "\n")
    return re.sub(r'\\+"', '"', re.sub(r"\\+n", "\n", text))


def find_cause(stdout: str, stderr: str) -> Cause:
    """The cause of a failed nuctl run; the first line of its own message where no pattern fits."""
    text = plain(stderr) + "\n" + plain(stdout)
    for pattern in _patterns():
        if match := pattern.expression.search(text):
            groups = {key: (value or "").strip() for key, value in match.groupdict().items()}
            return Cause(pattern.id, pattern.cause.format(**groups), pattern.remedy)
    return Cause("unknown", _own_line(text), "look at the log")


def _own_line(text: str) -> str:
    """nuctl's own first line, or where that is an exit status alone what the program under it printed first."""
    own = re.search(r"^(?:Error - )?(?P<line>\S.*)$", text, re.MULTILINE)
    if own is None:
        return "nuctl said nothing"
    printed = re.search(r"^std(?:out|err):\n(?P<line>[^\s].*)$", text, re.MULTILINE)
    return printed["line"] if printed and own["line"].startswith("exit status ") else own["line"]
