"""Who may import whom: `aa_runtime` runs in the image, `cvat_nuclio` on the user's machine."""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name as name_of

RUNTIME_MAY_IMPORT = {"PIL", "aa_runtime", "attrs", "cv2", "cvat_sdk", "msgpack", "nuclio_sdk", "numpy", "scipy"}
FUNCTIONS_MAY_IMPORT = {
    "PIL", "aa_runtime", "attrs", "cv2", "cvat_functions", "cvat_sdk", "huggingface_hub", "numpy", "onnxruntime",
    "openvino", "torch", "torchvision", "transformers", "ultralytics",
}  # fmt: skip
OURS = {"aa_runtime", "cvat_nuclio"}
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


def test_the_tool_imports_only_what_it_requires(repository: Path) -> None:
    """What another of its packages happens to bring may be gone with that one's next version."""
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["bench"]]
    required = {name_of(Requirement(line).name) for line in lines}
    brought_by = packages_distributions()
    for path in sources(repository, "generator/cvat_nuclio"):
        for name in {name.partition(".")[0] for name in imported(path)} - OURS - sys.stdlib_module_names:
            assert required & set(map(name_of, brought_by.get(name, [name]))), f"{path.name} imports {name}"


def test_ready_functions_are_ordinary_aa_functions(repository: Path) -> None:
    """An image has their files without the tool, and of the runtime they know ReID's protocol alone."""
    allowed = FUNCTIONS_MAY_IMPORT | sys.stdlib_module_names
    for path in sources(repository, "functions/cvat_functions"):
        names = list(imported(path))
        for name in names:
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"
        assert "aa_runtime" not in names or "reid" in path.name


def test_a_ready_function_has_create_and_every_other_module_is_of_use_to_one(repository: Path) -> None:
    known = modules(repository, "functions/cvat_functions")
    used = {other for name, path in known.items() for other in taken(name, path, known)}
    for name, path in known.items():
        has_create = re.search(r"^def create\(", path.read_text("utf-8"), re.MULTILINE)
        assert has_create or name in used or path.name == "__init__.py", name


def test_runtime_reaches_no_pickle_and_no_network(repository: Path) -> None:
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "socket", "urllib", "http", "subprocess"}
    for path in sources(repository, "serverless/aa_runtime"):
        assert not {name.partition(".")[0] for name in imported(path)} & forbidden, path.name


def test_host_tool_imports_none_of_the_functions_frameworks(repository: Path) -> None:
    for path in sources(repository, "generator/cvat_nuclio"):
        assert not {name.partition(".")[0] for name in imported(path)} & {"torch", "onnxruntime", "openvino"}, path.name


def test_wheel_puts_no_common_name_into_site_packages(repository: Path) -> None:
    for package in ("generator/cvat_nuclio", "serverless/aa_runtime", "functions/cvat_functions"):
        for path in sources(repository, package):
            taken = {"generator", "templates", "serverless", "tests", "tools"}
            assert not {name.partition(".")[0] for name in imported(path)} & taken, path.name


#: From the ground up: a room takes from the floors below its own, and from nothing beside or above it.
FLOORS = (
    {"__init__", "atomic", "errors", "limits"},
    {"data", "nuclio", "cvat", "private_files", "systems", "waiting"},
    {"generate", "models", "state_keys", "cvat_server"},
    {"interpreter"},
    {"serve", "check"},
    {"invoke", "bench"},
    {"deploy", "playground"},
    {"annotate"},
    {"track"},
    {"commands"},
    {"__main__"},
)


def modules(repository: Path, package: str) -> dict[str, Path]:
    """The package's modules by their dotted names."""
    root = repository / package
    names = {path: (root.name, *path.relative_to(root).with_suffix("").parts) for path in sources(repository, package)}
    return {".".join(name).removesuffix(".__init__"): path for path, name in names.items()}


def taken(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The package's own modules that one of them imports, wherever in it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield from (found for found in (f"{base}.{alias.name}", base) if found in known)


def room_of(name: str) -> str:
    return [*name.split("."), "__init__"][1]


def test_a_room_takes_from_the_floors_below_it(repository: Path) -> None:
    known = modules(repository, "generator/cvat_nuclio")
    floors = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    for name, path in known.items():
        room = room_of(name)
        assert room in floors, f"{room} stands on no floor"
        for other in taken(name, path, known):
            below = room_of(other)
            assert below == room or floors[below] < floors[room], f"{name} takes from {other}"


@pytest.mark.parametrize("package", ["generator/cvat_nuclio", "serverless/aa_runtime"])
def test_no_circle_of_imports(repository: Path, package: str) -> None:
    known = modules(repository, package)
    # A package's own `__init__` is its face: what stands in it may be taken from within.
    arrows = {name: set(taken(name, path, known)) - {name.rpartition(".")[0]} for name, path in known.items()}
    order = graphlib.TopologicalSorter(arrows)
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle: {' → '.join(error.args[1])}")


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "--help"], ["check", "--help"]])
def test_command_line_starts_light(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom cvat_nuclio.__main__ import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        f"loaded = {sorted(HEAVY)!r}\nprint([name for name in loaded if name in sys.modules])\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"
