"""Templates → text; a function.yaml is read back and compared before anybody sees it."""

import json
import math
import re
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import yaml

from .parameters import Carried
from .texts import joined

MARK = "Written by `cvat-nuclio generate`. Change ../cvat-nuclio.yaml, then, in this folder: cvat-nuclio generate .."


def render(template: str, **values: Any) -> str:
    """A template's text; it ends with one line break."""
    text = _environment().get_template(template).render(mark=f"# {MARK}", mark_md=f"<!-- {MARK} -->", **values)
    return text.rstrip("\n") + "\n"


def render_config(config: Mapping[str, Any], **values: Any) -> str:
    """function.yaml with its comments. Raises AssertionError if the text does not say what `config` says."""
    text = render("function.yaml.j2", config=config, **values)
    read = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    if read != config:
        raise AssertionError(f"function.yaml.j2 lost something: {_difference(config, read)}")
    return text


def quoted(value: str) -> str:
    """A YAML string in double quotes. Nuclio's processor takes a bare 5 or true for no string and ends."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


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


def wrapped(text: str) -> list[str]:
    """A comment's lines."""
    sentence = text[0].upper() + text[1:]
    return textwrap.wrap(sentence if sentence.endswith(".") else sentence + ".", 100)


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
    environment.filters["json"] = json.dumps
    environment.filters |= {"quoted": quoted, "python": python, "wrapped": wrapped, "prose": prose, "literal": literal}
    return environment


def _difference(wanted: Any, got: Any, path: str = "") -> str:
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for key in {**wanted, **got}:
            if wanted.get(key) != got.get(key):
                return _difference(wanted.get(key), got.get(key), f"{path}.{key}")
    return f"{path}: {wanted!r} became {got!r}"
