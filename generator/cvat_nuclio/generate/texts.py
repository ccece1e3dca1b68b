"""What the texts of options may hold. Each ends in a file of some language, where a stray character means something."""

import re
import unicodedata

from ..errors import UserError

#: Control characters, line and paragraph separators, halves of surrogate pairs.
CONTROLS = {"Cc", "Zl", "Zp", "Cs"}
#: Linux's limits, in bytes.
LONGEST_NAME, LONGEST_PATH = 255, 4096

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+")
# A name that ends in a dash would be removed instead of installed.
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9][a-z0-9-]*)?(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?")
_LABEL = re.compile(r"([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}$)(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
# What a Dockerfile's COPY takes for a variable, a pattern or a quote.
_SPECIAL = re.compile(r"[$*?\[\]\\\"'`]")


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


def image(flag: str, text: str) -> None:
    """A Docker image's reference."""
    _form(_IMAGE, flag, text, "an image", "NAME, NAME:TAG or REGISTRY/NAME:TAG")


def url(flag: str, text: str) -> None:
    """An address that stands in a requirements file."""
    _form(_URL, flag, text, "an address", "https://HOST/PATH, in ASCII")


def package(flag: str, text: str) -> None:
    """What `apt-get install` takes."""
    _form(_PACKAGE, flag, text, "a Debian package", "NAME, NAME:ARCHITECTURE or NAME=VERSION")


def label(flag: str, text: str) -> None:
    """A key or a value of a Kubernetes label."""
    _form(_LABEL, flag, text, "a label of Kubernetes", "letters, digits, `-`, `_`, `.`; a key with PREFIX/ before it")


def version(flag: str, text: str) -> None:
    """A release of Nuclio's."""
    _form(_VERSION, flag, text, "a version of Nuclio", "1.14.1")


def host(flag: str, text: str) -> None:
    """A host's name in an Ingress."""
    _form(_HOST, flag, text, "a host's name", "functions.example.org")


def variable(flag: str, text: str) -> None:
    """A variable's name that a shell takes."""
    _form(_VARIABLE, flag, text, "a variable's name", "letters, digits and underscores; its value stays where it is")


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


def _form(pattern: re.Pattern[str], flag: str, text: str, what: str, remedy: str) -> None:
    if not pattern.fullmatch(text):
        raise UserError(f"{flag} {text!a} is not {what}", remedy=remedy)
