"""Builds the bundles' images with a real Docker daemon and runs each bundle's own test inside.

`python -m tools.build_images [DIR...] [--gpu] [--stand-in]`. The image is what nuctl would build (base image, preCopy
directives, bundle, nuclio-sdk and msgpack, postCopy directives) without the processor, which only nuctl has.
With --stand-in a base image that is not here is replaced by a plain Debian made with debootstrap (as root) under the
same name: every directive and requirement runs, on another distribution than users will have; the table says so.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

from cvat_nuclio.generate import runtime_copy
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

ROOT = Path(__file__).resolve().parent.parent
SUITE = "bookworm"
LABEL = "cvat-nuclio.stand-in"
# What the stand-in takes from this host, so that pip and apt inside reach what they reach outside.
HOST_FILES = ("etc/ssl/certs/ca-certificates.crt", "etc/pip.conf", "etc/apt/apt.conf.d", "etc/apt/sources.list.d")


@attrs.frozen
class Built:
    """How one image went."""

    bundle: str
    base: str
    stand_in: bool
    seconds: float
    result: str


def docker(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs docker; output is kept for the report."""
    return subprocess.run(["docker", *words], cwd=cwd, capture_output=True, text=True, errors="replace", check=False)


def dockerfile(config: Mapping[str, Any], test_requirements: Sequence[str] = ("pytest",)) -> str:
    """The Dockerfile that nuctl would write for this function, less the processor, plus the bundle's test."""
    build = config["spec"]["build"]
    directives = build.get("directives") or {}
    lines = [f"FROM {build['baseImage']}"]
    lines += _lines(directives.get("preCopy"))
    lines += ["COPY handler /opt/nuclio"]
    lines += ["RUN python -m pip install --quiet nuclio-sdk msgpack"]
    lines += _lines(directives.get("postCopy"))
    lines += [f"RUN python -m pip install --quiet {' '.join(test_requirements)}"]
    environment = [
        f"ENV {item['name']}={json.dumps(str(item['value']), ensure_ascii=False)}"
        for item in config["spec"].get("env") or []
    ]
    return "\n".join([*lines, *environment, 'CMD ["python", "-m", "pytest", "-q", "/opt/nuclio"]', ""])


def _lines(directives: Sequence[Mapping[str, str]] | None) -> Iterator[str]:
    for directive in directives or ():
        yield f"{directive['kind']} {directive['value']}"


def is_here(image: str) -> bool:
    """Whether the daemon has the image."""
    return docker("image", "inspect", image).returncode == 0


def is_stand_in(image: str) -> bool:
    """Whether the image was made by `make_stand_in`."""
    shown = docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', image)
    return shown.stdout.strip() == SUITE


def make_stand_in(image: str) -> None:
    """Makes a plain Debian under the name of `image`, with Python as the official python images have it."""
    with_python = image.startswith("python:")
    packages = "ca-certificates" + (",python3,python3-pip,python3-venv,python-is-python3" if with_python else "")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        words = ["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        for name in HOST_FILES:
            _copy(Path("/") / name, root / name)
        for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()  # the official images' Python is their own, not the distribution's
        archive = Path(folder) / "root.tar"
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        change = ["-c", f"LABEL {LABEL}={SUITE}", "-c", "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt"]
        made = docker("import", *change, str(archive), image)
        if made.returncode:
            raise SystemExit(made.stderr)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def build_and_test(path: Path, file: str, *, stand_in: bool) -> Built:
    """Builds one bundle's image and runs its test in it, without network."""
    bundle = FunctionYaml.open(path, file)
    base = str(bundle.config["spec"]["build"]["baseImage"])
    begun = time.monotonic()
    if not is_here(base) and docker("pull", "--quiet", base).returncode:
        if not stand_in:
            return Built(bundle.name, base, False, 0.0, "the base image cannot be had")
        make_stand_in(base)
    result = _build(bundle, base)
    return Built(bundle.name, base, is_stand_in(base), time.monotonic() - begun, result)


def stage(bundle: FunctionYaml, folder: Path) -> None:
    """Writes what Docker builds from: the Dockerfile, and the bundle with the runtime, which no checkout has."""
    shutil.copytree(bundle.folder, folder / "handler")
    if (folder / "handler" / "model_handler.py").is_file():
        runtime_copy.refresh(folder / "handler")
    (folder / "Dockerfile").write_text(dockerfile(bundle.config), "utf-8")


def _build(bundle: FunctionYaml, base: str) -> str:
    tag = f"cvat-nuclio-test/{bundle.name}"
    with tempfile.TemporaryDirectory() as folder:
        stage(bundle, Path(folder))
        built = docker("build", "--network", "host", "--force-rm", "-t", tag, ".", cwd=Path(folder))
    if built.returncode:
        return "build failed:\n" + "\n".join((built.stdout + built.stderr).splitlines()[-25:])
    tested = docker("run", "--rm", "--network", "none", "--env", "CVAT_NUCLIO_IN_IMAGE=1", tag)
    return "passed" if tested.returncode == 0 else "test failed:\n" + tested.stdout[-3000:] + tested.stderr[-1000:]


def table(results: Sequence[Built]) -> Table:
    """One row an image."""
    made = Table("function", "base image", "stood in for by", "seconds", "result", box=None, pad_edge=False)
    for one in results:
        stand_in = f"Debian {SUITE}" if one.stand_in else ""
        made.add_row(one.bundle, one.base, stand_in, f"{one.seconds:.0f}", one.result)
    return made


def main() -> int:
    """0 when every image passed its test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundles", nargs="*", type=Path, help="default: every bundle in serverless/")
    parser.add_argument("--gpu", action="store_true", help="function-gpu.yaml (the test runs on the CPU)")
    parser.add_argument("--stand-in", action="store_true", help="make missing base images with debootstrap")
    args = parser.parse_args()
    if (asked := docker("version")).returncode:
        raise SystemExit(f"no Docker daemon answers (DOCKER_HOST names one): {asked.stderr.strip()}")
    file = "function-gpu.yaml" if args.gpu else "function.yaml"
    bundles = args.bundles or sorted(found.parent.parent for found in ROOT.glob(f"serverless/*/*/nuclio/{file}"))
    results = [build_and_test(path, file, stand_in=args.stand_in) for path in bundles]
    Console(width=160).print(table(results))
    return 0 if results and all(one.result == "passed" for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
