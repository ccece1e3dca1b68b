"""The command line, run here, and functions to run it on."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.generate.closure import Closure
from cvat_nuclio.generate.probe import Probe, ProbeRequest, probe

HERE = Path(__file__).parent
ZOO = HERE / "zoo"
BROKEN = HERE / "broken"


@attrs.frozen
class Run:
    """What one run printed and returned."""

    status: int
    out: str
    err: str


@attrs.define
class Workshop:
    """A folder to generate in."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> Run:
        """`cvat-nuclio generate ARGUMENTS`."""
        self.capture.readouterr()
        try:
            status = main(["generate", *map(str, arguments)])
        except SystemExit as error:
            status = int(error.code or 0)
        printed = self.capture.readouterr()
        return Run(status, printed.out, printed.err)

    def generate(self, function: str, *arguments: object) -> Path:
        """A bundle of a function from the zoo; its folder."""
        shutil.copy(ZOO / f"{function}.py", self.folder)
        output = self.folder / function.replace("_", "-")
        run = self.run("--function-file", self.folder / f"{function}.py", "--output", output, *arguments)
        assert run.status == 0, run.err
        return output


def nothing(lines: Sequence[str], *, python: str, tried: Mapping[str, str]) -> Closure:
    """A resolver that knows nothing, and does not complain."""
    return Closure(pins={})


@pytest.fixture(scope="session")
def installed() -> dict[str, Path]:
    return {}


@pytest.fixture(scope="session")
def probed() -> dict[object, Probe]:
    return {}


@pytest.fixture
def workshop(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    probed: dict[object, Probe],
) -> Workshop:
    """A fresh folder; also the current one.

    A function file that says nothing of its place is really loaded once: cvat-sdk's import takes a second.
    """

    def probe_once(request: ProbeRequest) -> Probe:
        if request.file is None or request.file.parent == BROKEN:
            return probe(request)
        key = (
            request.file.read_bytes(),
            str(request.parameters),
            request.python,
            request.measure,
            os.environ.get("PYTHONPATH"),
        )
        if key not in probed:
            found = probe(request)
            if found.local or found.read or found.missing:
                return found
            probed[key] = found
        return probed[key]

    # However slow this machine is, standard error holds only what the run itself has to say.
    monkeypatch.setattr("cvat_nuclio.waiting.FIRST", 3600.0)
    monkeypatch.setattr("cvat_nuclio.generate.make_bundle.probe", probe_once)
    # No index is asked: what these tests name is on none. test_closure.py and test_pinning.py ask one.
    monkeypatch.setattr("cvat_nuclio.generate.forms.resolve", nothing)
    monkeypatch.chdir(tmp_path)
    return Workshop(tmp_path, capsys)


@pytest.fixture
def zoo() -> Path:
    return ZOO


@pytest.fixture
def broken() -> Path:
    return BROKEN


@pytest.fixture
def packages(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, installed: dict[str, Path]
) -> Callable[..., Path]:
    """Installs packages that hold nothing but a name and a version, before all others."""

    def install(versions: Mapping[str, str], requires: Mapping[str, list[str]] | None = None, python: str = "") -> Path:
        key = repr((versions, requires, python))
        if key not in installed:
            installed[key] = build(versions, requires, python)
        monkeypatch.setenv("PYTHONPATH", str(installed[key]), prepend=os.pathsep)
        return installed[key]

    def build(versions: Mapping[str, str], requires: Mapping[str, list[str]] | None, python: str) -> Path:
        folder = tmp_path_factory.mktemp("packages")
        for name, version in versions.items():
            fake_package(folder, name, version, (requires or {}).get(name, []), python)
        return folder

    return install


MODULES = {"onnxruntime-gpu": "onnxruntime", "opencv-python": "cv2"}


def fake_package(folder: Path, name: str, version: str, requires: list[str], python: str) -> None:
    module = MODULES.get(name, name.replace("-", "_"))
    (folder / module).mkdir(exist_ok=True)
    (folder / module / "__init__.py").write_text(f'__version__ = "{version}"\n')
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    needs = [f"Requires-Dist: {text}" for text in requires] + ([f"Requires-Python: {python}"] if python else [])
    (info / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs, ""])
    )
    (info / "top_level.txt").write_text(f"{module}\n")
    (info / "RECORD").write_text(f"{module}/__init__.py,,\n")


def bundle_text(folder: Path) -> dict[str, str]:
    """A bundle's files, less the runtime copy and the sums; the runtime's own pins without their versions."""
    texts = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            path.is_file()
            and "aa_runtime/" not in name
            and path.name not in ("cvat-nuclio.sums", "cvat-nuclio.schema.json")
        ):
            texts[name] = _without_runtime_versions(path.read_text("utf-8"))
    return texts


def _without_runtime_versions(text: str) -> str:
    head, mark, tail = text.partition("# The runtime's.")
    return head + mark + re.sub(r"==.*", "==VERSION", tail)


@pytest.fixture
def text_of() -> Callable[[Path], dict[str, str]]:
    return bundle_text


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Runs this interpreter in a folder and returns what it printed; it must end with 0."""

    def run(folder: Path, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    return run
