"""A bundle made again: nothing changes by itself, nothing of the user's is lost."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio import atomic
from cvat_nuclio.generate import runtime_copy


def times(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_unchanged_inputs_leave_every_file_untouched(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = workshop.generate("detector", "--env", "A=b")
    before = times(folder)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = workshop.run(folder)
    assert (run.status, times(folder)) == (0, before)
    assert "nothing to do" in run.out


def test_same_command_again_is_no_conflict(workshop: Any) -> None:
    folder = workshop.generate("detector", "--workers", "2")
    before = times(folder)
    workshop.generate("detector", "--workers", "2")
    assert times(folder) == before


def test_another_command_for_the_same_folder_is_refused(workshop: Any) -> None:
    folder = workshop.generate("detector", "--workers", "2")
    before = times(folder)
    run = workshop.run("--function-file", "detector.py", "--output", folder, "--workers", "3")
    assert run.status == 2
    assert "workers: 2 there, 3 here" in run.err
    assert times(folder) == before


def test_sums_are_sha256sum_s(workshop: Any) -> None:
    folder = workshop.generate("detector")
    answer = subprocess.run(["sha256sum", "-c", "cvat-nuclio.sums"], cwd=folder, capture_output=True, check=False)
    assert answer.returncode == 0


def test_options_given_again_are_kept_with_the_comments(workshop: Any) -> None:
    folder = workshop.generate("detector", "--env", "A=b")
    file = folder / "cvat-nuclio.yaml"
    file.write_text(file.read_text().replace("env:", "# why\nenv:"))
    workshop.run(folder, "--env", "C=d", "--workers", "2")
    text = file.read_text()
    assert "# why" in text
    assert "A: b\n  C: d" in text
    assert "workers: 2" in text
    assert "numWorkers: 2" in (folder / "nuclio" / "function.yaml").read_text()


def test_options_edited_by_hand_count(workshop: Any) -> None:
    folder = workshop.generate("detector")
    with (folder / "cvat-nuclio.yaml").open("a") as file:
        file.write("event-timeout: 20s\n")
    run = workshop.run(folder)
    assert "changed  nuclio/function.yaml  +2 -2" in run.out


def test_edited_files_are_kept_and_named(workshop: Any) -> None:
    folder = workshop.generate("detector")
    main = folder / "nuclio" / "main.py"
    main.write_text("# mine\n")
    run = workshop.run(folder, "--workers", "2")
    assert main.read_text() == "# mine\n"
    assert "nuclio/main.py" in run.err
    assert "numWorkers: 2" in (folder / "nuclio" / "function.yaml").read_text()
    again = workshop.run(folder)
    assert "nuclio/main.py" in again.err
    assert workshop.run(folder, "--force").status == 0
    assert "init_context" in main.read_text()
    assert workshop.run(folder).err == ""


def test_an_edited_copy_of_the_function_is_kept(workshop: Any) -> None:
    folder = workshop.generate("detector")
    with (folder / "nuclio" / "func.py").open("a") as file:
        file.write("# improved in the wrong place\n")
    run = workshop.run(folder)
    assert "nuclio/func.py" in run.err
    assert "wrong place" in (folder / "nuclio" / "func.py").read_text()


def test_files_that_were_there_first_are_kept(workshop: Any) -> None:
    (workshop.folder / "detector" / "nuclio").mkdir(parents=True)
    readme = workshop.folder / "detector" / "nuclio" / "README.md"
    readme.write_text("mine")
    folder = workshop.generate("detector")
    assert readme.read_text() == "mine"
    assert "README" not in (folder / "cvat-nuclio.sums").read_text()


def test_leftovers_go_unless_edited(workshop: Any) -> None:
    folder = workshop.generate("detector", "--prebuilt", "example/image:1")
    (folder / "nuclio" / "Dockerfile").write_text("# mine\n")
    file = folder / "cvat-nuclio.yaml"
    file.write_text(file.read_text().replace("prebuilt: example/image:1\n", ""))
    run = workshop.run(folder)
    assert "removed  nuclio/function-prebuilt.yaml" in run.out
    assert not (folder / "nuclio" / "function-prebuilt.yaml").exists()
    assert (folder / "nuclio" / "Dockerfile").read_text() == "# mine\n"
    assert "nuclio/Dockerfile" in run.err


def test_pretend_writes_nothing(workshop: Any) -> None:
    folder = workshop.generate("detector")
    before = times(folder)
    run = workshop.run(folder, "--workers", "2", "--pretend")
    assert "changed  nuclio/function.yaml  +1 -1" in run.out
    assert times(folder) == before
    new = workshop.run("--function-file", "detector.py", "--output", "other", "--pretend")
    assert "new      nuclio/function.yaml" in new.out
    assert not (workshop.folder / "other").exists()


@pytest.mark.parametrize("failing", ["function.yaml", "requirements.txt", "cvat-nuclio.sums"])
def test_a_failed_run_leaves_the_old_bundle_whole(workshop: Any, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    folder = workshop.generate("detector")
    before = times(folder)
    write = atomic._write

    def full_disk(path: Path, content: atomic.Content) -> None:
        if failing in path.name:
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(atomic, "_write", full_disk)
    (workshop.folder / "requirements.txt").write_text("attrs==25.1.0\n")
    run = workshop.run(folder, "--workers", "2", "--requirements", "requirements.txt")
    assert run.status == 2
    assert "No space left on device" in run.err
    assert times(folder) == before


def test_a_function_that_no_longer_loads_leaves_the_old_bundle_whole(workshop: Any) -> None:
    folder = workshop.generate("detector")
    before = times(folder)
    (workshop.folder / "detector.py").write_text("raise RuntimeError('later')\n")
    assert workshop.run(folder).status == 2
    assert times(folder) == before


def test_function_in_place_stays_where_it_is(workshop: Any, zoo: Path) -> None:
    function = workshop.folder / "mine" / "nuclio" / "func.py"
    function.parent.mkdir(parents=True)
    function.write_bytes((zoo / "detector.py").read_bytes())
    (function.parent / "weights.bin").write_bytes(b"w")
    inode = function.stat().st_ino
    run = workshop.run(
        "--function-file", function, "--output", "mine", "--bake", "--add", function.parent / "weights.bin"
    )
    assert run.status == 0, run.err
    assert function.stat().st_ino == inode
    sums = (workshop.folder / "mine" / "cvat-nuclio.sums").read_text()
    assert "func.py" not in sums
    assert "weights.bin" not in sums
    assert "function-file: nuclio/func.py" in (workshop.folder / "mine" / "cvat-nuclio.yaml").read_text()
    # What is written does not depend on weights that are laid there by hand.
    (function.parent / "weights.bin").unlink()
    run = workshop.run("mine", "--check")
    assert run.status == 0
    assert "nuclio/weights.bin is not there yet" in run.err


def test_check_tells_stale_bundles(workshop: Any) -> None:
    folder = workshop.generate("detector")
    assert workshop.run("--check", folder).status == 0
    # The runtime copy is in no repository, and versions that this machine happens to have do not count.
    for path in sorted((folder / "nuclio" / "aa_runtime").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    requirements = folder / "nuclio" / "requirements.txt"
    requirements.write_text(requirements.read_text().replace("attrs==", "attrs==1"))
    assert workshop.run("--check", folder).status == 0
    before = times(folder)
    with (workshop.folder / "detector.py").open("a") as file:
        file.write("# newer\n")
    run = workshop.run("--check", folder)
    assert run.status == 1
    assert "stale: nuclio/func.py" in run.out
    assert times(folder) == before


def test_runtime_copy_is_refreshed_and_an_edited_one_kept(workshop: Any) -> None:
    folder = workshop.generate("detector")
    nuclio = folder / "nuclio"
    assert not runtime_copy.refresh(nuclio)
    (nuclio / "aa_runtime" / "left_over.py").write_text("")
    (nuclio / "aa_runtime" / "__pycache__").mkdir()
    assert not runtime_copy.is_fresh(nuclio)
    assert runtime_copy.edited(nuclio) == ["aa_runtime/left_over.py"]
    run = workshop.run(folder)
    assert "nuclio/aa_runtime/left_over.py" in run.err
    assert (nuclio / "aa_runtime" / "left_over.py").exists()
    assert "copied   nuclio/aa_runtime/" in workshop.run(folder, "--force").out
    assert runtime_copy.is_fresh(nuclio)
    assert not list(nuclio.glob(".aa_runtime*"))


def test_damaged_sums_are_reported(workshop: Any) -> None:
    folder = workshop.generate("detector")
    (folder / "cvat-nuclio.sums").write_text("../../etc/passwd\n")
    run = workshop.run(folder)
    assert run.status == 2
    assert "is damaged" in run.err


def test_added_files_are_brought_and_followed(workshop: Any, text_of: Callable[[Path], dict[str, str]]) -> None:
    (workshop.folder / "data").mkdir()
    (workshop.folder / "data" / "a.txt").write_text("1")
    folder = workshop.generate("detector", "--add", "data=lists/data", "--add", "data/a.txt")
    assert (folder / "nuclio" / "lists" / "data" / "a.txt").read_text() == "1"
    assert (folder / "nuclio" / "a.txt").read_text() == "1"
    assert "../data=lists/data" in text_of(folder)["cvat-nuclio.yaml"]
    (workshop.folder / "data" / "a.txt").write_text("2")
    workshop.run(folder)
    assert (folder / "nuclio" / "a.txt").read_text() == "2"


def outside(workshop: Any) -> tuple[Path, Path]:
    """A bundle, and a file of the user's that is none of its business."""
    folder = workshop.generate("detector")
    elsewhere = workshop.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("precious")
    return folder, elsewhere / "precious"


