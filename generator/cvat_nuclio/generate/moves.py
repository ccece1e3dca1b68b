"""Paths on the command line start in the current folder, those in `cvat-nuclio.yaml` in the bundle's: text → text."""

import os
from pathlib import Path


def path(text: str, folder: Path) -> str:
    """A path of this machine, as seen from the bundle's folder."""
    # os.path's: a Path's expanduser() fails for `~` of nobody.
    return Path(os.path.relpath(os.path.expanduser(text), folder)).as_posix()  # noqa: PTH111


def program(text: str, folder: Path) -> str:
    """The same, unless it is a name that PATH finds."""
    return path(text, folder) if os.sep in text else text


def added(text: str, folder: Path) -> str:
    """`PATH` or `PATH=PLACE`."""
    source, equals, place = text.partition("=")
    return path(source, folder) + equals + place


def parameter(text: str, folder: Path) -> str:
    """`NAME=TYPE:VALUE`: a path where the type is `file`."""
    name, equals, value = text.partition("=file:")
    return f"{name}{equals}{path(value, folder)}" if equals and value else text


def mount(text: str, folder: Path) -> str:
    """`HOST:PATH`: a folder of this machine is named in full, for the file is read elsewhere."""
    host, colon, inside = text.partition(":")
    return f"{os.path.abspath(os.path.expanduser(host))}:{inside}" if host.startswith(("~", ".")) and colon else text  # noqa: PTH100, PTH111
