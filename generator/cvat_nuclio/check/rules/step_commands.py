"""CN352 to CN357 and CN359: what the steps of an image's build call, and what of it lasts."""

import re
from collections.abc import Iterator, Sequence

from ...nuclio.function_yaml import Directive
from ..bundle import Build
from ..image_names import BaseImage
from ..pip import commands
from ..rule import ERROR, WARNING, Fault, rule

# What the official images lack (their Dockerfiles; buildpack-deps has git, curl, wget and unzip).
_LEAN = frozenset({"sudo", "wget", "curl", "git", "unzip", "apk", "yum", "dnf"})
_FULL_PYTHON = frozenset({"sudo", "apk", "yum", "dnf"})
_ALPINE = frozenset({"sudo", "curl", "git", "apt", "apt-get", "bash", "yum", "dnf"})
# What stands before a command's own name.
_AHEAD = re.compile(
    r"^(?:[({!\s]|(?:then|do|else|exec|time|env|command)\s|--\w[\w-]*=\S+\s|\w+=(?:'[^']*'|\"[^\"]*\"|\S*)\s)+"
)
_INSTALLS = re.compile(r"\b(?:apt-get|apt|aptitude|apk|conda|mamba|micromamba)\b.*?\b(?:install|add)\b(.*)", re.DOTALL)
# What may do anything.
_SCRIPT = re.compile(r"(?:^|\s)(?:bash|sh|source|\.)\s+\S*\w|\.sh\b|(?:^|\s)\./\w|\|\s*(?:ba)?sh\b")
# Packages of PyPI without wheels that are compiled (PyPI's files, 2026-11-30), and what brings compilers.
_COMPILED = {"dlib", "face-recognition", "cython-bbox", "pydensecrf", "pycuda"}
_COMPILERS = re.compile(r"build-essential|build-base|\bg\+\+|\bgcc|\bclang|gxx")
# Packages that ended: the first Debian and Ubuntu without them, and what is there instead (the distributions' lists of
# packages, 2026-11-30). A thousand: not yet.
_ENDED = {
    "libgl1-mesa-glx": (13, 24.04, "libgl1"), "libegl1-mesa": (13, 24.04, "libegl1"), "libtbb2": (13, 1000, "libtbb12"),
    "python3-distutils": (13, 24.04, "python3-setuptools"), "libtinfo5": (13, 24.04, "libtinfo6"),
    "libncurses5": (13, 24.04, "libncurses6"), "libtiff5": (12, 24.04, "libtiff6"), "libssl1.1": (12, 22.04, "libssl3"),
    "libopenblas-base": (12, 24.04, "libopenblas0"), "libatlas-base-dev": (13, 1000, "libopenblas-dev"),
    "python-pip": (11, 20.04, "python3-pip"), "python-dev": (11, 20.04, "python3-dev"),
    "qt5-default": (11, 22.04, "qtbase5-dev"), "libdc1394-22-dev": (11, 22.04, "libdc1394-dev"),
    "libpng12-dev": (9, 18.04, "libpng-dev"), "libjasper-dev": (10, 18.04, "nothing: OpenCV does without it"),
    "openjdk-11-jdk": (12, 1000, "default-jdk"), "openjdk-17-jdk": (13, 1000, "default-jdk"),
    "software-properties-common": (13, 1000, "nothing: Debian takes no PPA"),
}  # fmt: skip
_KEPT_BY_THE_SHELL = {"cd", "export", "source", ".", "alias", "unset", "ulimit", "umask"}


def _bare(command: str) -> str:
    return _AHEAD.sub("", command + " ").strip()


def _steps(build: Build) -> Iterator[tuple[Directive, list[str]]]:
    """The RUN steps and their commands; a step that deals with failures, and a here-document, say nothing certain."""
    for step in build.directives:
        if step.kind == "RUN":
            unsure = re.search(r"\|\||<<|\bif\b|\bwhich\b|command -v", step.value)
            yield step, [] if unsure else [_bare(command) for command in commands(step.value)]


