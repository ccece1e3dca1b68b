"""What the CPU form and the GPU form of a bundle are built on and install, with all that a requirement brings along."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from ..data import tables
from .base_images import BaseImage, cpu_image, framework_of, gpu_image, python_version
from .bundle_options import FunctionOptions, ImageOptions
from .closure import Closure, resolve
from .probe import Distribution, Probe
from .render import MARK
from .requirements import Requirements, collect, least_of_runtime, line_of, pin, pins_in

#: Builds of one thing under several names: `onnxruntime-gpu` is what `onnxruntime` is, with CUDA.
_BUILDS = frozenset({"binary", "contrib", "cpu", "cuda", "directml", "gpu", "headless", "nightly", "openvino", "simd"})


@attrs.frozen
class Download:
    """What pip downloads for an image, in bytes."""

    whole: int
    without_cuda: int
    """The same where torch comes from PyTorch's index of CPU wheels."""


@attrs.frozen(kw_only=True)
class Pinned:
    """Requirements, and the version of everything that installing them brings."""

    requirements: Requirements
    constraints: Mapping[str, str]
    download: Download | None = None
    notes: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Form:
    """One of a bundle's images."""

    image: BaseImage
    pinned: Pinned
    driver: str = ""
    """One sentence on the least driver of the host, or an empty text."""


@attrs.frozen(kw_only=True)
class Forms:
    """Both."""

    framework: str
    """`torch`, `onnxruntime`, `openvino` or an empty text."""
    cpu: Form
    gpu: Form | None = None
    """None where the function has no GPU form."""
    notes: tuple[str, ...] = ()
    """What deserves a look, a sentence each."""


@attrs.frozen
class _Earlier:
    """What a file of requirements or constraints in the bundle says as it stands."""

    pins: Mapping[str, str] = attrs.field(factory=dict)
    download: Download | None = None

    @classmethod
    def read(cls, path: Path) -> "_Earlier":
        text = path.read_text("utf-8") if path.is_file() else ""
        found = re.search(r"^# To download: (\d+) bytes, (\d+) where", text, re.MULTILINE)
        return cls(pins_in(text), Download(int(found[1]), int(found[2])) if found else None)


def forms_of(function: FunctionOptions, image: ImageOptions, probe: Probe, *, keep: bool) -> Forms:
    """What is installed, from the options and from what loading the function showed. Raises UserError.

    `keep` takes the versions from the bundle's own files, where it has them, and asks no index.
    """
    given, shown = _requirements_file(function, image)
    own, earlier, earlier_gpu = (
        _Earlier.read(image.nuclio / name) for name in ("requirements.txt", "constraints.txt", "constraints-gpu.txt")
    )
    requirements = collect(probe, given, shown, own.pins if keep else {})
    python = python_version(probe, requirements)
    pinned = _kept(requirements, earlier) if keep else _pinned(requirements, probe, python, earlier)
    framework = framework_of(probe, pinned.requirements)
    cpu = Form(image=cpu_image(image, probe, pinned.requirements), pinned=pinned)
    found, notes = gpu_image(image, probe, pinned.requirements, framework)
    gpu = None
    if found:
        if keep:
            again = _kept(found.requirements, earlier_gpu if earlier_gpu.pins else earlier)
        else:
            again = _repinned(found.requirements, pinned, probe, found.python or python, earlier_gpu)
        gpu = Form(image=found.image, pinned=again, driver=found.driver)
    return Forms(framework=framework, cpu=cpu, gpu=gpu, notes=(*pinned.notes, *notes))


def _requirements_file(function: FunctionOptions, image: ImageOptions) -> tuple[Path | None, str]:
    """The user's requirements, and how to call that file in a comment. None: they have to be found."""
    if image.requirements:
        return image.path(image.requirements), Path(image.requirements).name
    if function.file is None:
        return None, ""
    # Where the function lies in the bundle itself, the file beside it is the generated one.
    beside = (function.folder if function.in_place else function.file.parent) / "requirements.txt"
    if beside.is_file() and MARK not in beside.read_text("utf-8", errors="replace"):
        return beside, "requirements.txt beside the function"
    return None, ""


