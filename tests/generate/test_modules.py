"""What the function imports: distributions to install, files of the user's own to take along."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPEC = """
import cvat_sdk.auto_annotation as cvataa

spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec("x", 0)])


def detect(context, image):
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def own_requirements(folder: Path) -> list[str]:
    text = (folder / "nuclio" / "requirements.txt").read_text()
    return [line for line in text.partition("# The runtime's.")[0].splitlines() if line and not line.startswith("#")]


def code(folder: Path) -> set[str]:
    nuclio = folder / "nuclio"
    made = {"main.py", "model_handler.py", "test_function.py", "bake.py"}
    return {
        path.relative_to(nuclio).as_posix()
        for path in nuclio.rglob("*.py")
        if "aa_runtime" not in path.parts and path.name not in made
    }


@pytest.fixture
def generate(workshop: Any) -> Callable[..., Any]:
    def run(files: dict[str, str], *arguments: str) -> Any:
        write(workshop.folder, files)
        run = workshop.run(*(arguments or ("--function-file", "f.py")), "--output", "out")
        assert run.status == 0, run.err
        return run

    return run


def test_modules_beside_the_function_travel_with_it(generate: Callable[..., Any], workshop: Any) -> None:
    files = {
        "f.py": "import helper\nfrom deep import first\n"
        + SPEC
        + "    import late\n    from deep.inner import second\n",
        "helper.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import absent\nimport other\n",
        "other.py": "try:\n    import optional_thing\nexcept ImportError:\n    pass\n",
        "late.py": "import later_still\n",
        "later_still.py": "",
        "unused.py": "",
        "deep/__init__.py": "from . import first\n",
        "deep/first.py": "",
        "deep/unused.py": "",
        "deep/inner/second.py": "from .. import third\n",
        "deep/third.py": "",
    }
    run = generate(files)
    assert code(workshop.folder / "out") == {
        "func.py", "helper.py", "other.py", "late.py", "later_still.py", "deep/__init__.py", "deep/first.py",
        "deep/inner/second.py", "deep/third.py",
    }  # fmt: skip
    assert run.err == ""


