"""CN331 to CN334 and CN340: the image that nuctl builds, and its Python."""

import re
from collections.abc import Iterator

from ...data import tables
from ..bundle import Build
from ..image_names import makes_python, python_is_its_own
from ..rule import ERROR, WARNING, Fault, rule


def wheels(build: Build) -> tuple[tuple[str, ...], str]:
    """The Python versions of the chosen Nuclio, and the one that the runtime names (the alias resolved)."""
    table = tables.nuclio_wheels()
    known, alias = table[max(line for line in table if line <= max(build.bundle.nuclio, (1, 13)))]
    return tuple(known), build.bundle.runtime[1] or alias


@rule(
    "CN331", "runtime-version", ERROR,
    source="Nuclio: recordings runtime-3.12, runtime-3.6; nuclio#3551, #3660, #3941",
    remedy="write `runtime: python:3.11`",
)  # fmt: skip
def runtime_version(build: Build) -> Iterator[Fault]:
    """A Python version for which this Nuclio carries no wheels: the build fails before its first step.

    `python:3.10` and `python:3.11` are the only two that every Nuclio from 1.13 to 1.17 knows.
    """
    known, version = wheels(build)
    place, length = build.bundle.places.value("spec", "runtime"), len(str(build.bundle.spec["runtime"]))
    nuclio = build.bundle.settings.nuclio_text
    if version not in known:
        message = f"Nuclio {nuclio} has no wheels for Python {version}, only {', '.join(known)}"
        yield Fault(message, place, length, remedy=_runtime_for(build, known))
    elif version == "3.9" and nuclio == "1.15":
        yield Fault("Nuclio has no wheels for Python 3.9 from 1.15.11 on", place, length, severity=WARNING)


def _runtime_for(build: Build, known: tuple[str, ...]) -> str:
    """A runtime that the base image's own Python fits, or both; of the same kind, so that the steps work on."""
    image, python = build.image, build.image.python
    if python in known:
        return f"write `runtime: python:{python}`, which is the image's"
    if image.family == "ubuntu" and "3.10" in known:
        return "write `runtime: python:3.10` and `baseImage: ubuntu:22.04`, which has that Python"
    if image.family == "cuda" and python and "3.10" in known:
        return "write `runtime: python:3.10`, and as baseImage a tag of nvidia/cuda for ubuntu22.04 (from 11.7.1 on)"
    if python:
        return "write `runtime: python:3.11` and `baseImage: python:3.11-slim`, or another image with that Python"
    if not image.name:
        return ""
    return f"write the Python that {image.name} has, and take another image where that is none of {', '.join(known)}"


@rule(
    "CN332", "runtime-mismatch", ERROR,
    source="Nuclio: recordings msgpack-mismatch-3.10, -python-alias, -preinstalled; nuclio#3328",
    remedy="write the image's version into `runtime`, or add `RUN pip install nuclio-sdk msgpack` to preCopy",
)  # fmt: skip
def runtime_mismatch(build: Build) -> Iterator[Fault]:
    """The runtime's Python is not the base image's: msgpack's wheel does not fit and the build fails at its end.

    It does not matter when a directive installs nuclio-sdk and msgpack beforehand.
    """
    known, version = wheels(build)
    image, runtime = build.image, str(build.bundle.spec["runtime"])
    if version not in known or image.python in (None, version) or _installs_sdk(build):
        return
    # 3.7 and 3.8 come with msgpack's source, which builds anywhere.
    if version in ("3.7", "3.8") or (image.family != "python" and not python_is_its_own(image, build.steps)):
        return
    told = f" in Nuclio {build.bundle.settings.nuclio_text}" if runtime == "python" else ""
    message = f"`{runtime}` is Python {version}{told}, {image.name} has {image.python}: msgpack's wheel does not fit"
    remedy = "" if image.python in known else _image_for(build, known, version)
    yield Fault(message, build.bundle.places.value("spec", "runtime"), len(runtime), remedy=remedy)


def _image_for(build: Build, known: tuple[str, ...], version: str) -> str:
    """An image with a runtime's Python; one with CUDA where the steps may need that."""
    if build.image.family in ("ubuntu", "cuda"):
        return _runtime_for(build, known)
    return f"write `baseImage: python:{version}-slim`, or another with that Python"


def _installs_sdk(build: Build) -> bool:
    lists = [text for name, text in build.lists.items() if name in build.steps]
    return any(re.search(r"nuclio[-_]sdk", text) and "msgpack" in text for text in (build.steps, *lists))


@rule(
    "CN333", "no-python", ERROR,
    source="Nuclio: recording python-not-on-path; nuclio#2258, cvat#4909",
    remedy="add `RUN apt-get update && apt-get install -y python3 python3-pip python-is-python3` to preCopy",
)  # fmt: skip
def no_python(build: Build) -> Iterator[Fault]:
    """There is no program `python` in the image: Nuclio's last build step fails with "python: not found".

    Ubuntu, Debian and NVIDIA's CUDA images have at most `python3`.
    """
    if build.image.has_python is False and not makes_python(build.image, build.steps):
        message = f"{build.image.name} has no program `python`, and no directive makes one"
        yield Fault(message, build.place, len(build.image.name), remedy=_get_python(build))


def _get_python(build: Build) -> str:
    if build.image.family == "alpine":
        return "take an image of Python's own, such as python:3.11-slim"
    # Ubuntu 18.04 has no package python-is-python3.
    return "add `RUN ln -s /usr/bin/python3 /usr/bin/python` to preCopy" if build.image.python == "3.6" else ""


@rule(
    "CN334", "externally-managed", ERROR,
    source="Nuclio: recordings pep-668, pep-668-break-system-packages",
    remedy="add `ENV PIP_BREAK_SYSTEM_PACKAGES=1` to preCopy",
)  # fmt: skip
def externally_managed(build: Build) -> Iterator[Fault]:
    """The image's Python refuses pip (PEP 668), in Nuclio's own last step too.

    Debian from 12 on and Ubuntu from 23.04 on mark their Python so; virtual environments and conda are exempt.
    """
    steps = build.steps
    if not build.image.managed or "PIP_BREAK_SYSTEM_PACKAGES" in steps or "EXTERNALLY-MANAGED" in steps:
        return
    if not ("break-system-packages" in steps and "pip config" in steps) and python_is_its_own(build.image, steps):
        message = f"pip refuses to install into {build.image.name}'s Python"
        yield Fault(message, build.place, len(build.image.name))


@rule(
    "CN340", "musl", WARNING,
    source="Nuclio: msgpack's wheels in the onbuild image; nuclio#4359: from 1.17.9 on for musl too, for 3.11 alone",
    remedy="use the slim variant: python:3.11-slim",
)  # fmt: skip
def musl(build: Build) -> Iterator[Fault]:
    """An Alpine image: Nuclio's wheels are for glibc, so are most of PyPI's for these models."""
    if build.image.musl and "msgpack" not in build.steps:
        newest = build.bundle.nuclio >= (1, 17) and wheels(build)[1] == "3.11"
        if newest and build.bundle.nuclio > (1, 17):
            return
        before = " before Nuclio 1.17.9" if newest else ""
        message = f"{build.image.name} has musl: msgpack's wheel does not fit{before}"
        yield Fault(message, build.place, len(build.image.name))
