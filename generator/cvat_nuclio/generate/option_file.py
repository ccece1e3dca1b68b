"""`cvat-nuclio.yaml`: the options that made a bundle, kept beside it for people to edit."""

import copy
import io
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from .. import atomic
from ..errors import UserError
from ..nuclio.document import refuse_deep

NAME = "cvat-nuclio.yaml"
#: No options, but what the last run saw: see `lacks` and `states`.
LACKS = "lacks"
REFUSED_STATE = "refused-state"

#: Laid beside the file: an editor finds it there without a network, and of the version that wrote the bundle.
SCHEMA = "cvat-nuclio.schema.json"
#: What editors with yaml-language-server look for.
MODELINE = "# yaml-language-server: $schema="

HEADER = """\
The options of `cvat-nuclio generate`, named as on its command line. Paths are relative to this folder.
Edit them, then regenerate the bundle: cvat-nuclio generate FOLDER
"""


def read(folder: Path) -> CommentedMap:
    """The options of a bundle's folder. Raises UserError."""
    path = folder / NAME
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is no file", remedy="move it away")
    try:
        text = path.read_text("utf-8")
        refuse_deep(text)
        stored = _yaml().load(text)
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} has no {NAME}",
            why="it was not made by `cvat-nuclio generate`",
            remedy="cvat-nuclio generate FUNCTION.py --output FOLDER",
        ) from error
    except (YAMLError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML", why=" ".join(str(error).split())) from error
    if not isinstance(stored, CommentedMap):
        raise UserError(f"{path} holds no options", remedy="one `name: value` a line")
    for seen in (LACKS, REFUSED_STATE):
        stored.pop(seen, None)
    return stored


def text(stored: Mapping[str, Any], lacks: Sequence[Mapping[str, object]] = (), refused_state: str = "") -> bytes:
    """The file for these options; comments in what `read` gave are kept."""
    written = copy.deepcopy(stored) if isinstance(stored, CommentedMap) else CommentedMap(stored)
    if not isinstance(stored, CommentedMap):
        written.yaml_set_start_comment(HEADER)
    if lacks:
        written[LACKS] = [dict(lack) for lack in lacks]
    if refused_state:
        written[REFUSED_STATE] = refused_state
    buffer = io.StringIO()
    _yaml().dump(written, buffer)
    named = any(line.startswith(MODELINE) for line in buffer.getvalue().splitlines())
    return ("" if named else f"{MODELINE}{SCHEMA}\n").encode() + buffer.getvalue().encode()


def lay_schema(folder: Path) -> None:
    """Puts the schema beside the options, where it is not there yet. Raises OSError."""
    schema = resources.files("cvat_nuclio.data").joinpath(SCHEMA).read_bytes()
    path = folder / SCHEMA
    if not path.is_file() or path.read_bytes() != schema:
        atomic.write(path, schema)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