def test_a_module_s_package_is_found_where_the_command_ran(
    generate: Callable[..., Any], workshop: Any, monkeypatch: pytest.MonkeyPatch, run_python: Callable[..., str]
) -> None:
    files = {
        "own/__init__.py": "",
        "own/function.py": "from . import part\n" + SPEC + "    return []\n",
        "own/part.py": "",
    }
    generate(files, "--function-module", "own.function")
    out = workshop.folder / "out"
    assert code(out) == {"own/__init__.py", "own/function.py", "own/part.py"}
    assert "working-directory: .." in (out / "cvat-nuclio.yaml").read_text()
    # It loads and is called; an answer that says nothing is no passed test.
    assert "1 skipped" in run_python(out / "nuclio", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    monkeypatch.chdir("/")
    assert workshop.run(out).status == 0


def test_a_module_of_a_package_is_a_requirement_and_is_baked_from_there(
    generate: Callable[..., Any], workshop: Any, packages: Callable[..., Path], run_python: Callable[..., str]
) -> None:
    """As cvat-sdk's own functions are."""
    folder = packages({"theirs": "1.0", "weights": "2.0"})
    (folder / "theirs" / "ready.py").write_text(
        "from . import weighty\n" + SPEC.replace("spec =", "labelled =") + "    return []\n\n"
        "class create:\n    def __init__(self, size):\n        print('size', size)\n\n"
        "    spec = labelled\n    detect = staticmethod(detect)\n"
    )
    (folder / "theirs" / "weighty.py").write_text("import weights\n")
    generate({}, "--function-module", "theirs.ready", "-p", "size=float:0.3", "--bake")
    out = workshop.folder / "out"
    assert code(out) == set()
    assert own_requirements(out) == ["theirs==1.0", "weights==2.0"]
    options = (out / "cvat-nuclio.yaml").read_text().splitlines()[3:]
    assert options == ["function-module: theirs.ready", "name: out", "function-parameters:",
                       "  size: float:0.3", "bake: true"]  # fmt: skip
    assert 'value: "handler/bake.py /opt/nuclio/"' in (out / "nuclio" / "function.yaml").read_text()
    assert run_python(out / "nuclio", "bake.py") == "size 0.3\nloaded DetectionFunctionSpec\n"
    # It loads and is called; an answer that says nothing is no passed test.
    assert "1 skipped" in run_python(out / "nuclio", "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_only_what_nothing_else_requires_is_named(
    generate: Callable[..., Any], workshop: Any, packages: Callable[..., Path]
) -> None:
    packages({"alpha": "1.0", "beta": "2.0", "gamma": "3.0"}, {"alpha": ["beta>=1"], "beta": ["alpha; extra == 'x'"]})
    generate({"f.py": "import alpha\nimport beta as _beta\nimport sys\n" + SPEC + "    import gamma\n"})
    assert own_requirements(workshop.folder / "out") == ["alpha==1.0", "beta==2.0", "gamma==3.0"]
    # Loaded, but only by another distribution that asks for it.
    folder = packages({"alpha": "1.0", "beta": "2.0", "delta": "4.0"}, {"alpha": ["beta"]})
    (folder / "alpha" / "__init__.py").write_text("import beta, delta\n")
    (workshop.folder / "f.py").write_text("import alpha\n" + SPEC + "    return []\n")
    assert workshop.run("out").status == 0
    assert own_requirements(workshop.folder / "out") == ["alpha==1.0", "delta==4.0"]


def test_a_missing_import_is_named(generate: Callable[..., Any]) -> None:
    run = generate({"f.py": SPEC + "    import not_here\n"})
    assert "f.py imports not_here, which is not installed here" in run.err


def test_an_editable_package_travels_as_files(
    generate: Callable[..., Any], workshop: Any, packages: Callable[..., Path]
) -> None:
    folder = packages({"mine": "0.1"})
    (next(folder.glob("mine-*")) / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    generate({"f.py": "import mine\n" + SPEC + "    return []\n"})
    assert "mine/__init__.py" in code(workshop.folder / "out")
    assert own_requirements(workshop.folder / "out") == []


def test_a_package_from_a_repository_is_installed_from_there(
    generate: Callable[..., Any], workshop: Any, packages: Callable[..., Path]
) -> None:
    folder = packages({"theirs": "0.1"})
    text = '{"url": "https://example.org/theirs", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
    (next(folder.glob("theirs-*")) / "direct_url.json").write_text(text)
    generate({"f.py": "import theirs\n" + SPEC + "    return []\n"})
    assert own_requirements(workshop.folder / "out") == ["theirs @ git+https://example.org/theirs@abc"]
    assert "python" in (workshop.folder / "out" / "nuclio" / "function.yaml").read_text()
    assert "--no-install-recommends git" in (workshop.folder / "out" / "nuclio" / "function.yaml").read_text()


def test_a_package_from_a_folder_cannot_be_installed(workshop: Any, packages: Callable[..., Path]) -> None:
    folder = packages({"nearby": "0.1"})
    (next(folder.glob("nearby-*")) / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {}}')
    write(workshop.folder, {"f.py": "import nearby\n" + SPEC + "    return []\n"})
    run = workshop.run("--function-file", "f.py", "--output", "out")
    assert run.status == 2
    assert "was installed from file:///x" in run.err


def test_opencv_for_desktops_gives_way(
    generate: Callable[..., Any], workshop: Any, packages: Callable[..., Path]
) -> None:
    packages({"dragger": "1.0", "opencv-python": "4.11.0.86"}, {"dragger": ["opencv-python"]})
    generate({"f.py": "import dragger\n" + SPEC + "    import cv2\n"})
    out = workshop.folder / "out" / "nuclio"
    assert own_requirements(out.parent)[0] == "dragger==1.0"
    assert "opencv-python==" not in (out / "requirements.txt").read_text()
    assert "pip uninstall -y opencv-python opencv-contrib-python" in (out / "function.yaml").read_text()


def test_files_that_loading_reads_are_missed(generate: Callable[..., Any], workshop: Any) -> None:
    text = (
        "from pathlib import Path\nNAMES = Path(__file__).with_name('names.txt').read_text()\n"
        + SPEC
        + "    return []\n"
    )
    run = generate({"f.py": text, "names.txt": "a"})
    assert "reads names.txt, which is not in the bundle: --add" in run.err
    assert workshop.run("out", "--add", "names.txt").err == ""


def test_files_far_from_the_function_are_missed(generate: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w.npy").write_text("a")
    read = f"open({str(tmp_path / 'elsewhere' / 'w.npy')!r}).read()\n"
    run = generate({"here/f.py": read + SPEC + "    return []\n"}, "--function-file", "here/f.py")
    assert "reads w.npy in" in run.err
    assert f"--add {tmp_path / 'elsewhere' / 'w.npy'}, and let the function look for w.npy beside" in run.err


def test_a_model_s_folder_is_brought_whole(generate: Callable[..., Any], workshop: Any) -> None:
    read = "from pathlib import Path\nPath(__file__).with_name('model').joinpath('config.json').read_text()\n"
    run = generate({"f.py": read + SPEC + "    return []\n", "model/config.json": "{}", "model/model.safetensors": "x"})
    assert f"reads the folder model, which is not in the bundle: --add {workshop.folder / 'model'}" in run.err
    assert workshop.run("out", "--add", "model").err == ""


def test_a_file_among_others_is_brought_alone(generate: Callable[..., Any], workshop: Any) -> None:
    read = "from pathlib import Path\nPath(__file__).with_name('data').joinpath('names.txt').read_text()\n"
    run = generate({"f.py": read + SPEC + "    return []\n", "data/names.txt": "a", "data/photo.jpg": "x"})
    assert f"--add {workshop.folder / 'data' / 'names.txt'}=data/names.txt" in run.err


@pytest.mark.parametrize(
    ("read", "place"),
    [
        ('resources.files("mine").joinpath("names.txt")', "names.txt"),
        ('resources.files("mine").joinpath("data", "names.txt")', "data/names.txt"),
        ('resources.files("mine") / "data" / "names.txt"', "data/names.txt"),
        ('Path(os.path.join(os.path.dirname(__file__), "data", "names.txt"))', "data/names.txt"),
    ],
)
def test_a_package_s_own_data_is_missed_before_a_request_reads_it(
    generate: Callable[..., Any], workshop: Any, monkeypatch: pytest.MonkeyPatch, read: str, place: str
) -> None:
    """Whoever runs the function here has the file; in the image the first request would fail."""
    head = "import os\nfrom importlib import resources\nfrom pathlib import Path\n"
    names = f"{head}\n\ndef names():\n    return ({read}).read_text()\n"
    files = {"src/mine/__init__.py": "", "src/mine/names.py": names, f"src/mine/{place}": "a"}
    monkeypatch.setenv("PYTHONPATH", str(workshop.folder / "src"), prepend=os.pathsep)
    function = "from mine.names import names\n" + SPEC + "    return [names()]\n"
    run = generate({**files, "src/mine/f.py": function}, "--function-module", "mine.f")
    file = workshop.folder / "src/mine" / place
    assert f"reads names.txt, which is not in the bundle: --add {file}=mine/{place}" in run.err
    assert workshop.run("out", "--add", f"{file}=mine/{place}").err == ""
    assert (workshop.folder / "out/nuclio/mine" / place).read_text() == "a"


def test_what_native_code_opens_is_known_by_its_name_in_the_source(generate: Callable[..., Any], workshop: Any) -> None:
    run = generate({"f.py": "MODEL = 'net.onnx'\n" + SPEC + "    return []\n", "net.onnx": "x"})
    assert f"reads net.onnx, which is not in the bundle: --add {workshop.folder / 'net.onnx'}" in run.err


@pytest.mark.parametrize("form", ["os.environ['NET']", "os.environ.get('NET', 'no')", "os.getenv('NET')"])
def test_a_path_in_a_variable_comes_with_the_variable(
    generate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "net.onnx").write_text("a")
    monkeypatch.setenv("NET", str(tmp_path / "elsewhere" / "net.onnx"))
    read = f"import os\nopen({form}).read()\n"
    run = generate({"here/f.py": read + SPEC + "    return []\n"}, "--function-file", "here/f.py")
    assert f"by NET: --add {tmp_path / 'elsewhere' / 'net.onnx'} --env NET=net.onnx" in run.err


def test_a_library_s_cache_is_not_missed(
    generate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    read = "from pathlib import Path\nWEIGHTS = Path(__file__).with_name('torch').joinpath('w').read_text()\n"
    assert generate({"f.py": read + SPEC + "    return []\n", "torch/w": "a"}).err == ""


def test_a_path_among_the_parameters_has_to_be_in_the_bundle(generate: Callable[..., Any], workshop: Any) -> None:
    text = SPEC + "    return []\n\n\ndef create(weights):\n    import sys\n    return sys.modules[__name__]\n"
    run = generate({"f.py": text, "w/a.bin": "x"}, "--function-file", "f.py", "-p", "weights=str:w/a.bin")
    assert "names what is here and not in the image" in run.err
    assert workshop.run("out", "--add", "w/a.bin=w/a.bin").err == ""


@pytest.mark.parametrize("name", ["main", "msgpack", "bake"])
def test_a_module_of_a_taken_name_is_refused(workshop: Any, name: str) -> None:
    write(workshop.folder, {"f.py": f"import {name}\n" + SPEC + "    return []\n", f"{name}.py": ""})
    run = workshop.run("--function-file", "f.py", "--output", "out")
    # A package of that name that is installed comes first; the file beside the function is then not imported.
    assert run.status == (0 if name == "msgpack" else 2), run.err
    assert run.status == 0 or "cannot go into the bundle" in run.err


#: As in the environment that a network was trained in, which has no cvat-nuclio.
NO_READY_FUNCTIONS = """
import sys


class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name == "cvat_functions":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Nowhere())
"""


def test_ready_functions_are_lent_to_an_interpreter_that_has_none(
    workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workshop.folder / "sitecustomize.py").write_text(NO_READY_FUNCTIONS)
    monkeypatch.setenv("PYTHONPATH", str(workshop.folder))
    run = workshop.run("--function-module", "cvat_functions.grabcut", "--output", workshop.folder / "cut")
    assert run.status == 0, run.err
    assert (workshop.folder / "cut/nuclio/cvat_functions/grabcut.py").is_file()
