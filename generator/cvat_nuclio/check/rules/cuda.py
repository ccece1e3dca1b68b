"""CN337 to CN339 and CN348: GPU images and the wheels that go with them."""

import re
from collections.abc import Iterator

from ...data import tables
from ..bundle import Build, Bundle
from ..pip import Requirement
from ..rule import ERROR, WARNING, Fault, rule

_GPU_ONNX = "onnxruntime-gpu"


@rule(
    "CN337", "cuda-mismatch", ERROR,
    source="ONNX Runtime's page on its CUDA provider: PyPI's wheels want CUDA 11.8 up to 1.18, "
    "then see frameworks.yaml",
    remedy="choose a base image with that CUDA, or a wheel for this one",
)  # fmt: skip
def cuda_mismatch(build: Build) -> Iterator[Fault]:
    """A wheel built for another CUDA than the image's: the model runs on the CPU, or does not load.

    torch and tensorflow bring their own CUDA; ONNX Runtime and CuPy look for the image's. Without a version pip takes
    the newest, which is a warning, because it depends on the day.
    """
    cuda = build.image.cuda
    for install, one in build.wanted if cuda else ():
        # Another index has builds for other versions of CUDA.
        elsewhere = install.index or re.search(r"(?m)^\s*(-i|--(extra-)?index-url)\b", build.listed_in(install))
        ours = not (elsewhere and one.name == _GPU_ONNX)
        wanted, known = _cuda_of(one) if ours else (None, "")
        if cuda and wanted not in (None, cuda[0]):
            what = f"{one.name}{one.versions}" if one.versions else f"the newest {one.name}"
            message = f"{what} wants CUDA {wanted}, the image has {cuda[0]}.{cuda[1]}"
            if known:
                message += f": newer than what is known here, {known}, whose CUDA it is taken to want"
            sure = not known and (bool(one.versions) or one.name != _GPU_ONNX)
            severity, remedy = ERROR if sure else WARNING, _instead(one, cuda[0], wanted)
            yield Fault(message, build.at(install.step), severity=severity, remedy=remedy)


def _instead(one: Requirement, cuda: int, wanted: int | None) -> str:
    """What to write for an image's CUDA."""
    if one.name != _GPU_ONNX:
        return f"write cupy-cuda{cuda}x, or take an image with CUDA {wanted}"
    fitting = [row.version for row in tables.rows(_GPU_ONNX) if row.cuda_major == str(cuda)]
    version = "1.18.1" if cuda == 11 else fitting[-1] if fitting else ""
    return f"write {_GPU_ONNX}=={version}, or take an image with CUDA {wanted}" if version else ""


def _cuda_of(one: Requirement) -> tuple[int | None, str]:
    """The major version of CUDA that PyPI's wheel looks for; None where it looks for none, or nobody can tell.

    Then the newest release that is known, if every version that is asked for is newer.
    """
    if match := re.fullmatch(r"cupy-cuda(\d\d)[x\d]*", one.name):
        return int(match[1]), ""
    # Its extras bring CUDA along.
    if one.name != _GPU_ONNX or "cuda" in one.extras:
        return None, ""
    # Its imports are for few files, and every start would pay for them.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import Version

    newest = Version(tables.rows(_GPU_ONNX)[-1].version)
    known = [Version(f"1.{minor}.{patch}") for minor in range(newest.minor + 1) for patch in range(6)]
    # `===` compares texts, which is `==` for all that anybody has written.
    try:
        allowed = SpecifierSet(one.versions.replace("===", "=="))
    except InvalidSpecifier:
        return None, ""
    version = max((v for v in known if v in allowed and v <= newest), default=None)
    if version is None:
        newer = any(Version(item.version.removesuffix(".*")) >= newest for item in allowed)
        return (int(tables.row_of(_GPU_ONNX, str(newest)).cuda_major), str(newest)) if newer else (None, "")
    return 11 if version.minor < 19 else int(tables.row_of(_GPU_ONNX, str(version)).cuda_major), ""


@rule(
    "CN338", "cpu-wheel", WARNING,
    source="PyTorch's wheel index: /whl/cpu has no CUDA; PyPI's onnxruntime has none either",
    remedy="install the build for CUDA: PyPI's torch, onnxruntime-gpu",
)  # fmt: skip
def cpu_wheel(build: Build) -> Iterator[Fault]:
    """A file for the GPU installs a framework's build for the CPU."""
    if not build.bundle.for_gpu:
        return
    names = {one.name for _, one in build.wanted}
    # Other frameworks bring it along; it matters where the handler runs on it.
    uses_onnx = any("onnxruntime" in module.imported for module in build.bundle.modules.values())
    for install in build.installs:
        cpu = re.search(r"/whl/cpu\b|torch\S*\+cpu", f"{install.step.value}\n{build.listed_in(install)}")
        asked = {one.name for one in build.asked(install)}
        plain = "onnxruntime" in asked and _GPU_ONNX not in names and uses_onnx
        if cpu or plain:
            message = f"{cpu[0] if cpu else 'onnxruntime'} has no CUDA, and this file asks for a GPU"
            yield Fault(message, build.at(install.step))


@rule(
    "CN339", "no-gpu", WARNING,
    source="Nuclio: local/platform.go PositiveGPUResourceLimit; cvat guide 8.1",
    remedy="add `resources: {limits: {nvidia.com/gpu: 1}}` to spec",
)  # fmt: skip
def no_gpu(bundle: Bundle) -> Iterator[Fault]:
    """A file made for a GPU asks for none: Docker starts the container without it.

    It is `spec.resources.limits` that counts; anything above zero gives all GPUs on local Docker.
    """
    cuda = bundle.image.family == "cuda"
    asks = any("gpu" in key.lower() for key in bundle.limits)
    if bundle.config and bundle.places.has("spec") and (bundle.for_gpu or cuda) and not asks:
        path = ("spec", "build", "baseImage") if cuda else ("spec", "resources")
        what = "the base image has CUDA" if cuda else "the file is named after the GPU"
        place = bundle.places.value(*path) if cuda else bundle.places.key(*path)
        yield Fault(f"{what}, but no GPU is asked for", place)


@rule(
    "CN348", "no-cuda-in-image", WARNING,
    source="ONNX Runtime's page on its CUDA provider (CUDA and cuDNN are to be installed); tags of nvidia/cuda; "
    "cvat#6793",
    remedy="take an image of nvidia/cuda with `cudnn-runtime` in its tag",
)  # fmt: skip
def no_cuda_in_image(build: Build) -> Iterator[Fault]:
    """ONNX Runtime's build for the GPU, in an image without CUDA or cuDNN: it runs on the CPU.

    Only its log says so. NVIDIA's tags with `base` lack cuBLAS too; those with `runtime` and no `cudnn` lack cuDNN.
    """
    image = build.image
    brought = re.search(
        r"(?i)cudnn|nvidia-c|\btorch\b|cuda-toolkit|tensorrt", build.steps + "".join(build.lists.values())
    )
    if not build.bundle.for_gpu or not image.is_plain or image.cudnn or brought:
        return
    for install, one in build.wanted:
        if one.name == _GPU_ONNX and "cuda" not in one.extras:
            lacks = "CUDA" if image.cuda is None else "cuDNN" if image.cublas else "cuBLAS and cuDNN"
            message = f"{image.name} has no {lacks}: {one.name} falls back to the CPU without a word"
            yield Fault(message, build.at(install.step))
