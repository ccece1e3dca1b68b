"""Templates → text."""

import math
import re
from functools import cache
from typing import Any

import jinja2

from .commented_yaml import wrapped
from .parameters import Carried
from .texts import joined

MARK = "Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate .."


def render(template: str, **values: Any) -> str:
    """A template's text; it ends with one line break."""
    text = _environment().get_template(template).render(mark=f"# {MARK}", mark_md=f"<!-- {MARK} -->", **values)
    return text.rstrip("\n") + "\n"


def python(value: object) -> str:
    """A value as Python source, quoted as ruff does. A file's path starts at `HERE`, the bundle's folder."""
    if isinstance(value, Carried):
        return f"str(HERE / {python(value.place)})"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(python, value)) + "]"
    if isinstance(value, str) and '"' not in value:
        return '"' + repr("'" + value)[2:-1] + '"'
    return repr(value)


def prose(text: str) -> str:
    """A text as one line of a Markdown paragraph: nothing in it starts a heading, a list, a table or a tag."""
    line = joined(text).replace("<", "&lt;")
    return re.sub(r"^(?=[#>+*=|~`-])|^([0-9]{1,9})(?=[.)])", r"\1\\", line)


def literal(text: str) -> str:
    """A name in Markdown, to the letter: no character of it is markup."""
    line = re.sub(r"[&<>|\\`*\[\]~$:!]", lambda char: f"&#{ord(char[0])};", joined(text))
    # Inside a word an underscore is one.
    return re.sub(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])", "&#95;", line)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - no HTML is written
        loader=jinja2.PackageLoader("cvat_nuclio.templates", package_path=""),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"python": python, "wrapped": wrapped, "prose": prose, "literal": literal}
    return environment
