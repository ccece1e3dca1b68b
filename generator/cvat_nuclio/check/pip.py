"""What the steps of an image's build install with pip."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from ..nuclio.function_yaml import Directive

_COMMANDS = re.compile(r"&&|\|\||;|\n|(?<!\|)\|(?!\|)")
_WITH_VALUE = {
    "-c", "--constraint", "-t", "--target", "-f", "--find-links", "--platform", "--python-version", "--prefix",
    "--root", "--cache-dir", "--timeout", "--retries", "--trusted-host", "--proxy", "--upgrade-strategy",
    "-e", "--editable", "--progress-bar", "--no-binary", "--only-binary", "--cert",
}  # fmt: skip
_INDEXES = {"-i", "--index-url", "--extra-index-url"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing to install: its name as indexes write it, extras in lower case, and the versions, as PEP 440 says."""

    name: str
    versions: str = ""
    extras: str = ""


@dataclass(frozen=True, slots=True)
class PipInstall:
    """One `pip install`. `before` is what the same step does ahead of it; `files` are given with `-r`."""

    step: Directive
    before: str
    requirements: tuple[Requirement, ...]
    files: tuple[str, ...]
    index: str


def installs(steps: list[Directive]) -> Iterator[PipInstall]:
    """Every `pip install` of the RUN steps, in their order."""
    for step in steps:
        if step.kind != "RUN":
            continue
        before = ""
        for command in _COMMANDS.split(step.value.replace("\\\n", " ")):
            if found := re.search(r"(?:^|[\s/])pip[\d.]*\s+(?:--?\S+\s+)*install\s", command):
                yield _install(step, before, _words(command[found.end() :]))
            before += command + "\n"


def commands(text: str) -> list[str]:
    """The commands of a RUN step's value."""
    return [command.strip() for command in _COMMANDS.split(text.replace("\\\n", " ")) if command.strip()]


def listed(text: str) -> Iterator[Requirement]:
    """The requirements in a file's text."""
    for line in text.replace("\\\n", " ").splitlines():
        if found := requirement(line.partition(" #")[0].partition(";")[0].strip()):
            yield found


def requirement(text: str) -> Requirement | None:
    """`torch>=2,<3`, `onnxruntime-gpu[cuda]==1.20.*`; None for options, addresses and paths."""
    match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?\s*((?:[=<>!~].*)?)", text)
    if not match or re.search(r"://|\.(whl|zip|gz)$", text):
        return None
    return Requirement(canonical(match[1]), re.sub(r"\s", "", match[3]), (match[2] or "").lower())


def canonical(name: str) -> str:
    """As indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _install(step: Directive, before: str, words: list[str]) -> PipInstall:
    found: list[Requirement] = []
    files: list[str] = []
    index, waiting = "", ""
    for word in words:
        name, equals, value = word.partition("=")
        if waiting or (equals and name.startswith("--")):
            option, given = (waiting, word) if waiting else (name, value)
            index = given if option in _INDEXES else index
            files += [given] if option in ("-r", "--requirement") else []
            waiting = ""
        elif word in _WITH_VALUE or word in _INDEXES or word in ("-r", "--requirement"):
            waiting = word
        elif word.startswith("-r") and len(word) > 2:
            files.append(word[2:])
        elif one := requirement(word):
            found.append(one)
    return PipInstall(step, before, tuple(found), tuple(files), index)
