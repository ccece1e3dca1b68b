"""The base images, and the requirements of the GPU image: from the pinned framework, through the tables."""

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from ..data import tables
from ..errors import UserError
from .bundle_options import ImageOptions
from .probe import Probe
from .requirements import Line, Requirements, pin

System = Literal["python", "ubuntu", "unknown"]


@attrs.frozen(kw_only=True)
class BaseImage:
    """What an image starts from."""

    reference: str
    system: System
    """`python`: has `python` and pip. `ubuntu`: has neither. `unknown`: the user's own choice."""
    reason: str


@attrs.frozen(kw_only=True)
class Gpu:
    """The GPU form of a function."""

    image: BaseImage
    requirements: Requirements
    driver: str = ""
    """One sentence on the least driver, or an empty text."""
    python: str = ""
    """The image's Python, where it is not the CPU image's: `3.12`."""


def cpu_image(options: ImageOptions, probe: Probe, requirements: Requirements) -> BaseImage:
    """The CPU form's."""
    image = tables.python_image(python_version(probe, requirements))
    plain = BaseImage(reference=image, system="python", reason="Debian with Python, nothing else")
    return _own(options.base_image, "--base-image") or plain


def gpu_image(options: ImageOptions, probe: Probe, cpu: Requirements, framework: str) -> tuple[Gpu | None, list[str]]:
    """The GPU form beside a CPU form with such requirements, if there is one, and notes. Raises UserError."""
    how = tables.framework(framework)["gpu"] if framework else "none"
    own = _own(options.gpu_base_image, "--gpu-base-image")
    if how == "none":
        if own is None and options.cuda:
            raise UserError(
                "--cuda is for functions on torch or ONNX Runtime", why=f"this one uses {framework or 'neither'}"
            )
        return (Gpu(image=own, requirements=cpu) if own else None), []
    if how == "wheel":
        return _in_wheel(options, cpu, own, probe)
    return _in_image(options, cpu, own, probe)


def framework_of(probe: Probe, requirements: Requirements) -> str:
    """The framework that decides on the images. ONNX Runtime before torch: it takes CUDA from the image."""
    names = {*probe.frameworks, *requirements.names()}
    if names & {"onnxruntime", "onnxruntime-gpu"}:
        return "onnxruntime"
    return next((name for name in ("torch", "openvino") if name in names), "")


def python_version(probe: Probe, requirements: Requirements) -> str:
    """The oldest Python of the table that every pinned version allows: all of Nuclio's versions know 3.11."""
    wanted = [item for item in (*probe.distributions, *probe.installed.values()) if item.requires_python]
    needs = [item.requires_python for item in wanted if requirements.version(item.name) == item.version]
    known = tables.python_versions()
    return next((version for version in known if all(_allows(text, version) for text in needs)), known[-1])


def _allows(requires: str, version: str) -> bool:
    try:
        return SpecifierSet(requires).contains(f"{version}.99")
    except InvalidSpecifier:
        return True


def _own(reference: str | None, flag: str) -> BaseImage | None:
    return BaseImage(reference=reference, system="unknown", reason=f"chosen by {flag}") if reference else None


def _in_wheel(options: ImageOptions, cpu: Requirements, own: BaseImage | None, probe: Probe) -> tuple[Gpu, list[str]]:
    row, notes = _row("torch", cpu, options.cuda, probe.frameworks)
    least, full = tables.drivers(row.cuda)
    driver = f"needs NVIDIA driver {least} or newer (CUDA {row.cuda} is in the wheel)"
    if full != least:
        driver += f"; {full} for GPUs newer than the wheel"
    image = own or BaseImage(
        reference=tables.python_image(python_version(probe, cpu)),
        system="python",
        reason=f"torch's wheel carries CUDA {row.cuda} and cuDNN {row.cudnn}; the host brings only the driver",
    )
    return Gpu(image=image, requirements=_torch(cpu, row, options.cuda), driver=driver), notes


