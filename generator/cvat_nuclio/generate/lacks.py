"""What a function reads and its bundle does not hold, and a state that is no token.

Kept in `cvat-nuclio.yaml`, and seen again by `check`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import yaml

from ..errors import UserError
from ..nuclio.document import refuse_deep
from . import option_file
from .tree import SUMS
from .weights import seen, weights_in

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

    @property
    def stored(self) -> dict[str, object]:
        """As `cvat-nuclio.yaml` holds it."""
        return attrs.asdict(self)


def absent(bundle: Path) -> list[Lack]:
    """What the folder that nuctl deploys lacks now, as far as the files that `generate` left beside it tell."""
    options, sums = _left(bundle)
    found = {lack.place: lack for lack in [*_known(options), *_added(options), *_copied(sums)]}
    return [lack for lack in found.values() if not (bundle / lack.place).exists()]


def refused_state(bundle: Path) -> str:
    """Why a tracker's state was no token when the bundle was generated with tokens, or an empty text."""
    options, _ = _left(bundle)
    return str(options.get(option_file.REFUSED_STATE, ""))


def other_weights(bundle: Path) -> list[str]:
    """What is wrong with the weights that the options name, of files that are there: a sentence each."""
    options, _ = _left(bundle)
    named = options.get("weights")
    found = []
    try:
        for one in weights_in(
            {str(file): str(text) for file, text in named.items()} if isinstance(named, dict) else {}
        ):
            seen(one, bundle / one.file)
    except UserError as error:
        found.append(": ".join(filter(None, [error.what, error.why])))
    return found


def _left(bundle: Path) -> tuple[Mapping[str, Any], list[str]]:
    """The options and the sums that `generate` left beside the bundle; nothing where either cannot be read."""
    if not all((bundle.parent / name).is_file() for name in (option_file.NAME, SUMS)):
        return {}, []
    try:
        text = (bundle.parent / option_file.NAME).read_bytes()
        refuse_deep(text)
        options = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        sums = (bundle.parent / SUMS).read_text("utf-8").splitlines()
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}, []
    return options if isinstance(options, Mapping) else {}, sums


def _known(options: Mapping[str, Any]) -> Iterator[Lack]:
    known = options.get(option_file.LACKS)
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
