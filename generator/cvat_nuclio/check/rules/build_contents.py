"""CN344 to CN347, CN349 to CN351 and CN358: what the steps of the image's build find, and what they forget."""

import re
from collections.abc import Iterator

from ...nuclio.function_yaml import Directive
from ..bundle import Build
from ..image_names import has_conda, python_is_its_own
from ..pip import PipInstall, Requirement, commands, listed
from ..rule import ERROR, NOTE, WARNING, Fault, rule

# The author's own folders: a home, a drive of Windows, a folder above.
_HOST = re.compile(r"(?:~|\$\{?HOME\}?|/home/[^/\s]+|/Users/[^/\s]+|/mnt/[a-z]|[A-Za-z]:)[/\\]|\.\.[/\\]")
# A step that brings files by itself, so that nobody can tell which.
_FETCHES = re.compile(
    r"git clone|curl|wget|unzip|tar |gdown|aria2c|huggingface|svn |rsync|scp |\bcat\b|echo|printf|tee "
)
# Packages that bring OpenCV's build for desktops, as resolved on 2026-11-30; the last row's did so in 2025.
_DESKTOP = {
    "opencv-python", "opencv-contrib-python", "ultralytics", "ultralyticsplus", "sahi", "super-gradients", "yolov5",
    "yolov7", "yolov8", "yolov9", "yolov10", "imgaug", "mmcv", "mmcv-full", "mmcv-lite", "mmengine", "mmpose", "mmocr",
    "mmdeploy", "paddleocr", "boxmot", "mediapipe", "python-doctr", "rapidocr-onnxruntime", "face-alignment",
    "gfpgan", "realesrgan", "gluoncv", "dghs-imgutils", "craft-text-detector", "deep-sort-realtime", "layoutparser",
    "pixellib", "transparent-background", "trackers", "autodistill", "inference", "keras-ocr", "pyiqa", "scenedetect",
    "iopaint", "rtmlib", "insightface", "facexlib",
    "supervision", "deepface", "paddlex", "rfdetr", "norfair", "facenet-pytorch", "segment-geospatial",
}  # fmt: skip
# Packages that load or call what is not Python, and the Debian package that has it (their own installation pages).
_OUTSIDE = {
    "pyzbar": "libzbar0", "pytesseract": "tesseract-ocr", "tesserocr": "tesseract-ocr", "python-magic": "libmagic1",
    "pdf2image": "poppler-utils", "ffmpeg-python": "ffmpeg", "openslide-python": "libopenslide0", "pyvips": "libvips42",
}  # fmt: skip
# What brings libGL.so.1, or replaces OpenCV's build.
_LIBGL = re.compile(
    r"libgl|libegl|mesa|ffmpeg|opencv-(contrib-)?python-headless|python3-opencv|libopencv|libgtk|libqt|xorg|x11"
)
# Publishers of images for models, which hold no function's files.
_PUBLISHED = re.compile(r"(^|/)(ultralytics|openvino|nvidia|huggingface|rocm|intel|tensorrt|paddlepaddle)/")
# The first release of each with wheels for a Python, as PyPI lists them.
_WHEELS = {
    "torch": {"3.10": "1.11", "3.11": "1.13", "3.12": "2.2"},
    "tensorflow": {"3.10": "2.8", "3.11": "2.12", "3.12": "2.16"},
    "onnxruntime": {"3.10": "1.12", "3.11": "1.15", "3.12": "1.17"},
    "onnxruntime-gpu": {"3.10": "1.12", "3.11": "1.15", "3.12": "1.17"},
}
# The first release of each that was built against NumPy 2 (each project's release notes).
_NUMPY_2 = {"onnxruntime": "1.19", "onnxruntime-gpu": "1.19", "torch": "2.3", "opencv-python": "4.10", "numba": "0.60",
            "opencv-python-headless": "4.10", "scipy": "1.13", "tensorflow": "2.18", "openvino": "2024.3"}  # fmt: skip
