"""Who may import whom: `aa_runtime` runs in the image, `cvat_nuclio` on the user's machine."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNTIME_MAY_IMPORT = {"PIL", "aa_runtime", "attrs", "cv2", "cvat_sdk", "msgpack", "nuclio_sdk", "numpy", "scipy"}
#: Not for the command line's start, which an editor pays for at every lint.
HEAVY = {"cv2", "cvat_sdk", "jinja2", "numpy", "rich", "ruamel.yaml", "scipy", "uvicorn"}


def sources(repository: Path, package: str) -> list[Path]:
    files = sorted((repository / package).rglob("*.py"))
    assert files
    return files


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def test_runtime_imports_only_what_the_image_has(repository: Path) -> None:
    allowed = RUNTIME_MAY_IMPORT | sys.stdlib_module_names
    for path in sources(repository, "serverless/aa_runtime"):
        for name in imported(path):
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"


def test_runtime_reaches_no_pickle_and_no_network(repository: Path) -> None:
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "socket", "urllib", "http", "subprocess"}
    for path in sources(repository, "serverless/aa_runtime"):
        assert not {name.partition(".")[0] for name in imported(path)} & forbidden, path.name


def test_host_tool_imports_none_of_the_functions_frameworks(repository: Path) -> None:
    for path in sources(repository, "generator/cvat_nuclio"):
        assert not {name.partition(".")[0] for name in imported(path)} & {"torch", "onnxruntime", "openvino"}, path.name


def test_wheel_puts_no_common_name_into_site_packages(repository: Path) -> None:
    for package in ("generator/cvat_nuclio", "serverless/aa_runtime"):
        for path in sources(repository, package):
            taken = {"generator", "templates", "serverless", "tests", "tools"}
            assert not {name.partition(".")[0] for name in imported(path)} & taken, path.name


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "--help"], ["check", "--help"]])
def test_command_line_starts_light(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom cvat_nuclio.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"loaded = {sorted(HEAVY)!r}\nprint([name for name in loaded if name in sys.modules])\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"
