"""CN33x and CN34x: the image that nuctl builds."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..config import Config
from ..finding import Finding
from ..images import BaseImage, base_image, makes_python, python_is_its_own
from ..rule import ERROR, NOTE, WARNING, ConfigRule
from ..source import at_top, imported_modules, is_standard, module_file

# The folders of wheels in Nuclio's onbuild image, by version of Nuclio; the newest holds for what follows.
_WHEELS = {
    (1, 13): ("3.7", "3.8", "3.9", "3.10", "3.11"),
    (1, 14): ("3.9", "3.10", "3.11"),
    (1, 15): ("3.9", "3.10", "3.11", "3.12"),
    (1, 16): ("3.10", "3.11", "3.12"),
}
_ALIAS = {(1, 13): "3.9", (1, 14): "3.9", (1, 15): "3.11", (1, 16): "3.12"}
_RESERVED = re.compile(r"_nuclio_wrapper\.py|_nuclio_async_wrapper\.py|wrapper_common\.py|msgpack.*|nuclio_sdk.*|whl")
# In all images of Nuclio's Python functions.
_PROVIDED = {"nuclio_sdk", "msgpack"}


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


class Requirements(ImageRule):
    """There is a requirements.txt, and no directive installs it: Nuclio never does by itself."""

    id, name, severity = "CN335", "requirements", WARNING
    source = "Nuclio: no code for it (build/runtime/python)"
    remedy = "add `COPY handler/requirements.txt /tmp/` and `RUN pip install -r /tmp/requirements.txt` to preCopy"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for name in ("requirements.txt", "requirements-gpu.txt"):
            file = config.folder / name
            if (name == "requirements-gpu.txt") != ("gpu" in config.file.stem) and name != "requirements.txt":
                continue
            if not file.is_file() or name in config.build_text or "requirements" in config.build_text:
                continue
            if "handler" in config.build_text or "/opt/nuclio" in _postcopy(config):
                continue
            if file.read_text("utf-8", "replace").strip():
                # An image of one's own may have it all.
                own = bool(image.name) and image.family is None
                message = f"no directive in {config.file.name} installs this file"
                yield self.found(file, message, severity=NOTE if own else None)


def _postcopy(config: Config) -> str:
    return "\n".join(value for phase, _, kind, value in config.directives if phase == "postCopy" and kind == "RUN")


class NothingInstalls(ImageRule):
    """The handler imports a package, and nothing installs it: the worker dies at its start."""

    id, name, severity = "CN336", "nothing-installs", ERROR
    source = "Nuclio: recording import-error"
    remedy = "add a RUN directive that installs it"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        plain = image.family == "python" or not image.name
        acts = [kind for _, _, kind, _ in config.directives if kind in ("RUN", "ADD", "COPY", "FROM")]
        if not plain or acts or config.build.get("onbuildImage"):
            return
        for module in config.modules.values():
            for node in at_top(module.tree):
                for name in imported_modules(node):
                    first = name.split(".")[0]
                    if is_standard(first) or first in _PROVIDED or first == "__future__":
                        continue
                    if module_file(config.folder, first) or (config.folder / first).is_dir():
                        continue
                    place = (node.body[0].lineno, node.body[0].col_offset + 1)
                    yield self.found(module.file, f"nothing installs {first}", place, length=len("import " + name))
                    break


class CUDAMismatch(ImageRule):
    """A wheel built for another CUDA than the image's: the model runs on the CPU, or does not load.

    torch and tensorflow bring their own CUDA; ONNX Runtime and CuPy look for the image's.
    """

    id, name, severity = "CN337", "cuda-mismatch", ERROR
    source = (
        "ONNX Runtime's page on its CUDA provider: PyPI's wheels want CUDA 11.8 up to 1.18, then see frameworks.yaml"
    )
    remedy = "choose a base image with that CUDA, or a wheel for this one"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        if image.cuda is None:
            return
        for phase, i, _, value in config.directives:
            for wheel, wanted in _cuda_of(value + _required(config, value)):
                if wanted != image.cuda[0]:
                    place = _value_place(config, phase, i)
                    have = f"{image.cuda[0]}.{image.cuda[1]}"
                    message = f"{wheel} wants CUDA {wanted}, the image has {have}"
                    yield self.found(config.file, message, place)


def _cuda_of(text: str) -> Iterator[tuple[str, int]]:
    # Another index has builds for other versions of CUDA.
    if not re.search(r"--(extra-)?index-url|\s-i\s", text):
        for match in re.finditer(r"onnxruntime[-_]gpu\s*(==|>=|~=)\s*1\.(\d+)", text):
            yield match[0], _onnxruntime_cuda(int(match[2]), at_least=match[1] == ">=")
    for match in re.finditer(r"cupy-cuda(\d\d)[x\d]*", text):
        yield match[0], int(match[1])


def _onnxruntime_cuda(minor: int, *, at_least: bool) -> int:
    """CUDA's major version for PyPI's onnxruntime-gpu 1.`minor`, or for the newest release."""
    # Its imports are for few files, and every start would pay for them.
    from ...generate import tables

    if at_least:
        return int(tables.rows("onnxruntime-gpu")[-1].cuda_major)
    return 11 if minor < 19 else int(tables.row_of("onnxruntime-gpu", f"1.{minor}.0").cuda_major)


def _required(config: Config, step: str) -> str:
    found = ""
    for file in config.folder.glob("*requirements*.txt"):
        if file.name in step:
            found += "\n" + file.read_text("utf-8", "replace")
    return found


class CPUWheel(ImageRule):
    """A file for the GPU installs a framework's build for the CPU."""

    id, name, severity = "CN338", "cpu-wheel", WARNING
    source = "PyTorch's wheel index: /whl/cpu has no CUDA; PyPI's onnxruntime has none either"
    remedy = "install the build for CUDA: PyPI's torch, onnxruntime-gpu"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        if not config.is_gpu:
            return
        for phase, i, _, value in config.directives:
            text = value + _required(config, value)
            cpu = re.search(r"/whl/cpu\b|torch\S*\+cpu", text)
            plain = re.search(r"(?<![\w-])onnxruntime(?![\w-])", text) and not re.search(r"onnxruntime[-_]gpu", text)
            # Other frameworks bring it along; it matters where the handler runs on it.
            plain = plain and any("onnxruntime" in imported_modules(m.tree) for m in config.modules.values())
            if cpu or (plain and "pip" in value):
                what = cpu[0] if cpu else "onnxruntime"
                yield self.found(
                    config.file, f"{what} has no CUDA, and this file asks for a GPU", _value_place(config, phase, i)
                )