# What needs no NumPy, torch included: where nothing else is installed, none comes.
_WITHOUT_NUMPY = {"torch", "torchaudio", "pip", "setuptools", "wheel", "msgpack", "nuclio-sdk"}


@rule(
    "CN344", "host-path-in-build", ERROR,
    source="Docker: COPY, ADD and RUN see the build's context and the image; Nuclio: build/builder.go stages the "
    "bundle as handler/",
    remedy="put the file into the bundle's folder, which is /opt/nuclio in the image; "
    "in preCopy write `COPY handler/NAME …`",
)  # fmt: skip
def host_path_in_build(build: Build) -> Iterator[Fault]:
    """A build step takes a file from the author's machine, or from outside the bundle: the build fails.

    nuctl builds in a folder of its own, where the bundle is `handler/`.
    """
    before = ""
    for step in build.directives:
        lost = [source for source in _sources(step, before) if _is_lost(source, step, before, build)]
        for source in lost[:1]:
            name = re.split(r"[/\\]", source.rstrip("/\\"))[-1]
            inside = source if (build.bundle.folder / source).exists() and ".." not in source else name
            remedy = f"write `COPY handler/{inside} …`: in the build the bundle's folder is handler/"
            known = (build.bundle.folder / inside).exists()
            message = f"{step.kind} finds no {source} in the build"
            if source.startswith("handler/"):
                remedy, known = f"put {name} into {build.bundle.folder.name}/", True
            yield Fault(message, build.at(step), remedy=remedy if known else "")
        before += step.value + "\n"


def _sources(step: Directive, before: str) -> list[str]:
    """The files that a step takes: of COPY and ADD all but the last word, of `cp`, `mv` and `ln` in RUN likewise."""
    if step.kind in ("COPY", "ADD") and "<<" not in step.value and "--from" not in step.value:
        words = re.findall(r"[^\s\[\],\"']+", step.value)
        return [word for word in words if not word.startswith("--")][:-1]
    found: list[str] = []
    for command in commands(step.value) if step.kind == "RUN" else ():
        words = command.split()
        if words and words[0] in ("cp", "mv", "ln"):
            found += [word for word in words[1:-1] if not word.startswith("-")]
    return found


def _is_lost(source: str, step: Directive, before: str, build: Build) -> bool:
    if step.kind == "RUN":
        # What an earlier step has put there is there; in images of one's own nobody knows.
        home = _HOST.match(source)
        return home is not None and build.image.is_plain and home[0] not in before and not _FETCHES.search(step.value)
    if re.fullmatch(r"/?handler/[\w./-]+\.\w+", source):
        return not (build.bundle.folder / source.lstrip("/").removeprefix("handler/")).exists()
    if re.match(r"https?://|git@|git://|handler\b|/handler\b|\./handler\b|artifacts\b|\.?/?$|[*$]", source):
        return False
    return not build.bundle.build.get("addedPaths")


@rule(
    "CN345", "requirements-not-copied", ERROR,
    source="Nuclio: build/builder.go copies the bundle after preCopy; recordings precopy-*",
    remedy="add `COPY handler/requirements.txt /tmp/` before it, and write `pip install -r /tmp/requirements.txt`",
)  # fmt: skip
def requirements_not_copied(build: Build) -> Iterator[Fault]:
    """pip is to read a file that is not in the image yet: the bundle is copied after preCopy, and the build fails."""
    steps = [step for step in build.directives if step.phase != "postCopy"]
    for install in build.installs:
        if install.step not in steps:
            continue
        before = "\n".join(step.value for step in steps[: steps.index(install.step)])
        for file in install.files:
            if "://" not in file and not file.startswith("$") and not _is_there(file, install, before):
                name = file.rpartition("/")[2]
                remedy = f"add `COPY handler/{name} /tmp/` before it, and write `pip install -r /tmp/{name}`"
                message = f"there is no {file} in the image at this step"
                own = build.image.is_own and not _PUBLISHED.search(build.image.name)
                if own:
                    message = f"no step before brings {file}: {build.image.name} must hold it"
                place = build.at(install.step)
                yield Fault(message, place, severity=NOTE if own else None, remedy=remedy)