def sums_line(file: Path, name: str) -> str:
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}\n"


@pytest.mark.parametrize("name", ["../elsewhere/precious", "nuclio/../../elsewhere/precious", "{precious}"])
def test_sums_that_name_a_file_outside_remove_nothing(workshop: Any, name: str) -> None:
    folder, precious = outside(workshop)
    with (folder / "cvat-nuclio.sums").open("a") as file:
        file.write(sums_line(precious, name.format(precious=precious)))
    run = workshop.run(folder, "--force")
    assert run.status == 2
    assert "cvat-nuclio.sums is damaged" in run.err
    assert precious.read_text() == "precious"


def test_a_linked_folder_removes_nothing_outside(workshop: Any) -> None:
    folder, precious = outside(workshop)
    (folder / "nuclio" / "more").symlink_to(precious.parent)
    with (folder / "cvat-nuclio.sums").open("a") as file:
        file.write(sums_line(precious, "nuclio/more/precious"))
    run = workshop.run(folder)
    assert run.status == 2
    assert f"a link leads to {precious.parent}" in run.err
    assert precious.read_text() == "precious"


def test_a_linked_folder_gets_no_files(workshop: Any) -> None:
    folder = workshop.folder / "detector"
    folder.mkdir()
    (workshop.folder / "elsewhere").mkdir()
    (folder / "nuclio").symlink_to(workshop.folder / "elsewhere")
    (workshop.folder / "detector.py").write_bytes((Path(__file__).parent / "zoo" / "detector.py").read_bytes())
    run = workshop.run("--function-file", "detector.py", "--output", folder)
    assert run.status == 2
    assert "lies outside of the bundle" in run.err
    assert not any((workshop.folder / "elsewhere").iterdir())


