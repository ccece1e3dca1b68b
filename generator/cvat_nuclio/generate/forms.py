"""What the CPU form and the GPU form of a bundle install, and on what."""

import importlib.metadata
from pathlib import Path

import attrs

from .base_images import Images, choose, python_version
from .bundle_options import FunctionOptions, ImageOptions
from .pinning import Earlier, Pinned, kept, pinned, repinned
from .probe import Distribution, Probe
from .render import MARK
from .requirements import RUNTIME_OF_ANY, Requirements, collect, pins_in


@attrs.frozen(kw_only=True)
class Forms:
    """Requirements as pinned, and base images."""

    images: Images
    cpu: Pinned
    gpu: Pinned | None = None
    """None where the function has no GPU form."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What deserves a look, a sentence each."""
        return (*self.cpu.notes, *self.images.notes)


def forms_of(function: FunctionOptions, image: ImageOptions, found: Probe, *, keep: bool) -> Forms:
    """What is installed, from the options and from what loading the function showed. Raises UserError.

    `keep` takes the versions from the bundle's own files, where it has them.
    """
    given, shown = _requirements_file(function, image)
    requirements = collect(found, given, shown, _host(), _pins(image.nuclio) if keep else {})
    return _pinned(image, found, requirements, keep=keep)


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


def _host() -> dict[str, Distribution]:
    return {name: _installed(name) for name in RUNTIME_OF_ANY}


def _installed(name: str) -> Distribution:
    found = importlib.metadata.distribution(name)
    python = str(found.metadata.json.get("requires_python", ""))
    return Distribution(name=name, version=found.version, requires_python=python)


def _pinned(image: ImageOptions, found: Probe, requirements: Requirements, *, keep: bool) -> Forms:
    earlier, earlier_gpu = (_earlier(image.nuclio / f"constraints{form}.txt") for form in ("", "-gpu"))
    python = python_version(found, requirements)
    cpu = kept(requirements, earlier) if keep else pinned(requirements, found, python=python, earlier=earlier)
    images = choose(image, found, cpu.requirements)
    if images.gpu is None:
        return Forms(cpu=cpu, images=images)
    if keep:
        gpu = kept(images.gpu.requirements, earlier_gpu if earlier_gpu.pins else earlier)
        return Forms(cpu=cpu, images=images, gpu=gpu)
    python = images.gpu.python or python
    gpu = repinned(images.gpu.requirements, cpu, found, python=python, earlier=earlier_gpu)
    return Forms(cpu=cpu, images=images, gpu=gpu)


def _earlier(path: Path) -> Earlier:
    return Earlier.read(path.read_text("utf-8")) if path.is_file() else Earlier()


def _pins(nuclio: Path) -> dict[str, str]:
    path = nuclio / "requirements.txt"
    return pins_in(path.read_text("utf-8")) if path.is_file() else {}