class NoGPU(ConfigRule):
    """A file made for a GPU asks for none: Docker starts the container without it.

    It is `spec.resources.limits` that counts; anything above zero gives all GPUs on local Docker.
    """

    id, name, severity = "CN339", "no-gpu", WARNING
    source = "Nuclio: local/platform.go PositiveGPUResourceLimit; cvat guide 8.1"
    remedy = "add `resources: {limits: {nvidia.com/gpu: 1}}` to spec"

    def check(self, config: Config) -> Iterator[Finding]:
        limits = (config.spec.get("resources") or {}).get("limits") or {}
        by_name = "gpu" in config.file.stem.lower().split("-")
        cuda = base_image(str(config.build.get("baseImage", ""))).family == "cuda"
        if (
            config.has("spec")
            and config.config
            and (by_name or cuda)
            and not any("gpu" in key.lower() for key in limits)
        ):
            place = config.value("spec", "build", "baseImage") if cuda else config.key("spec", "resources")
            what = "the base image has CUDA" if cuda else "the file is named after the GPU"
            yield self.found(config.file, f"{what}, but no GPU is asked for", place)


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


class ReservedFile(ImageRule):
    """A file of the bundle replaces one of Nuclio's own: both lie in /opt/nuclio."""

    id, name, severity = "CN341", "reserved-file", ERROR
    source = "Nuclio: build/builder.go copies the handler over the wrapper"
    remedy = "rename it"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for file in sorted(config.folder.iterdir()):
            if _RESERVED.fullmatch(file.name):
                yield self.found(file, f"{file.name} replaces Nuclio's own in /opt/nuclio")


class Symlink(ImageRule):
    """A link to a folder, or to nothing: nuctl's copy of the bundle fails.

    Links to files are followed.
    """

    id, name, severity = "CN342", "symlink", ERROR
    source = "Nuclio: recordings symlink-directory, symlink-dangling, symlink-file"
    remedy = "put the files themselves into the bundle"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for file in _links(config.folder):
            if file.is_dir():
                yield self.found(file, f"{file.name} is a link to a folder: nuctl cannot copy it")
            elif not file.exists():
                yield self.found(file, f"{file.name} is a link to nothing: nuctl cannot copy it")


def _links(folder: Path) -> Iterator[Path]:
    import os

    for parent, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            path = Path(parent, name)
            if path.is_symlink():
                yield path


class PipInPostCopy(ImageRule):
    """pip in postCopy: every change of the bundle installs everything again.

    What is installed in preCopy stays in Docker's cache, because the bundle is copied after it.
    """

    id, name, severity = "CN343", "pip-in-postcopy", NOTE
    source = (
        "Nuclio: recordings precopy-one-line-0, postcopy-one-line-0 (7.4 to 8 s against 11 to 14 s for a tiny package)"
    )
    remedy = "move it to preCopy; `COPY handler/requirements.txt /tmp/` works there"

    def look(self, config: Config, image: BaseImage) -> Iterator[Finding]:
        for phase, i, kind, value in config.directives:
            if phase == "postCopy" and kind == "RUN" and re.search(r"pip3? install", value):
                yield self.found(
                    config.file, "pip runs again after every change of the bundle", _value_place(config, phase, i)
                )


def _value_place(config: Config, phase: str, index: int) -> tuple[int, int]:
    if phase == "commands":
        return config.value("spec", "build", "commands", index)
    return config.value("spec", "build", "directives", phase, index, "value")
