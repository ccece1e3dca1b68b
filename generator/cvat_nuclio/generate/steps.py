"""How an image is built: one list of steps, for nuctl's `directives` and for the Dockerfile of a prebuilt image."""

import json
from collections.abc import Mapping, Sequence

import attrs

from ..errors import UserError
from .base_images import BaseImage
from .description import Description
from .provenance import labels
from .requirements import Requirements

CACHE = "/opt/cache"
#: Where libraries keep what they download. In the image, so that a worker finds it there.
CACHES = {
    "TORCH_HOME": f"{CACHE}/torch",
    "HF_HOME": f"{CACHE}/huggingface",
    "XDG_CACHE_HOME": CACHE,
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
HOME = "/opt/nuclio"
STAGE = "/tmp"  # noqa: S108 - of the image that is being built


@attrs.frozen(kw_only=True)
class Step:
    """One line of a Dockerfile."""

    kind: str
    value: str
    """With `{bundle}` where the bundle's folder in the build context goes."""
    why: str

    def directive(self) -> dict[str, str]:
        """As nuctl reads it: the bundle lies in `handler/`."""
        return {"kind": self.kind, "value": self.value.replace("{bundle}", "handler/")}

    def line(self) -> str:
        """In the Dockerfile, whose context is the bundle's folder."""
        return f"{self.kind} {self.value.replace('{bundle}', '')}"


def steps(bundle: Description, *, gpu: bool) -> list[Step]:
    """The steps before the bundle itself is copied: they stay in the build's cache while only its code changes.

    Raises UserError.
    """
    form, requirements = bundle.form(gpu=gpu), bundle.requirements_files(gpu=gpu)
    git = ["git"] if any("git+" in line.text for line in bundle.requirements.lines) else []
    return [
        Step(kind="USER", value="root", why="a base image may leave another user"),
        Step(
            kind="ENV", value="DEBIAN_FRONTEND=noninteractive PIP_BREAK_SYSTEM_PACKAGES=1 PIP_NO_CACHE_DIR=1",
            why="Nuclio's own pip step meets Debian's ban on installing (PEP 668)",
        ),
        *_python(form.image, [*bundle.image.apt, *git]),
        *([_nvidia()] if gpu else []),
        Step(
            kind="COPY", value=" ".join([*(f"{{bundle}}{name}" for name in requirements), f"{STAGE}/"]),
            why="alone, so that pip runs again only when they change",
        ),
        Step(kind="RUN", value=f"python -m pip install -r {STAGE}/{requirements[0]}", why="nothing else installs them"),
        *([_headless(bundle.requirements)] if bundle.probe.drags_opencv else []),
        Step(kind="WORKDIR", value=HOME, why="relative paths start in the bundle"),
        *_bake(bundle.bake_files, bundle.image.build_secret),
        _label(labels(bundle, gpu=gpu)),
    ]  # fmt: skip


def _python(image: BaseImage, apt: Sequence[str]) -> list[Step]:
    packages = " ".join(sorted(apt))
    if image.system == "ubuntu":
        return [
            Step(
                kind="RUN",
                value=_install(f"python3 python3-venv {packages}".strip()) + " && python3 -m venv /opt/venv",
                why="Ubuntu has no `python` on PATH, which Nuclio's build needs; a virtual environment has, and pip "
                "may install there",
            ),
            Step(kind="ENV", value="PATH=/opt/venv/bin:$PATH", why="that environment comes first"),
        ]  # fmt: skip
    result = []
    if image.system == "unknown":
        install = _install("python3 python3-pip python-is-python3")
        result.append(
            Step(
                kind="RUN", value=f"python -m pip --version || {{ {install}; }}",
                why="Nuclio's build calls `python`, and many images have only python3",
            )
        )  # fmt: skip
    if packages:
        result.append(Step(kind="RUN", value=_install(packages), why="asked for by --apt"))
    return result


def _install(packages: str) -> str:
    return f"apt-get update && apt-get install -y --no-install-recommends {packages} && rm -rf /var/lib/apt/lists/*"


def _nvidia() -> Step:
    return Step(
        kind="ENV", value="NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        why="without these the container sees no GPU, unless its base image sets them",
    )  # fmt: skip


def _headless(requirements: Requirements) -> Step:
    name = "opencv-python-headless"
    version = requirements.version(name)
    pin = f"{name}=={version}" if version else name
    return Step(
        kind="RUN",
        value="python -m pip uninstall -y opencv-python opencv-contrib-python opencv-python-headless"
        f" && python -m pip install --no-deps {pin}",
        why="a requirement drags in OpenCV for desktops, which needs libGL",
    )


def _bake(files: Sequence[str], secrets: Sequence[str]) -> list[Step]:
    if not files:
        if secrets:
            raise UserError(
                f"--build-secret {secrets[0]}: nothing is loaded while the image is built",
                remedy="add --bake, or leave it out",
            )
        return []
    plain = sorted({name for name in files if "/" not in name})
    folders = sorted({name.partition("/")[0] for name in files if "/" in name})
    copies = [
        _copy(
            [f"{{bundle}}{name}" for name in plain],
            f"{HOME}/",
            "what loading the function takes; the model is fetched again only when these change",
        ),
        *(_copy([f"{{bundle}}{name}"], f"{HOME}/{name}", "a folder of the function") for name in folders),
    ]
    return [
        *copies,
        Step(kind="ENV", value=_env(CACHES), why="where libraries put what they download: into the image"),
        Step(
            kind="RUN", value=" ".join([*_mounts(secrets), "python bake.py"]),
            why="loads the function once, so that a worker needs no network",
        ),
        Step(kind="ENV", value=_env(OFFLINE), why="from here on nothing is downloaded"),
    ]  # fmt: skip


def _mounts(secrets: Sequence[str]) -> list[str]:
    """Flags of RUN, then variables for one command: a mounted secret is in no layer and in no history."""
    flags = [f"--mount=type=secret,id={name},required=true" for name in secrets]
    return [*flags, *(f'{name}="$(cat /run/secrets/{name})"' for name in secrets)]


def _copy(sources: Sequence[str], target: str, why: str) -> Step:
    words = [*sources, target]
    spaced = any(" " in word for word in words)
    return Step(kind="COPY", value=json.dumps(words) if spaced else " ".join(words), why=why)


def _label(labels: Mapping[str, str]) -> Step:
    words = " ".join(f'{name}="{value}"' for name, value in labels.items())  # no value holds a quote
    return Step(kind="LABEL", value=words, why="what the image is made of: docker inspect shows it")


def _env(values: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())