def _lacks(image: BaseImage) -> frozenset[str]:
    if image.musl:
        return _ALPINE
    if image.family == "python" and "slim" not in image.name:
        return _FULL_PYTHON
    return _LEAN if image.is_plain else frozenset()


@rule(
    "CN352", "no-program", ERROR,
    source="the Dockerfiles of Docker's official images and of nvidia/cuda",
    remedy="install it in a step before",
)  # fmt: skip
def no_program(build: Build) -> Iterator[Fault]:
    """A step calls a program that the image does not have: "not found", and the build fails.

    The lean images (python:3.11-slim, ubuntu, debian, nvidia/cuda) have no wget, curl, git, unzip and sudo.
    """
    lacks, before = _lacks(build.image), ""
    for step, called in _steps(build) if lacks else ():
        for command in called:
            missing = lacks & _programs(command)
            if missing and (missing := missing - _installed(before)) and not _SCRIPT.search(before):
                program = min(missing)
                message = f"{build.image.name} has no {program}, and no step before installs it"
                yield Fault(message, build.at(step), remedy=_instead(program, build.image))
                return
            before += command + "\n"
        before += step.value + "\n"


def _programs(command: str) -> set[str]:
    """What a command calls: pip calls git for `git+https://…`."""
    first = command.split(maxsplit=1)[:1]
    return {*first, "git"} if re.search(r"\bpip[\d.]*\s.*\bgit\+", command) else {*first}


def _installed(before: str) -> set[str]:
    lists = [match[1] for command in commands(before) if (match := _INSTALLS.search(command))]
    return {word.partition("=")[0] for text in lists for word in text.split()}


def _instead(program: str, image: BaseImage) -> str:
    if program == "sudo":
        return "leave `sudo` out: the steps run as root"
    if program in ("apk", "yum", "dnf"):
        return f"{image.name} has apt-get"
    if program in ("apt", "apt-get"):
        return "Alpine has `apk add`; an image with glibc is the better one: python:3.11-slim"
    add = "apk add" if image.musl else "apt-get update && apt-get install -y"
    return f"add `RUN {add} {program}` before it"


@rule(
    "CN353", "no-compiler", ERROR,
    source="PyPI: these have no wheels; Docker's official images: slim ones have no compiler",
    remedy="add `RUN apt-get update && apt-get install -y build-essential cmake` before it",
)  # fmt: skip
def no_compiler(build: Build) -> Iterator[Fault]:
    """pip has to compile a package, and nothing brings a compiler: the build fails."""
    lean = _lacks(build.image) is _LEAN and "devel" not in build.image.name
    # Debian's python3-pip recommends build-essential.
    if not lean or _COMPILERS.search(build.steps) or re.search(r"python3-pip(?!.*no-install-recommends)", build.steps):
        return
    for install, one in [pair for pair in build.wanted if pair[1].name in _COMPILED][:1]:
        message = f"{one.name} is compiled when it is installed, and {build.image.name} has no compiler"
        yield Fault(message, build.at(install.step))


@rule(
    "CN354", "apt-asks", ERROR,
    source="apt-get(8): without -y it asks; nobody answers in a build",
    remedy="write `apt-get install -y …`",
)  # fmt: skip
def apt_asks(build: Build) -> Iterator[Fault]:
    """`apt-get install` without `-y`: it asks whether to go on, nobody answers, and the build fails."""
    # In an image of one's own what is asked for may be there: then apt does not ask.
    for step, called in _steps(build) if build.image.is_plain else ():
        asks = [words for words in map(str.split, called) if _apt(words, "install") and not _has_consent(words)]
        if asks and "Assume-Yes" not in build.steps and not re.search(r"\b(yes|echo)\b[^&;]*\|", step.value):
            yield Fault(f"`{asks[0][0]} install` asks, and nobody answers", build.at(step))


def _apt(words: Sequence[str], verb: str) -> bool:
    named = [word for word in words[1:] if not word.startswith("-")][:1]
    return words[:1] in (["apt-get"], ["apt"], ["aptitude"]) and named == [verb]


