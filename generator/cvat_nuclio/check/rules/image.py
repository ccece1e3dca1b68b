"""CN33x and CN34x: the image that nuctl builds."""

import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..images import BaseImage, base_image, makes_python, python_is_its_own
from ..rule import ERROR, WARNING, ConfigRule

# The folders of wheels in Nuclio's onbuild image, by version of Nuclio; the newest holds for what follows.
_WHEELS = {
    (1, 13): ("3.7", "3.8", "3.9", "3.10", "3.11"),
    (1, 14): ("3.9", "3.10", "3.11"),
    (1, 15): ("3.9", "3.10", "3.11", "3.12"),
    (1, 16): ("3.10", "3.11", "3.12"),
}
_ALIAS = {(1, 13): "3.9", (1, 14): "3.9", (1, 15): "3.11", (1, 16): "3.12"}


class ImageRule(ConfigRule):
    """A rule about a build: files without one are passed over."""

    def check(self, config: Config) -> Iterator[Finding]:
        if config.config and config.builds and str(config.spec.get("runtime", "")).split(":")[0] == "python":
            yield from self.look(config, base_image(str(config.build.get("baseImage", ""))))

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError


def wheels(config: Config) -> tuple[tuple[str, ...], str]:
    """The Python versions of the chosen Nuclio, and the one that the runtime names (the alias resolved)."""
    version = max(known for known in _WHEELS if known <= max(config.settings.nuclio, (1, 13)))
    _, _, runtime = str(config.spec.get("runtime", "")).partition(":")
    return _WHEELS[version], runtime or _ALIAS[version]


class RuntimeVersion(ImageRule):
    """A Python version for which this Nuclio carries no wheels: the build fails before its first step.

    `python:3.10` and `python:3.11` are the only two that every Nuclio from 1.13 to 1.16 knows.
    """

    id, name, severity = "CN331", "runtime-version", ERROR
    source = "Nuclio: recordings runtime-3.12, runtime-3.6; nuclio#3551, #3660"
    remedy = "write `runtime: python:3.11`"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        known, version = wheels(config)
        if version in known:
            return
        place = config.value("spec", "runtime")
        text = str(config.spec["runtime"])
        message = f"Nuclio {config.settings.nuclio_text} has no wheels for Python {version}, only {', '.join(known)}"
        # That 1.16 dropped 3.9 was read in a newer tree, not seen in a release.
        doubtful = config.settings.nuclio >= (1, 16) and version == "3.9"
        yield self.found(config.file, message, place, length=len(text), severity=WARNING if doubtful else None)


class RuntimeMismatch(ImageRule):
    """The runtime's Python is not the base image's: msgpack's wheel does not fit and the build fails at its end.

    It does not matter when a directive installs nuclio-sdk and msgpack beforehand.
    """

    id, name, severity = "CN332", "runtime-mismatch", ERROR
    source = "Nuclio: recordings msgpack-mismatch-3.10, -python-alias, -preinstalled; nuclio#3328"
    remedy = "write the image's version into `runtime`, or add `RUN pip install nuclio-sdk msgpack` to preCopy"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        known, version = wheels(config)
        steps = config.build_text
        installs = re.search(r"nuclio[-_]sdk", steps) and "msgpack" in steps
        if version not in known or image.python in (None, version) or installs or _requires_sdk(config):
            return
        # 3.7 and 3.8 come with msgpack's source, which builds anywhere.
        if version in ("3.7", "3.8") or (image.family != "python" and not python_is_its_own(steps)):
            return
        place = config.value("spec", "runtime")
        runtime = str(config.spec["runtime"])
        told = f"`{runtime}` is Python {version}" + (
            f" in Nuclio {config.settings.nuclio_text}" if runtime == "python" else ""
        )
        message = f"{told}, {image.name} has {image.python}: msgpack's wheel does not fit"
        yield self.found(config.file, message, place, length=len(runtime))


def _requires_sdk(config: Config) -> bool:
    for file in config.folder.glob("*requirements*.txt"):
        text = file.read_text("utf-8", "replace")
        if re.search(r"nuclio[-_]sdk", text) and "msgpack" in text and file.name in config.build_text:
            return True
    return False


class NoPython(ImageRule):
    """There is no program `python` in the image: Nuclio's last build step fails with "python: not found".

    Ubuntu, Debian and NVIDIA's CUDA images have at most `python3`.
    """

    id, name, severity = "CN333", "no-python", ERROR
    source = "Nuclio: recording python-not-on-path; nuclio#2258, cvat#4909"
    remedy = "add `RUN apt-get update && apt-get install -y python3 python3-pip python-is-python3` to preCopy"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        if image.has_python is False and not makes_python(config.build_text):
            place = config.value("spec", "build", "baseImage")
            message = f"{image.name} has no program `python`, and no directive makes one"
            yield self.found(config.file, message, place, length=len(image.name))


class ExternallyManaged(ImageRule):
    """The image's Python refuses pip (PEP 668), in Nuclio's own last step too.

    Debian from 12 on and Ubuntu from 23.04 on mark their Python so; virtual environments and conda are exempt.
    """

    id, name, severity = "CN334", "externally-managed", ERROR
    source = "Nuclio: recordings pep-668, pep-668-break-system-packages"
    remedy = "add `ENV PIP_BREAK_SYSTEM_PACKAGES=1` to preCopy"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        steps = config.build_text
        if not image.managed or "PIP_BREAK_SYSTEM_PACKAGES" in steps or "EXTERNALLY-MANAGED" in steps:
            return
        if "break-system-packages" in steps and "pip config" in steps:
            return
        if python_is_its_own(steps):
            place = config.value("spec", "build", "baseImage")
            yield self.found(
                config.file, f"pip refuses to install into {image.name}'s Python", place, length=len(image.name)
            )


class Musl(ImageRule):
    """An Alpine image: Nuclio's wheels are for glibc, so are most of PyPI's for these models."""

    id, name, severity = "CN340", "musl", WARNING
    source = "Nuclio: msgpack's wheels in the onbuild image (musl only in the newest, for 3.11)"
    remedy = "use the slim variant: python:3.11-slim"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        if image.musl and "msgpack" not in config.build_text:
            place = config.value("spec", "build", "baseImage")
            yield self.found(
                config.file, f"{image.name} has musl: msgpack's wheel does not fit", place, length=len(image.name)
            )


def value_place(config: Config, phase: str, index: int) -> tuple[int, int]:
    """Where a directive\'s value stands."""
    if phase == "commands":
        return config.value("spec", "build", "commands", index)
    return config.value("spec", "build", "directives", phase, index, "value")
