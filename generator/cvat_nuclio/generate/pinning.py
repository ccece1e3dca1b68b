"""The requirements of an image, made whole: what was loaded is asked for, and all that it brings along is pinned."""

import re
from collections.abc import Iterable, Mapping

import attrs

from ..data import tables
from .closure import Closure, resolve, sizes
from .probe import Distribution, Probe
from .requirements import Requirements, least_of_runtime, line_of, pin, pins_in

#: Builds of one thing under several names: `onnxruntime-gpu` is what `onnxruntime` is, with CUDA.
_BUILDS = frozenset({"binary", "contrib", "cpu", "cuda", "directml", "gpu", "headless", "nightly", "openvino", "simd"})


@attrs.frozen
class Download:
    """What pip downloads for an image, in bytes."""

    whole: int
    without_cuda: int
    """The same where torch comes from PyTorch's index of CPU wheels."""


@attrs.frozen
class Earlier:
    """What the bundle's constraints file says as it stands."""

    pins: Mapping[str, str] = attrs.field(factory=dict)
    download: Download | None = None

    @classmethod
    def read(cls, text: str) -> "Earlier":
        """From the file's text."""
        found = re.search(r"^# To download: (\d+) bytes, (\d+) where", text, re.MULTILINE)
        return cls(pins_in(text), Download(int(found[1]), int(found[2])) if found else None)


@attrs.frozen(kw_only=True)
class Pinned:
    """Requirements, and the version of everything that installing them brings."""

    requirements: Requirements
    constraints: Mapping[str, str]
    download: Download | None = None
    notes: tuple[str, ...] = ()


def pinned(requirements: Requirements, probe: Probe, *, python: str, earlier: Earlier) -> Pinned:
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
    return _finished(_agreeing(requirements, closure.pins or earlier.pins), closure, earlier, python, notes)


def repinned(requirements: Requirements, of: Pinned, probe: Probe, *, python: str, earlier: Earlier) -> Pinned:
    """The same for another form of the function, whose requirements differ in a few lines from those `of` the first."""
    if requirements == of.requirements:
        return of
    closure = _resolved(requirements, python, {**probe.environment, **of.constraints, **earlier.pins})
    return _finished(requirements, closure, earlier, python)


def kept(requirements: Requirements, earlier: Earlier) -> Pinned:
    """With the constraints that the bundle has: nothing is asked."""
    requirements = _agreeing(requirements, earlier.pins)
    return Pinned(requirements=requirements, constraints=earlier.pins, download=earlier.download)


def _finished(
    requirements: Requirements, closure: Closure, earlier: Earlier, python: str, notes: Iterable[str] = ()
) -> Pinned:
    pins = closure.pins or _still_true(earlier.pins, requirements)
    download = _download(sizes(closure.pins, python=python)) if closure.pins else earlier.download
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


def _still_true(known: Mapping[str, str], requirements: Requirements) -> Mapping[str, str]:
    """Earlier constraints, less those that a line contradicts."""
    asked = {line.name: line.version for line in requirements.lines if line.version}
    return {name: version for name, version in known.items() if asked.get(name, version) == version}