def _has_consent(words: Sequence[str]) -> bool:
    options = [word for word in words if word.startswith("-")]
    return any(re.fullmatch(r"-\w*(y|qq)\w*|--yes|--assume-yes|-q=2|--dry-run|-s", word) for word in options)


@rule(
    "CN355", "apt-without-lists", ERROR,
    source="Docker's official images and nvidia/cuda remove /var/lib/apt/lists",
    remedy="write `apt-get update && apt-get install -y …` in one step",
)  # fmt: skip
def apt_without_lists(build: Build) -> Iterator[Fault]:
    """apt is to install where its lists of packages are not there, or are gone again: "Unable to locate package"."""
    there = not build.image.is_plain or build.image.musl
    for step in build.directives:
        for command in map(_bare, commands(step.value)) if step.kind == "RUN" else ():
            words = command.split()
            if _apt(words, "install") and not there and ".deb" not in command:
                message = "no `apt-get update` before it, and the image comes without apt's lists"
                yield Fault(message, build.at(step))
                return
            there = there or _apt(words, "update") or bool(_SCRIPT.search(command) or "add-apt-repository" in command)
            there = there and not re.search(r"\brm\b.*/var/lib/apt", command)


@rule(
    "CN359", "ended-package", ERROR,
    source="the lists of packages of Debian and Ubuntu; python:3.11-slim is Debian 13 since August 2025",
    remedy="write what is there instead, or name an older release: python:3.11-slim-bookworm",
)  # fmt: skip
def ended_package(build: Build) -> Iterator[Fault]:
    """apt is to install a package that the image's release does not have any more: "no installation candidate".

    Steps written for an older image meet it when the image moves to the next Debian or Ubuntu.
    """
    family, release = build.image.distribution, build.image.release
    for step in build.directives if build.image.is_plain and release and not build.image.musl else ():
        for name in sorted(_installed(step.value) & _ENDED.keys()) if step.kind == "RUN" else ():
            debian, ubuntu, instead = _ENDED[name]
            if release >= (debian if family == "debian" else ubuntu):
                message = f"{build.image.name} is {family.capitalize()} {release:g}, which has no {name}"
                yield Fault(message, build.at(step), remedy=f"write {instead}")


@rule(
    "CN356", "ends-with-step", WARNING,
    source="Docker: each RUN is a shell of its own",
    remedy="write `kind: WORKDIR` for cd, `kind: ENV` for export, or put it into the step that needs it, before &&",
)  # fmt: skip
def ends_with_step(build: Build) -> Iterator[Fault]:
    """A step that does nothing but change its own shell: `cd`, `export`, `source venv/bin/activate` end with it."""
    for step, called in _steps(build):
        names = [command.split(maxsplit=1)[0] for command in called if command]
        conda = re.search(r"conda|mamba|source activate|\. activate", step.value)
        if names and set(names) <= _KEPT_BY_THE_SHELL and not conda:
            yield Fault(f"what `{names[-1]}` sets ends with this step", build.at(step))


@rule(
    "CN357", "own-command", ERROR,
    source="Nuclio: build/builder.go ends the Dockerfile with CMD [ \"processor\" ]",
    remedy="leave it out: the processor starts the handler",
)  # fmt: skip
def own_command(build: Build) -> Iterator[Fault]:
    """An ENTRYPOINT or CMD of the function's own.

    Nuclio's last line is `CMD [ "processor" ]`. Another CMD has no effect; an ENTRYPOINT that is no wrapper gets
    `processor` as an argument, and the function never starts.
    """
    for step in build.directives:
        place = build.at(step)
        if step.kind == "CMD":
            yield Fault("Nuclio's own CMD follows, and replaces it", place, severity=WARNING)
        elif step.kind == "ENTRYPOINT" and re.match(
            r"[\[\s\"']*(?:/\S*/)?(?:python|bash|sh|uvicorn|gunicorn|flask|node|java)[\d.]*\b(?!.*\$@)", step.value
        ):
            yield Fault("it runs in place of Nuclio's processor, and the function never starts", place)