def _in_image(options: ImageOptions, cpu: Requirements, own: BaseImage | None, probe: Probe) -> tuple[Gpu, list[str]]:
    row, notes = _row("onnxruntime-gpu", cpu, options.cuda, probe.frameworks)
    table = tables.cuda_image(row.cuda_major)
    driver = f"needs NVIDIA driver {table['driver']} or newer (CUDA {table['version']} is in the image)"
    image = own or BaseImage(
        reference=table["image"],
        system="ubuntu",
        reason=f"ONNX Runtime {row.version} for GPUs takes CUDA {row.cuda_major} and cuDNN 9 from the image; "
        f"Python {table['python']}",
    )
    python = "" if own else table["python"]
    return Gpu(image=image, requirements=_onnxruntime_gpu(cpu, row), driver=driver, python=python), notes


def _row(
    distribution: str, requirements: Requirements, cuda: str | None, loaded: Mapping[str, str]
) -> tuple[tables.Row, list[str]]:
    """The release for the GPU image: the pinned one, else the newest that the requirement and --cuda allow."""
    base = distribution.removesuffix("-gpu")
    pinned = requirements.version(distribution) or requirements.version(base)
    allowed = [row for row in tables.rows(distribution) if cuda is None or row.cuda_major == cuda]
    if not pinned:
        fitting = [row for row in allowed if _satisfies(requirements, (distribution, base), row.version)]
        return (fitting or allowed)[-1], []
    row = tables.row_of(distribution, pinned)
    notes = []
    if not tables.covers(distribution, pinned):
        newer = Version(pinned) > Version(tables.rows(distribution)[-1].version)
        what = "is newer than what is known here" if newer else "is not known here"
        notes.append(f"{distribution} {pinned} {what}; the GPU image gets CUDA for {row.version}")
    if cuda is not None and row.cuda_major != cuda:
        older = [one for one in allowed if Version(one.version) <= Version(pinned)]
        row = older[-1] if older else allowed[0]
    return row, notes


def _satisfies(requirements: Requirements, names: Iterable[str], version: str) -> bool:
    for line in requirements.own:
        if line.name in names:
            try:
                return Requirement(line.text.split("#")[0].strip()).specifier.contains(version)
            except InvalidRequirement:
                return True
    return True


def _torch(requirements: Requirements, row: tables.Row, cuda: str | None) -> Requirements:
    """With the torch of `row`, and what is built for it, where `--cuda` asks for another than is pinned."""
    pinned = requirements.version("torch")
    if cuda is None or (pinned and tables.row_of("torch", pinned).cuda_major == cuda):
        return requirements
    built = {"torchaudio": row.version, **row.beside}
    pins = {"torch": pin("torch", row.version, f"The newest for CUDA {row.cuda_major}.")}
    for name in requirements.names() & built.keys():
        pins[name] = pin(name, built[name], "Built for that torch.")
    return _repin(requirements, pins)


def _onnxruntime_gpu(requirements: Requirements, row: tables.Row) -> Requirements:
    """`onnxruntime` gives way to `onnxruntime-gpu`, whose releases are not the same."""
    pinned = requirements.version("onnxruntime-gpu") or requirements.version("onnxruntime")
    exact = bool(pinned) and Version(pinned).release[:2] == Version(row.version).release[:2]
    newer = bool(pinned) and Version(pinned) > Version(row.version) and row == tables.rows("onnxruntime-gpu")[-1]
    if (exact or newer) and "onnxruntime-gpu" in requirements.names():
        return requirements
    comment = "In place of onnxruntime"
    if pinned and Version(pinned) != Version(row.version):
        comment += f" {pinned}: the nearest release for CUDA {row.cuda_major}"
    line = pin("onnxruntime-gpu", row.version, comment + ".")
    return _repin(requirements, {"onnxruntime": line, "onnxruntime-gpu": line})


def _repin(requirements: Requirements, pins: Mapping[str, Line]) -> Requirements:
    own: list[Line] = []
    for line in requirements.own:
        new = pins.get(line.name, line)
        if new is line or new not in own:
            own.append(new)
    names = {line.name for line in own}
    own += [line for name, line in pins.items() if line.name not in names and name == line.name]
    return attrs.evolve(requirements, own=tuple(own))
