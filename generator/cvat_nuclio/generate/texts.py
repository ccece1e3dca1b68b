"""What the texts of options may hold, and where a path in one starts.

Each text ends in a file of some language, where a stray character means something. Paths on the command line start in
the current folder, those in `cvat-nuclio.yaml` in the bundle's.
"""

import os
import re
import unicodedata
from pathlib import Path

import attrs

from ..errors import UserError

#: Control characters, line and paragraph separators, halves of surrogate pairs.
CONTROLS = {"Cc", "Zl", "Zp", "Cs"}
#: Linux's limits, in bytes.
LONGEST_NAME, LONGEST_PATH = 255, 4096

# What a Dockerfile's COPY takes for a variable, a pattern or a quote.
_SPECIAL = re.compile(r"[$*?\[\]\\\"'`]")
_HOST_LABEL = "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)"


def lines(flag: str, text: str) -> None:
    """A text of one or more lines: where it goes, it is escaped."""
    if has_controls(text.replace("\n", "").replace("\t", "")):
        raise UserError(f"{flag} {text!a} has a control character", remedy="text, and line breaks as \\n alone")


def one_line(flag: str, text: str) -> None:
    """A text without line breaks and control characters."""
    if has_controls(text):
        raise UserError(f"{flag} {text!a} has a line break or a control character", remedy="one line of text")


def path(flag: str, text: str) -> None:
    """A path that a file system may have."""
    one_line(flag, text)
    parts = text.encode().split(b"/")
    if len(text.encode()) >= LONGEST_PATH or any(len(part) > LONGEST_NAME for part in parts):
        raise UserError(f"{flag} {text[:60]}… is too long for a path")


def module(flag: str, text: str) -> None:
    """`package.module`."""
    if not all(part.isidentifier() for part in text.split(".")):
        raise UserError(f"{flag} {text!a} is no module", remedy="its qualified name: package.module")


@attrs.frozen
class Form:
    """A text that one pattern tells. Called with an option and a text it raises UserError, unless that matches."""

    what: str
    pattern: str
    remedy: str

    def __call__(self, flag: str, text: str) -> None:
        if not re.fullmatch(self.pattern, text):
            raise UserError(f"{flag} {text!a} is not {self.what}", remedy=self.remedy)


image = Form("an image", "[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}", "NAME, NAME:TAG or REGISTRY/NAME:TAG")
url = Form("an address", "[a-z][a-z0-9+.-]*://[!-~]+", "https://HOST/PATH, in ASCII")
#: For `apt-get install`, which would remove one whose name ends in a dash.
package = Form(
    "a Debian package",
    "[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9][a-z0-9-]*)?(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?",
    "NAME, NAME:ARCHITECTURE or NAME=VERSION",
)
label = Form(
    "a label of Kubernetes",
    "([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
    "letters, digits, `-`, `_`, `.`; a key with PREFIX/ before it",
)
quantity = Form(
    "a quantity", r"[0-9]{1,18}(\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?", "Kubernetes' form: 2, 500m, 4Gi, 512Mi"
)
version = Form("a version of Nuclio", r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", "1.14.1")
host = Form("a host's name", rf"(?=.{{1,253}}$)(\*\.)?{_HOST_LABEL}(\.{_HOST_LABEL})*", "functions.example.org")
variable = Form(
    "a variable's name", "[A-Za-z_][A-Za-z0-9_]{0,127}", "letters, digits and underscores; its value stays where it is"
)


def place(text: str) -> None:
    """A file's path in the bundle, whose first part is copied by the Dockerfile."""
    top = text.partition("/")[0]
    if has_controls(text) or _SPECIAL.search(top):
        raise UserError(
            f"{text!a} cannot be a file of the bundle",
            why="line breaks, quotes and $ * ? [ ] \\ mean something else in a Dockerfile",
            remedy="rename it, or give it another place: --add PATH=PLACE",
        )


def has_controls(text: str) -> bool:
    """Whether a text is more than one line, or holds what no line can show."""
    return any(unicodedata.category(char) in CONTROLS for char in text)


def joined(text: str) -> str:
    """A text as one line: blanks stand for what no line can show, and one of them for several."""
    return " ".join("".join(" " if has_controls(char) else char for char in text).split())


def move_path(text: str, folder: Path) -> str:
    """A path of the current folder, as seen from `folder`."""
    # os.path's: a Path's expanduser() fails for `~` of nobody.
    return Path(os.path.relpath(os.path.expanduser(text), folder)).as_posix()  # noqa: PTH111


def move_program(text: str, folder: Path) -> str:
    """The same, unless it is a name that PATH finds."""
    return move_path(text, folder) if os.sep in text else text


def move_added(text: str, folder: Path) -> str:
    """`PATH` or `PATH=PLACE`."""
    source, equals, place = text.partition("=")
    return move_path(source, folder) + equals + place


def move_parameter(text: str, folder: Path) -> str:
    """`NAME=TYPE:VALUE`: a path where the type is `file`."""
    name, equals, value = text.partition("=file:")
    return f"{name}{equals}{move_path(value, folder)}" if equals and value else text


def move_mount(text: str, folder: Path) -> str:
    """`HOST:PATH`: a folder of this machine is named in full, for the file is read elsewhere."""
    host, colon, inside = text.partition(":")
    return f"{os.path.abspath(os.path.expanduser(host))}:{inside}" if host.startswith(("~", ".")) and colon else text  # noqa: PTH100, PTH111
