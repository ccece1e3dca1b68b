"""The tables of README.md and docs/functions.md that compare with CVAT say what is so."""

import subprocess
from pathlib import Path

import pytest
from tools import written_lines


@pytest.mark.parametrize("page", written_lines.PAGES)
def test_the_tables_are_fresh(repository: Path, page: str) -> None:
    text = (repository / page).read_text("utf-8")
    assert written_lines.filled(text, written_lines.tables()[page]) == text, "run `python -m tools.written_lines`"


def test_every_function_here_is_in_the_tables(repository: Path) -> None:
    folders = {
        str(file.parent.relative_to(repository / "serverless")) for file in repository.glob("serverless/*/*/*.yaml")
    }
    assert {folder for row in written_lines.ROWS for folder in row.ours} == folders


def test_every_function_that_cvat_ships_is_in_the_tables() -> None:
    counted = written_lines.cvat()["2.73.0"]["files"]
    folders = {file.rpartition("/")[0] for file in counted if file.endswith("/function.yaml")}
    named = {one.folder for row in written_lines.ROWS for one in row.theirs if one.release == "2.73.0"}
    assert named == folders
    assert len(folders) == 9


def test_what_counts_as_a_line() -> None:
    assert written_lines.lines('"""Doc."""\n\n# why\n  # so\nx = 1  # one\n\t\n') == 2


def test_cvat_is_counted_with_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "serverless/openvino/base"
    folder.mkdir(parents=True)
    (folder / "shared.py").write_text("# licence\nx = 1\n\ny = 2\n")
    (folder / "notes.txt").write_text("not counted\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(written_lines, "COUNTED", tmp_path / "counted.json")
    written_lines.count(tmp_path, ["1.0=HEAD"])
    written_lines.cvat.cache_clear()
    try:
        assert written_lines.cvat()["1.0"]["files"] == {"openvino/base/shared.py": 2}
    finally:
        monkeypatch.undo()
        written_lines.cvat.cache_clear()


def test_shared_files_count_for_each_that_uses_them() -> None:
    alone = sum(
        count
        for file, count in written_lines.cvat()["2.73.0"]["files"].items()
        if file.startswith(f"{written_lines.MASK_RCNN.folder}/")
    )
    assert written_lines.MASK_RCNN.lines() == alone + 9 + 53 + 5
    assert written_lines.FACES.parts()["Python"] == 23 + 82 + 53
