"""What the user reads when the function does not load."""

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UserError


def failed(what: str, python: str, report: Mapping[str, Any]) -> UserError:
    """The probe's own report of a failure, as an error with a remedy."""
    stage = report["stage"]
    if stage == "python":
        return UserError(
            f"{python} is Python {report['version']}",
            why="cvat-sdk, and so every AA function, needs Python 3.11 or newer",
            remedy="name a newer interpreter that has the function's packages: --python PATH",
        )
    if stage == "sdk":
        return UserError(
            f"{python} has no cvat-sdk, or one that is too old",
            why=report["error"],
            remedy=f"{python} -m pip install --upgrade cvat-sdk, or name another interpreter: --python PATH",
        )
    if stage == "kind":
        return UserError(
            f"{what} has a spec of an unknown kind: {report['type']}",
            why="CVAT knows detection, interaction, tracking (cvat_sdk.auto_annotation) and ReID (aa_runtime)",
            remedy="make it a DetectionFunctionSpec, InteractionFunctionSpec, TrackingFunctionSpec or ReIDFunctionSpec",
        )
    return _raised(what, python, report)


def _module_of(file: Path) -> tuple[str, Path]:
    """Its dotted name, and the folder where that begins."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        parts, folder = [folder.name, *parts], folder.parent
    if len(parts) == 1:  # a package without __init__.py
        parts, folder = [folder.name, *parts], folder.parent
    return ".".join(parts), folder


def _raised(what: str, python: str, report: Mapping[str, Any]) -> UserError:
    why = report["error"]
    if report["place"]:
        file, line, code = report["place"]
        why += f" ({Path(file).name}, line {line}: {code})"
    if report["type"] == "BadFunctionError":
        return UserError(f"{what} is not a function that CVAT accepts", why=report["text"], remedy=_bad(report))
    verb = "imported" if report["stage"] == "import" else "created"
    if _is_ready_s_own(report["place"]):
        return UserError(f"{what} could not be {verb}", why=report["text"])
    remedy = _remedy(python, report)
    if "relative import with no known parent package" in why and report["place"][0] == what:
        module, folder = _module_of(Path(what))
        remedy = f"it is a part of a package: in {folder}, cvat-nuclio generate {module}"
    return UserError(f"{what} could not be {verb}", why=why, remedy=remedy)


def _is_ready_s_own(place: Sequence[Any] | None) -> bool:
    """Whether a ready function refused by itself: its words say what to do."""
    return place is not None and "cvat_functions" in Path(place[0]).parts and str(place[2]).startswith("raise ")


def _bad(report: Mapping[str, Any]) -> str:
    if "no 'spec' attribute" not in report["text"]:
        return "mend the function's spec; the words above are cvat-sdk's"
    return _create(report) or "the module needs a global `spec`, or a function `create` that returns an object with one"


def _create(report: Mapping[str, Any]) -> str:
    """The line that a module of classes lacks, with the class's own name; nothing where no class fits."""
    classes: Mapping[str, list[str]] = report.get("classes") or {}
    if not classes:
        return ""
    name, *others = classes
    either = f" (or {', '.join(others)})" if others else ""
    given = "".join(f" -p {parameter}=TYPE:VALUE" for parameter in classes[name])
    return f"add `create = {name}`{either} at the end of the file" + (f", and give{given}" if given else "")


def _remedy(python: str, report: Mapping[str, Any]) -> str:
    module = (report["module"] or "").partition(".")[0]
    if report["type"] == "ModuleNotFoundError" and module:
        return f"install what provides `{module}` in {python}, or name an interpreter that has it: --python PATH"
    if report["type"] == "TypeError" and report["text"] == "function takes no parameters":
        return _create(report) or "leave out -p: the function has no `create`"
    if report["type"] == "TypeError" and report["stage"] == "create" and not report["place"]:
        return "give the parameters that its `create` takes: -p NAME=TYPE:VALUE"
    if report["type"] == "FileNotFoundError":
        return "give the file's path from the folder where you run this, or from the function's own file"
    given = ", with what -p and --model gave it" if report["stage"] == "create" else ""
    return f"load it by itself first{given}: python -c 'import ...' shows the whole traceback"


def died(what: str, status: int, output: str) -> UserError:
    """The interpreter ended without an answer."""
    cause = f"it ended with status {status}"
    if status < 0:
        cause = f"it was killed by {signal.Signals(-status).name}"
    return UserError(
        f"Python died while it loaded {what}",
        why="\n       ".join([cause, *_tail(output)]),
        remedy="load it by itself; SIGKILL often means that memory ran out, SIGSEGV that a compiled package is broken",
    )


def too_slow(what: str, seconds: float, output: str) -> UserError:
    """The interpreter was stopped."""
    return UserError(
        f"{what} did not load within {seconds:g} s",
        why="\n       ".join(["it was stopped", *_tail(output)]),
        remedy="give it more time: --timeout SECONDS",
    )


def _tail(output: str, lines: int = 5) -> list[str]:
    return [line for line in output.splitlines() if line.strip()][-lines:]