def _is_there(file: str, install: PipInstall, before: str) -> bool:
    name = file.rpartition("/")[2]
    earlier = f"{before}\n{install.before}"
    mounted = "--mount" in install.step.value
    copied = (
        name in earlier or re.search(r"(?m)(^|\s)/?(\./)?handler(/\*?|\s)", earlier) or "@nuclio.postCopy" in before
    )
    return bool(mounted or copied or _FETCHES.search(earlier))


@rule(
    "CN346", "no-conda", ERROR,
    source="Docker: each RUN is a shell of its own; images of Python, Ubuntu, Debian and NVIDIA hold no conda",
    remedy="install with pip, or take an image with conda: continuumio/miniconda3",
)  # fmt: skip
def no_conda(build: Build) -> Iterator[Fault]:
    """A step calls conda in an image without it; or it activates an environment, which ends with the step."""
    before = ""
    for step in build.directives:
        called = commands(step.value) if step.kind == "RUN" else []
        conda = [command for command in called if re.match(r"(conda|mamba|source activate|\. activate)\b", command)]
        place = build.at(step)
        if conda and not has_conda(build.image, before + step.value):
            yield Fault(f"{build.image.name or 'the image'} has no conda, and no step before installs it", place)
            return
        if conda == called[-1:] and re.search(r"\bactivate\b", (called or [""])[-1]):
            remedy = "write `conda run -n NAME …` in each step, or add `ENV PATH=/opt/conda/envs/NAME/bin:$PATH`"
            message = "what `activate` sets ends with this step"
            yield Fault(message, place, severity=WARNING, remedy=remedy)
        before += step.value + "\n"


@rule(
    "CN347", "no-libgl", WARNING,
    source="cvat#8099; opencv-python's wheels load libGL.so.1 (its readme: headless for servers)",
    remedy="install opencv-python-headless instead, or add `RUN apt-get update && apt-get install -y libgl1 "
    "libglib2.0-0` to preCopy",
)  # fmt: skip
def no_libgl(build: Build) -> Iterator[Fault]:
    """OpenCV's build for desktops in an image without libGL.so.1: `import cv2` fails, and the worker dies at its start.

    ultralytics, supervision and others bring that build along.
    """
    if not build.image.is_plain or _LIBGL.search(build.steps + "".join(build.lists.values())):
        return
    for install, one in [pair for pair in build.wanted if pair[1].name in _DESKTOP][:1]:
        brings = "needs" if one.name.startswith("opencv") else "brings opencv-python, which needs"
        message = f"{one.name} {brings} libGL.so.1, and {build.image.name} has none"
        remedy = "" if one.name.startswith("opencv") else (
            "add `RUN apt-get update && apt-get install -y libgl1 libglib2.0-0` to preCopy, or "
            "`RUN pip uninstall -y opencv-python && pip install opencv-python-headless` after this step"
        )  # fmt: skip
        yield Fault(message, build.at(install.step), remedy=remedy)


@rule(
    "CN358", "no-system-package", WARNING,
    source="the packages' own installation pages; Docker's official images have none of these",
    remedy="install it with apt-get in preCopy",
)  # fmt: skip
def no_system_package(build: Build) -> Iterator[Fault]:
    """A Python package needs a library or program that pip does not bring: the import, or the first call, fails."""
    for install, one in build.wanted if build.image.is_plain else ():
        package = _OUTSIDE.get(one.name, "")
        # libvips42t64, tesseract-ocr-eng
        if package and package.rstrip("0123456789") not in build.steps:
            remedy = f"add `RUN apt-get update && apt-get install -y {package}` to preCopy"
            message = f"{one.name} needs {package}, which is not in {build.image.name}"
            yield Fault(message, build.at(install.step), remedy=remedy)


