"""The tables in `data/`: frameworks, base images, drivers, skeletons, Nuclio's versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml
from packaging.version import Version


@dataclass(frozen=True, kw_only=True)  # `check` imports this, and no attrs
class Row:
    """One release of a framework and the CUDA of its Linux wheel."""

    version: str
    cuda: str
    """`13.0`, or `13` where any release of it will do."""
    cudnn: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Distributions built for exactly this release, with their versions."""
    source: str = ""

    @property
    def cuda_major(self) -> str:
        """`13.0` → `13`."""
        return self.cuda.partition(".")[0]


@cache
def read(name: str) -> Mapping[str, Any]:
    """A table as it stands in `data/NAME.yaml`."""
    text = resources.files("cvat_nuclio.data").joinpath(f"{name}.yaml").read_text("utf-8")
    table: Mapping[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return table


@cache
def rows(distribution: str) -> tuple[Row, ...]:
    """A framework's releases, oldest first."""
    return tuple(sorted((Row(**row) for row in read("frameworks")[distribution]), key=lambda row: Version(row.version)))


def row_of(distribution: str, version: str) -> Row:
    """The row for a release: its own, else of the same minor version, else the newest older one, else the oldest."""
    known = rows(distribution)
    wanted = Version(version)
    for row in known:
        if Version(row.version).release[:2] == wanted.release[:2]:
            return row
    older = [row for row in known if Version(row.version) <= wanted]
    return older[-1] if older else known[0]


def covers(distribution: str, version: str) -> bool:
    """Whether the table has a row for this minor version."""
    return Version(row_of(distribution, version).version).release[:2] == Version(version).release[:2]


def framework(name: str) -> Mapping[str, str]:
    """How a framework uses a GPU: `gpu`, `metadata`, perhaps `distribution`."""
    found: Mapping[str, str] = read("base_images")["frameworks"][name]
    return found


def python_image(version: str) -> str:
    """The image with only Python, such as `python:3.11-slim`."""
    return str(read("base_images")["python"]["image"]).format(version=version)


def python_versions() -> list[str]:
    """The minor versions that an image may have, oldest first."""
    return list(read("base_images")["python"]["versions"])


def cuda_image(major: str) -> Mapping[str, str]:
    """The image with CUDA and cuDNN: `image`, `version`, `python`, `driver`."""
    found: Mapping[str, str] = read("base_images")["cuda"][major]
    return found


def drivers(cuda: str) -> tuple[str, str]:
    """The oldest NVIDIA driver on Linux for wheels of a CUDA release such as `13.2`.

    First the one that runs what was compiled for the GPU, then the one that also compiles for newer GPUs.
    """
    table = read("base_images")["drivers"]
    least = table["least"][cuda.partition(".")[0]]
    return least, table["full"].get(cuda, least)


def nuclio_wheels() -> Mapping[tuple[int, int], tuple[Sequence[str], str]]:
    """By line of Nuclio (`(1, 16)`): the Pythons that it has wheels for, and which of them `runtime: python` means."""
    lines: Mapping[str, Mapping[str, Any]] = read("nuclio_versions")["lines"]
    return {_pair(line): (tuple(row["wheels"]), str(row["alias"])) for line, row in lines.items()}


def nuclio_image(version: str | None = None) -> str:
    """Nuclio's image with the processor; without a version that of the newest one that was run."""
    table = read("nuclio_versions")
    return str(table["onbuild"]).format(version=version or table["prebuilt"])


def never_run(version: str) -> str:
    """What to say of a version of Nuclio that nothing here was run with; empty for the others."""
    ran = read("nuclio_versions")["ran"]
    return "" if version in ran else f"never run with this tool, which was run with {' and '.join(ran)}"


def nuclio_faults(version: str, *, arch: str, platform: str) -> list[str]:
    """Known faults of a version (`1.16.3`) that concern this machine and platform, a sentence each."""
    return [
        f"Nuclio {version}: {fault['text']} ({fault['id']})"
        for fault in read("nuclio_versions")["faults"]
        if Version(fault["first"]) <= Version(version) <= Version(fault["last"])
        and arch in fault.get("arch", [arch])
        and platform == fault.get("platform", platform)
    ]


def _pair(line: str) -> tuple[int, int]:
    major, _, minor = line.partition(".")
    return int(major), int(minor)
