"""`cvat-nuclio.yaml`: the options that made a bundle, kept beside it for people to edit, and what the last run saw.

What a function reads and its bundle does not hold, and a state that is no token, are seen again by `check`.
"""

import copy
import io
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import attrs
import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from .. import atomic
from ..errors import UserError
from ..nuclio.document import refuse_deep
from .tree import SUMS
from .weights import seen, weights_in

NAME = "cvat-nuclio.yaml"
#: No options, but what the last run saw.
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

#: What frameworks write weights to. Most are read by native code, which nobody sees opening a file.
WEIGHTS = frozenset(
    {
        ".bin", ".caffemodel", ".ckpt", ".data", ".engine", ".gguf", ".h5", ".keras", ".npy", ".npz", ".onnx",
        ".param", ".pb", ".pdiparams", ".plan", ".pt", ".pth", ".safetensors", ".tflite", ".trt", ".weights",
    }
)  # fmt: skip


@attrs.frozen(kw_only=True)
class Lack:
    """A file or a folder that is not in the bundle."""

    place: str
    """Where in the bundle the remedy puts it."""
    what: str
    """What is missing, in words."""
    remedy: str
    """Options of `generate`, and words."""
    needed: bool
    """Whether nothing works without it, as far as can be told: weights, and what the options name."""

    @property
    def said(self) -> str:
        """For the user."""
        return f"{self.what}: {self.remedy}"


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
    for key in (LACKS, REFUSED_STATE):
        stored.pop(key, None)
    return stored


def text(stored: Mapping[str, Any], lacks: Sequence[Lack] = (), refused_state: str = "") -> bytes:
    """The file for these options; comments in what `read` gave are kept."""
    written = copy.deepcopy(stored) if isinstance(stored, CommentedMap) else CommentedMap(stored)
    if not isinstance(stored, CommentedMap):
        written.yaml_set_start_comment(HEADER)
    if lacks:
        written[LACKS] = [attrs.asdict(lack) for lack in lacks]
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


def absent(bundle: Path) -> list[Lack]:
    """What the folder that nuctl deploys lacks now, as far as the files that `generate` left beside it tell."""
    options, sums = _left(bundle)
    found = {lack.place: lack for lack in [*_known(options), *_added(options), *_copied(sums)]}
    return [lack for lack in found.values() if not (bundle / lack.place).exists()]


def refused_state(bundle: Path) -> str:
    """Why a tracker's state was no token when the bundle was generated with tokens, or an empty text."""
    return str(_left(bundle)[0].get(REFUSED_STATE, ""))


def other_weights(bundle: Path) -> list[str]:
    """What is wrong with the weights that the options name, of files that are there: a sentence each."""
    named = _left(bundle)[0].get("weights")
    texts = {str(file): str(text) for file, text in named.items()} if isinstance(named, dict) else {}
    found = []
    try:
        for one in weights_in(texts):
            seen(one, bundle / one.file)
    except UserError as error:
        found.append(": ".join(filter(None, [error.what, error.why])))
    return found


def _left(bundle: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The options and the sums that `generate` left beside the bundle; nothing where either cannot be read."""
    if not all((bundle.parent / name).is_file() for name in (NAME, SUMS)):
        return {}, []
    try:
        text = (bundle.parent / NAME).read_bytes()
        refuse_deep(text)
        options = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        sums = (bundle.parent / SUMS).read_text("utf-8").splitlines()
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}, []
    return options if isinstance(options, Mapping) else {}, sums


def _known(options: Mapping[str, Any]) -> Iterator[Lack]:
    known = options.get(LACKS)
    for item in known if isinstance(known, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("place"), str):
            words = {key: str(item.get(key, "")) for key in ("place", "what", "remedy")}
            yield Lack(**words, needed=bool(item.get("needed")))


def _added(options: Mapping[str, Any]) -> Iterator[Lack]:
    """What `--add` expects in the bundle's own folder, where somebody lays it by hand."""
    added = options.get("add")
    for text in [added] if isinstance(added, str) else added or ():
        source, _, place = str(text).partition("=")
        if source.startswith("nuclio/"):
            yield _missing(place or source.removeprefix("nuclio/"), f"--add {text}")


def _copied(sums: list[str]) -> Iterator[Lack]:
    """Weights that `generate` copied, and that no repository keeps."""
    for line in sums:
        _, _, path = line.partition("  nuclio/")
        if Path(path).suffix in WEIGHTS:
            yield _missing(path, "`generate` brought it")


def _missing(place: str, why: str) -> Lack:
    return Lack(place=place, what=f"{place} is not in the bundle: {why}", remedy="", needed=True)