def _pinned(requirements: Requirements, probe: Probe, python: str, earlier: _Earlier) -> Pinned:
    """For an image with `python` (`3.11`). Earlier pins stay where the function's interpreter has no other version, and
    where no index answers. Raises UserError for requirements that contradict each other or the runtime."""
    tried = {**earlier.pins, **{line.name: line.version for line in requirements.runtime}, **probe.environment}
    closure = _resolved(requirements, python, tried)
    given, notes = requirements.origin.removeprefix("from "), []
    if missing := tuple(_missing(requirements, probe, closure)):
        comment = "The function loads it; no line above asks for it."
        own = (*requirements.own, *(line_of(item, item.version, comment) for item in missing))
        requirements = attrs.evolve(requirements, own=own)
        closure = _resolved(requirements, python, tried)
        notes = [f"{item.name}, which the function loads, is asked for nowhere in {given}: added" for item in missing]
    if closure.unknown:
        notes.append(
            "what the requirements bring along is not pinned, so a later image may get other versions: "
            f"{closure.unknown}; generate again where the package index answers"
        )
    return _finished(_agreeing(requirements, closure.pins or earlier.pins), closure, earlier, notes)


def _repinned(requirements: Requirements, of: Pinned, probe: Probe, python: str, earlier: _Earlier) -> Pinned:
    """The same for another form of the function, whose requirements differ in a few lines from those `of` the first."""
    if requirements == of.requirements:
        return of
    closure = _resolved(requirements, python, {**probe.environment, **of.constraints, **earlier.pins})
    return _finished(requirements, closure, earlier)


def _kept(requirements: Requirements, earlier: _Earlier) -> Pinned:
    """With the constraints that the bundle has: nothing is asked."""
    requirements = _agreeing(requirements, earlier.pins)
    return Pinned(requirements=requirements, constraints=earlier.pins, download=earlier.download)


def _finished(requirements: Requirements, closure: Closure, earlier: _Earlier, notes: Iterable[str] = ()) -> Pinned:
    pins, download = closure.pins, earlier.download
    if pins:
        download = _download(closure.sizes)
    else:  # the earlier ones, less those that a line contradicts
        asked = {line.name: line.version for line in requirements.lines if line.version}
        pins = {name: version for name, version in earlier.pins.items() if asked.get(name, version) == version}
    return Pinned(requirements=requirements, constraints=pins, download=download, notes=tuple(notes))


def _resolved(requirements: Requirements, python: str, tried: Mapping[str, str]) -> Closure:
    texts = [line.text for line in requirements.own]
    # The runtime's own pins are what was tried, as all else is; that they can give way is why they are left out here.
    return resolve([*texts, *least_of_runtime(requirements)], python=python, tried=tried)


def _download(wheels: Mapping[str, int]) -> Download | None:
    if not wheels:
        return None
    whole = sum(wheels.values())
    cuda = sum(size for name, size in wheels.items() if name == "triton" or name.startswith(("nvidia-", "cuda-")))
    torch = wheels.get("torch", 0)
    return Download(whole, whole - cuda - torch + min(torch, int(tables.framework("torch")["cpu-wheel"])))


def _missing(requirements: Requirements, probe: Probe, closure: Closure) -> Iterable[Distribution]:
    """What the function imports and nothing asks for."""
    asked = requirements.names() | ({*closure.pins} or probe.brought_by(requirements.names()))
    for item in probe.distributions:
        if item.name not in asked and not any(_is_build_of(item.name, name) for name in asked):
            yield item


def _is_build_of(name: str, other: str) -> bool:
    return set(name.split("-")) ^ set(other.split("-")) <= _BUILDS


def _agreeing(requirements: Requirements, pins: Mapping[str, str]) -> Requirements:
    """The runtime's lines with the versions that go with the function's own."""
    runtime = tuple(pin(line.name, pins.get(line.name, line.version)) for line in requirements.runtime)
    return attrs.evolve(requirements, runtime=runtime)