@rule(
    "CN349", "numpy-2", WARNING,
    source="NumPy's list of dependents that support NumPy 2 (numpy#26191); cvat#8503",
    remedy='write "numpy<2" beside it',
)  # fmt: skip
def numpy_2(build: Build) -> Iterator[Fault]:
    """A wheel from before NumPy 2, and nothing keeps NumPy below it: pip takes the newest, and the import fails."""
    kept = any(one.name == "numpy" and one.versions for _, one in build.wanted)
    if kept or re.search(r"numpy['\"\s]*[=<~]", build.steps):
        return
    # NumPy 2 needs Python 3.9: pip takes 1.24 for 3.8.
    if (minors := _minors(build)) and max(minors) < 9:
        return
    brought = {one.name for _, one in build.wanted} - _WITHOUT_NUMPY
    for install, one in build.wanted if brought else []:
        if _is_before(one, _NUMPY_2.get(one.name)):
            message = f"{one.name}{one.versions} was built against NumPy 1, and pip installs NumPy 2"
            yield Fault(message, build.at(install.step))
            return


@rule(
    "CN350", "no-wheel", ERROR,
    source="PyPI's files of torch, tensorflow, onnxruntime and onnxruntime-gpu for Linux on x86-64",
    remedy="write a later release, or take an image with an older Python",
)  # fmt: skip
def no_wheel(build: Build) -> Iterator[Fault]:
    """A release that has no wheel for the image's Python: pip says "No matching distribution found", the build fails.

    Functions written for an older image meet it when the image is renewed.
    """
    python = _python(build)
    for install, one in build.wanted:
        first = _WHEELS.get(one.name, {}).get(python)
        if _is_before(one, first) and one.name not in _marked(build, install):
            message = f"{one.name}{one.versions} has no wheel for Python {python}, which is {build.image.name}'s"
            remedy = f"write {one.name} {first} or later, or take an image with an older Python that Nuclio knows"
            yield Fault(message, build.at(install.step), remedy=remedy)
            return


def _marked(build: Build, install: PipInstall) -> set[str]:
    """What the files of an install list under a condition (`; python_version < "3.10"`)."""
    return {one.name for line in build.listed_in(install).splitlines() if ";" in line for one in listed(line)}


def _is_before(one: Requirement, first: str | None) -> bool:
    """Whether a requirement asks for exactly one release, older than `first`."""
    pinned = re.match(r"={2,3}v?(\d+)\.(\d+)[^;,]*$", one.versions)
    if pinned is None or first is None:
        return False
    return (int(pinned[1]), int(pinned[2])) < tuple(map(int, first.split(".")))


def _minors(build: Build) -> list[int]:
    """The minor versions that the steps' Python may be of: what they name, else the image's."""
    named = re.findall(r"python(?:=+|-)?3\.(\d+)", build.steps)
    return [int(minor) for minor in named or re.findall(r"^3\.(\d+)$", build.image.python or "")]


def _python(build: Build) -> str:
    """The Python that the steps' pip installs for; empty where nobody can tell."""
    return (build.image.python or "") if python_is_its_own(build.image, build.steps) else ""


@rule(
    "CN351", "no-such-version", ERROR,
    source="the index of packages that pip's settings here name; the image's build may ask another",
    remedy="write a version that the index has; `pip index versions NAME` lists them",
)  # fmt: skip
def no_such_version(build: Build) -> Iterator[Fault]:
    """The index has no such package, or none of the versions that are asked for: the build fails.

    Looked for with `--online` alone.
    """
    ask = build.bundle.settings.index
    for install in build.installs if ask else []:
        marked = _marked(build, install)
        lines = [f"{one.name}{one.versions}" for one in build.asked(install) if one.name not in marked]
        options = [f"--index-url {install.index}"] if install.index.startswith("http") else []
        python = _python(build) or build.bundle.runtime[1] or "3.11"
        for line in ask([*options, *lines], python) if ask and lines else []:
            yield Fault(f"the index has no {line}", build.at(install.step))
