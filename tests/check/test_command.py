"""The command: exit statuses, formats, selection, discovery."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.check import check_paths
from cvat_nuclio.check.rule import _REGISTER, all_rules
from cvat_nuclio.errors import UserError

ZOO = Path(__file__).resolve().parent.parent / "zoo"
BAD, GOOD = ZOO / "CN431-spec-json" / "bad", ZOO / "CN431-spec-json" / "good"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = main(["check", *args])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_clean_is_0_findings_are_1_failure_is_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, str(GOOD))[:2] == (0, "clean\n")
    assert run(capsys, str(BAD))[0] == 1
    for wrong in (["nope"], [str(tmp_path)], [str(GOOD), "--cvat", "G9"], [str(GOOD), "--nuclio", "1.9"]):
        status, out, err = run(capsys, *wrong)
        assert (status, out) == (2, "")
        assert "try:" in err or "no such" in err


def test_a_finding_reads_like_a_compilers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    _, out, _ = run(capsys, ".")
    assert out.splitlines() == [
        "function.yaml:9:24: error CN431 [spec-json]: spec is no JSON (a comma after the last item): CVAT's list of "
        "models fails for everybody",
        '     9 |         {"name": "dog"},',
        "       |                        ^",
        "  try: write JSON: double quotes, no comma after the last item, no comments",
        "",
        "1 error",
    ]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    (finding,) = json.loads(run(capsys, str(BAD), "--format", "json")[1])
    assert (finding["rule"], finding["line"], finding["column"], finding["fixable"]) == ("CN431", 9, 24, False)
    assert json.loads(run(capsys, str(GOOD), "--format", "json")[1]) == []


def test_github(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    _, out, _ = run(capsys, ".", "--format", "github")
    assert out.startswith("::error file=function.yaml,line=9,col=24,title=CN431 spec-json::spec is no JSON")
    assert out.count("\n") == 1


def test_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    log = json.loads(run(capsys, str(BAD), "--format", "sarif")[1])
    (only,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in only["tool"]["driver"]["rules"]] == ["CN431"]
    (result,) = only["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (result["level"], region) == ("error", {"startLine": 9, "startColumn": 24})


def test_selecting_and_ignoring() -> None:
    both = ZOO / "CN409-url-name" / "bad"
    assert {f.rule for f in check_paths([both])} == {"CN302", "CN409"}
    assert {f.rule for f in check_paths([both], select=["CN4*"])} == {"CN409"}
    assert {f.rule for f in check_paths([both], ignore=["url-name"])} == {"CN302"}
    with pytest.raises(UserError, match="no rule is called CN999"):
        check_paths([both], ignore=["CN999"])


def test_a_comment_silences_its_line(tmp_path: Path) -> None:
    file = tmp_path / "function.yaml"
    text = (GOOD / "function.yaml").read_text().replace("numWorkers: 1", "maxWorkers: 1  # cvat-nuclio: ignore[CN322]")
    file.write_text(text)
    (tmp_path / "main.py").write_text((GOOD / "main.py").read_text())
    assert check_paths([tmp_path]) == []
    file.write_text(text.replace("CN322", "CN101"))
    assert {f.rule for f in check_paths([tmp_path])} == {"CN322"}


def test_a_tree_holds_bundles_and_functions_and_foreign_files(tmp_path: Path) -> None:
    bundle, function = tmp_path / "a" / "nuclio", tmp_path / "b"
    bundle.mkdir(parents=True)
    function.mkdir()
    (bundle / "function.yaml").write_text((BAD / "function.yaml").read_text())
    (bundle / "main.py").write_text((BAD / "main.py").read_text())
    (function / "func.py").write_text((ZOO / "CN702-missing-method" / "bad" / "func.py").read_text())
    (function / "function.yaml").write_text("apiVersion: serverless.kyma-project.io/v1\nkind: Function\nspec: {}\n")
    (function / "helpers.py").write_text("import os\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "function.yaml").write_text("[")
    assert {f.rule for f in check_paths([tmp_path])} == {"CN431", "CN702"}


def test_a_named_file_is_always_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "whatever.yaml"
    file.write_text("apiVersion: v1\nkind: Pod\n")
    assert "CN109" in {f.rule for f in check_paths([file])}
    text = tmp_path / "notes.txt"
    text.write_text("x")
    with pytest.raises(UserError, match="neither YAML nor Python"):
        check_paths([text])


def test_python_is_read_never_run(tmp_path: Path) -> None:
    (tmp_path / "function.yaml").write_text((GOOD / "function.yaml").read_text())
    (tmp_path / "main.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    check_paths([tmp_path])
    check_paths([tmp_path / "main.py"])
    assert not (tmp_path / "ran").exists()


def test_a_check_imports_nothing_heavy() -> None:
    script = (
        "import sys; from cvat_nuclio.__main__ import main; main(['check', sys.argv[1]]); "
        "print(sorted({'attrs', 'attr', 'numpy', 'cvat_sdk', 'jinja2', 'rich', 'ruamel', 'PIL', 'urllib3', 'cv2'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(GOOD)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["clean", "[]"]


def test_the_cpu_and_gpu_files_of_a_folder_share_their_python(tmp_path: Path) -> None:
    for name, text in ((f.name, f.read_text()) for f in (ZOO / "CN609-logger-method" / "bad").iterdir()):
        (tmp_path / name).write_text(text)
    text = (tmp_path / "function.yaml").read_text()
    gpu = text.replace("  eventTimeout", "  resources: {limits: {nvidia.com/gpu: 1}}\n  eventTimeout")
    (tmp_path / "function-gpu.yaml").write_text(gpu)
    assert len(check_paths([tmp_path])) == 1


def test_unreadable_bytes_are_a_finding_not_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "function.yaml"
    for data in (b"\xff\xfe\xfa", b"a: \x00", b"\x80abc: 1", "metadata: {name: é}".encode("latin-1")):
        file.write_bytes(data)
        assert {f.rule for f in check_paths([file])} & {"CN101", "CN109"}


def test_what_can_be_mended_is_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "function.yaml"
    file.write_text((GOOD / "function.yaml").read_text().replace("  handler:", "  Handler:"))
    assert run(capsys, str(file))[1].splitlines()[-1].endswith("; --fix mends 1")


def test_a_rule_that_fails_says_so_and_the_others_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = next(rule for rule in all_rules() if rule.id == "CN420")

    def look(bundles: Any) -> Any:
        raise KeyError("spec")

    monkeypatch.setitem(_REGISTER, broken.id, dataclasses.replace(broken, look=look))
    status, out, err = run(capsys, str(BAD))
    assert (status, err) == (1, "")
    assert "error CN420 [same-name]: this rule itself failed: KeyError: 'spec'" in out
    assert "--ignore CN420" in out
    assert "error CN431" in out
    assert run(capsys, str(GOOD), "--ignore", "CN420")[:2] == (0, "clean\n")
