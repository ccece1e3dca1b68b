"""Names that Nuclio, Kubernetes, Docker and CVAT all take."""

import hashlib
import re
import unicodedata
from pathlib import Path

from ..errors import UserError
from ..limits import NAME, RESERVED_NAMES, SAM_NAME

#: Files that any function may be in; a bundle beside one is called like it.
COMMON_FILES = ("func", "main", "model")


def check_name(name: str) -> str:
    """The name, if every part of the chain takes it. Raises UserError."""
    if name == SAM_NAME:
        raise UserError(
            f"the name {name} is CVAT's own", why="its UI answers for a function of that name", remedy="--name"
        )
    if name in RESERVED_NAMES:
        raise UserError(f"the name {name} is Nuclio's own", remedy="choose another: --name")
    if not NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be a function's name",
            why="Kubernetes and Docker take a letter, then letters, digits and dashes: lower case, at most 55",
            remedy=f"--name {suggest(name)}",
        )
    return name


def suggest(text: str) -> str:
    """The nearest name that works. Letters of other scripts give way to a short sum of the whole text: two names that
    differ only in them stay two."""
    plain = unicodedata.normalize("NFKD", text).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", "".join(letter for letter in plain if not unicodedata.combining(letter)))
    slug = slug.strip("-")[:55].strip("-")
    if loses_letters(text):
        digest = hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()[:8]
        slug = f"{slug[:46].strip('-') or 'function'}-{digest}"
    if not slug:
        return "function"
    return slug if slug[0].isalpha() else f"fn-{slug}"[:55].strip("-")


def loses_letters(text: str) -> bool:
    """Whether letters or digits of the text cannot stand in a name. Accents may go; `ж` has no other form."""
    return any(letter.isalnum() and not letter.isascii() for letter in unicodedata.normalize("NFKD", text))


def default_name(folder: Path, module: str | None) -> str:
    """From the bundle's folder, else from the module; of a bundle beside a `func.py` from the folder around both."""
    name = suggest(around(folder) or folder.name)
    return suggest(module or "function") if name in (*RESERVED_NAMES, SAM_NAME) else name


def around(folder: Path) -> str:
    """The name of the folder that a function lies in whose file everybody has: `yolo` of `yolo/func`, and of
    `yolo/nuclio/func`. Empty where the bundle's folder says more."""
    if folder.name not in COMMON_FILES:
        return ""
    return next((parent.name for parent in folder.parents if parent.name not in ("nuclio", *COMMON_FILES)), "")