def test_a_bundle_may_be_reached_through_a_link(workshop: Any) -> None:
    folder = workshop.generate("detector")
    (workshop.folder / "link").symlink_to(folder)
    run = workshop.run(workshop.folder / "link", "--workers", "2")
    assert run.status == 0, run.err


def test_a_linked_copy_of_the_runtime_is_replaced_and_what_it_led_to_kept(workshop: Any) -> None:
    folder, precious = outside(workshop)
    copy = folder / "nuclio" / "aa_runtime"
    shutil.rmtree(copy)
    copy.symlink_to(precious.parent)
    assert workshop.run(folder, "--force").status == 0
    assert not copy.is_symlink()
    assert (copy / "__init__.py").is_file()
    assert [path.name for path in precious.parent.iterdir()] == ["precious"]
    assert not list(folder.rglob("*.old"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--add", "x=func.py"], "the function itself lies there"),
        (["--add", "x=helper.py"], "own module"),
        (["--add", "x=one", "--add", "y=one"], "one is there already"),
        (["--add", "x=a$(b)"], "mean something else in a Dockerfile"),
    ],
)
def test_what_is_added_replaces_nothing_without_a_word(workshop: Any, arguments: list[str], words: str) -> None:
    for name in "xy":
        (workshop.folder / name).write_text(name)
    (workshop.folder / "helper.py").write_text("LABEL = 'a'\n")
    (workshop.folder / "f.py").write_text(
        "import cvat_sdk.auto_annotation as cvataa\nimport helper\n"
        "spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(helper.LABEL, 0)])\n"
        "def detect(context, image):\n    return []\n"
    )
    run = workshop.run("--function-file", "f.py", "--output", "out", *arguments)
    assert run.status == 2
    assert words in run.err
