"""Writes data/frameworks.yaml: which CUDA each release of torch and onnxruntime-gpu was built for.

    python -m tools.update_frameworks

Asks the package index for metadata only, through `uv pip compile` (install uv first); no wheel is downloaded. The
releases are those that the table has and the newest, which takes the place of one of the same minor version.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from cvat_nuclio import atomic
from cvat_nuclio.data import tables

TABLE = Path(__file__).parent.parent / "generator" / "cvat_nuclio" / "data" / "frameworks.yaml"

#: Releases whose metadata does not say, and what does.
ONNXRUNTIME_GPU_BY_HAND = {
    "1.20.2": ("12", "ONNX Runtime's page on the CUDA execution provider: CUDA 12 since 1.19"),
    "1.27.0": ("13", "its extra `cuda` asks for nvidia-cuda-nvrtc-cu13, which never got a release"),
}

HEADER = """\
# Written by `python -m tools.update_frameworks` from the metadata of the wheels for Linux on x86-64. Do not edit.
# A row: a release, the CUDA (and cuDNN) of its wheel, what else is built for exactly that release, and what says so.
"""


def main() -> int:
    """Prints the number of rows written."""
    # Each torchvision pins the torch that it was built with, so its releases choose torch's rows.
    torchvision = [row.beside["torchvision"] for row in tables.rows("torch")]
    torch = dict(map(torch_row, [*torchvision, newest("torchvision")]))
    known = [row.version for row in tables.rows("onnxruntime-gpu")]
    onnxruntime = dict(map(onnxruntime_row, [*known, newest("onnxruntime-gpu")]))
    lines = [HEADER, "torch:\n", *torch.values(), "onnxruntime-gpu:\n", *onnxruntime.values()]
    atomic.write(TABLE, "".join(lines).encode())
    print(f"{TABLE.name}: {len(torch)} rows for torch, {len(onnxruntime)} for onnxruntime-gpu")
    return 0


def newest(distribution: str) -> str:
    """The newest release."""
    return resolve(distribution, python="3.12")[distribution]


def torch_row(torchvision: str) -> tuple[str, str]:
    """The minor version and the row of the torch release that this torchvision was built with."""
    pins = resolve(f"torchvision=={torchvision}", python="3.11")
    cuda = next(item for item in ("nvidia-cuda-runtime-cu12", "cuda-toolkit") if item in pins)
    cudnn = next(item for item in pins if item.startswith("nvidia-cudnn-"))
    return minor(pins["torch"]), row(
        pins["torch"],
        cuda=minor(pins[cuda]),
        cudnn=minor(pins[cudnn]),
        beside=f'{{torchvision: "{torchvision}"}}',
        source=f"torch {pins['torch']} requires {cuda}=={pins[cuda]}, {cudnn}=={pins[cudnn]}",
    )


def onnxruntime_row(version: str) -> tuple[str, str]:
    """The minor version and the row; only CUDA's major version is fixed, for the extras take any release of it."""
    if version in ONNXRUNTIME_GPU_BY_HAND:
        cuda, source = ONNXRUNTIME_GPU_BY_HAND[version]
        return minor(version), row(version, cuda=cuda, source=source)
    pins = resolve(f"onnxruntime-gpu[cuda,cudnn]=={version}", python="3.12")
    runtime = next(item for item in pins if re.fullmatch(r"nvidia-cuda-runtime(-cu\d+)?", item))
    cudnn = next(item for item in pins if item.startswith("nvidia-cudnn-"))
    major = pins[runtime].split(".")[0]
    return minor(version), row(version, cuda=major, source=f"its extras ask for {runtime} {major}.x and {cudnn}")


def row(version: str, *, cuda: str, source: str, cudnn: str = "", beside: str = "") -> str:
    """One row, as YAML."""
    fields = [f'version: "{version}"', f'cuda: "{cuda}"']
    fields += [f'cudnn: "{cudnn}"'] if cudnn else []
    fields += [f"beside: {beside}"] if beside else []
    fields += [f'source: "{source}"']
    return "  - " + "\n    ".join(fields) + "\n"


def minor(version: str) -> str:
    """`12.4.127` → `12.4`."""
    return ".".join(version.split(".")[:2])


def resolve(requirement: str, *, python: str) -> dict[str, str]:
    """The pins of a requirement and all below it, on Linux x86-64, wheels only."""
    uv = shutil.which("uv") or sys.exit("uv is not installed: `pip install uv`")
    command = [
        uv, "pip", "compile", "-", "--no-header", "--no-annotate", "--quiet", "--only-binary", ":all:",
        "--python-version", python, "--python-platform", "x86_64-manylinux_2_28",
    ]  # fmt: skip
    answer = subprocess.run(command, input=requirement, text=True, capture_output=True, check=False)
    if answer.returncode:
        sys.exit(f"{requirement}: {answer.stderr}")
    return dict(line.split("==") for line in answer.stdout.split() if "==" in line)


if __name__ == "__main__":
    sys.exit(main())
