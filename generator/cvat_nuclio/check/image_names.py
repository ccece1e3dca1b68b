"""What is known of a base image by its name alone; nothing is pulled. Unknown names say nothing."""

import re
from dataclasses import dataclass

from ..nuclio.image_name import image_name

# Python of the distributions, and whether `apt`'s Python refuses pip (PEP 668).
_UBUNTU = {"18.04": "3.6", "20.04": "3.8", "22.04": "3.10", "24.04": "3.12", "26.04": "3.14"}
_UBUNTU_NAMES = {"bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04"}
_DEBIAN = {"10": "3.7", "11": "3.9", "12": "3.11", "13": "3.13"}
_DEBIAN_NAMES = {"buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13"}
_PEP_668 = {"debian": 12, "ubuntu": 23}


@dataclass(frozen=True, slots=True)
class BaseImage:
    """Facts, None where the name does not tell.

    `family`: `python` (the official image), `ubuntu`, `debian`, `cuda` (nvidia/cuda), `conda`, `tensorflow`, `pytorch`.
    `has_python`: a program `python` is on PATH. `managed`: its Python refuses pip (PEP 668). `cuda` is a pair; `cudnn`
    and `cublas` tell whether CUDA's libraries of that name are in it. `release` is the distribution's, such as 13 or
    24.04; 0 where the name does not tell.
    """

    name: str
    family: str | None = None
    python: str | None = None
    has_python: bool | None = None
    managed: bool = False
    musl: bool = False
    cuda: tuple[int, int] | None = None
    cudnn: bool = False
    cublas: bool = False
    release: float = 0

    @property
    def distribution(self) -> str:
        """`debian` or `ubuntu`, of a plain image with glibc."""
        return "debian" if self.family in ("python", "debian") else "ubuntu"

    @property
    def is_own(self) -> bool:
        """Whether its name tells nothing: an image of one's own, which may hold whatever the function needs."""
        return bool(self.name) and self.family is None

    @property
    def is_plain(self) -> bool:
        """Whether the image holds a distribution or Python, and nothing for models."""
        return self.family in ("python", "ubuntu", "debian", "cuda")


def base_image(name: str) -> BaseImage:
    """Reads an image's name: registry and digest are left aside, for mirrors keep the official paths."""
    image = image_name(name)
    path, tag = image.place[1], image.tag or "latest"
    # Mirrors put Docker Hub below a path of their own: public.ecr.aws/docker/library/python.
    path = path.rpartition("library/")[2]
    if path.endswith("/nvidia/cuda"):
        path = "nvidia/cuda"
    if path == "python":
        match = re.match(r"(3\.\d+)", tag)
        python = match[1] if match else None
        return BaseImage(name, "python", python, True, musl="alpine" in tag, release=_debian_of(python, tag))
    if path in ("ubuntu", "debian"):
        return _distribution(name, path, tag)
    if path == "nvidia/cuda":
        return _cuda(name, tag)
    families = {"continuumio/miniconda3": "conda", "continuumio/anaconda3": "conda", "mambaorg/micromamba": "conda"}
    families |= {"pytorch/pytorch": "pytorch", "tensorflow/tensorflow": "tensorflow"}
    if path == "alpine":
        return BaseImage(name, "alpine", has_python=False, musl=True)
    return BaseImage(name, families.get(path), has_python=True if path in families else None)


def _debian_of(python: str | None, tag: str) -> float:
    """Python's official images follow Debian's newest while that Python is maintained, unless the tag names one."""
    named = next((number for suite, number in _DEBIAN_NAMES.items() if suite in tag), None)
    return float(named or (13 if python and int(python.rpartition(".")[2]) >= 9 else 0))


def _distribution(name: str, family: str, tag: str) -> BaseImage:
    names, versions = (_UBUNTU_NAMES, _UBUNTU) if family == "ubuntu" else (_DEBIAN_NAMES, _DEBIAN)
    word = re.split(r"[-_]", tag)[0]
    release = names.get(word, word.split(".")[0] if family == "debian" else word)
    python = versions.get(release)
    managed = python is not None and int(release.split(".")[0]) >= _PEP_668[family]
    number = float(release) if re.fullmatch(r"\d+(\.\d+)?", release) else 0
    return BaseImage(name, family, python, False, managed, release=number)


def _cuda(name: str, tag: str) -> BaseImage:
    match = re.match(r"(\d+)\.(\d+)", tag)
    ubuntu = re.search(r"ubuntu(\d\d\.\d\d)", tag)
    release = ubuntu[1] if ubuntu else ""
    python = _UBUNTU.get(release)
    managed = python is not None and int(release[:2]) >= _PEP_668["ubuntu"]
    cuda = (int(match[1]), int(match[2])) if match else None
    return BaseImage(
        name, "cuda", python, False, managed, cuda=cuda, cudnn="cudnn" in tag, cublas="base" not in tag.split("-"),
        release=float(release or 0),
    )  # fmt: skip


# Text in a build step after which the image's Python is not the distribution's, or nobody can tell.
_OTHER_PYTHON = re.compile(
    r"pyenv|deadsnakes|python3\.\d+|\buv\b|virtualenv|-m venv|make install|Python-3|add-apt-repository"
)
_PYTHON_LINK = re.compile(
    r"python-is-python3|/python(?:['\"\s]|$)|alias.*python|update-alternatives.*python|bin/python\b"
)
# What may bring a `python3`, by itself or with something else.
_INSTALLS = re.compile(r"\binstall\b|\b(apt|apk|dnf|yum|curl|wget|dpkg|tar|make)\b|\.sh\b|--from")
# The name of an installer, of a package of the distribution's or of a folder; `conda create` alone is none of these.
_CONDA_MADE = re.compile(r"(?i)miniconda|anaconda|miniforge|mambaforge|micromamba|/conda\b|install [^&|;]*\bconda")


def has_conda(image: BaseImage, steps: str) -> bool:
    """Whether conda may be there: in the image, or after a step."""
    return not image.is_plain or bool(_CONDA_MADE.search(steps))


def python_is_its_own(image: BaseImage, steps: str) -> bool:
    """Whether the build leaves the image's Python alone."""
    conda = re.search("conda|mamba", steps) and has_conda(image, steps)
    return not conda and not _OTHER_PYTHON.search(steps)


def makes_python(image: BaseImage, steps: str) -> bool:
    """Whether a build step may put a program `python` on PATH."""
    if not python_is_its_own(image, steps):
        return True
    # A link alone makes none: these images hold no `python3` either.
    linked = _PYTHON_LINK.search(steps) and (image.family == "cuda" or _INSTALLS.search(steps))
    return bool(linked or re.search(r"\binstall\b(?:[^&|;\n]|\\\n)*\spython(?=\s|$)", steps))
