"""CN337 to CN339: GPU images and the wheels that go with them."""

import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..images import BaseImage, base_image
from ..rule import ERROR, WARNING, ConfigRule
from ..source import imported_modules
from .image import ImageRule, value_place


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
                    place = value_place(config, phase, i)
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
                    config.file, f"{what} has no CUDA, and this file asks for a GPU", value_place(config, phase, i)
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
