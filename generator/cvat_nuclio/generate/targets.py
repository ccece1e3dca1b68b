"""What the words after `generate` name: bundles that are there, and functions that become new ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from ..errors import UserError
from . import option_file


@attrs.frozen
class Target:
    """One bundle to write: its folder, and the function where it is named anew."""

    folder: Path
    function: Mapping[str, str]
    """`function_file` or `function_module`; empty for a bundle that is there."""

    @property
    def is_new(self) -> bool:
        """Whether the command line has all options."""
        return bool(self.function)


def targets(words: Sequence[str], output: Path | None, given: Mapping[str, object]) -> list[Target]:
    """The bundles of a command line. `given` are its other options. Raises UserError."""
    named = {key: str(given[key]) for key in ("function_file", "function_module") if given.get(key)}
    found = [_target(word, output) for word in words]
    functions = [target for target in found if target.is_new]
    if named and not words and output is None:
        return [_beside(named, None)]
    if named and not words and output is not None:
        return [Target(output, named)]
    if not words:
        raise UserError("name the function, or a bundle to regenerate", remedy="generate func.py, or generate DIR")
    if named and functions:
        raise UserError("the function is named twice", why=f"{words[0]}, and {_flag(named)}", remedy="give one of them")
    if output is not None and (len(words) > 1 or not functions):
        raise UserError("--output names one new bundle, DIR one that is there", remedy="give one of them")
    return found


def _flag(named: Mapping[str, str]) -> str:
    key, value = next(iter(named.items()))
    return f"--{key.replace('_', '-')} {value}"


def _target(word: str, output: Path | None) -> Target:
    path = Path(word)
    if path.suffix == ".py" and not path.is_dir():
        return _beside({"function_file": word}, output)
    if not path.exists() and "." in word and all(part.isidentifier() for part in word.split(".")):
        return _beside({"function_module": word}, output)
    if not path.exists():
        raise UserError(
            f"there is no {word}", remedy="a function's file (func.py) or module (package.module), or a bundle's folder"
        )
    if not (path / option_file.NAME).is_file() and (path / "func.py").is_file():
        raise UserError(
            f"{word} is no bundle yet",
            why=f"it has no {option_file.NAME}",
            remedy=f"cvat-nuclio generate {path / 'func.py'}",
        )
    return Target(path, {})


def _beside(function: Mapping[str, str], output: Path | None) -> Target:
    """A new bundle: in `output`, else in a folder of the function's own name, beside its file or in the current one."""
    if output is not None:
        return Target(output, function)
    file, module = function.get("function_file"), function.get("function_module", "")
    folder = Path(file).with_suffix("") if file else Path(module.rpartition(".")[2])
    if folder.exists() and not (folder / option_file.NAME).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            f"{folder} is there, and is no bundle", why="the new bundle would go there", remedy="another: --output DIR"
        )
    return Target(folder, function)
