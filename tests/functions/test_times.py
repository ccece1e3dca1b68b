"""`tools.function_times`: that it measures every function, and what its table says."""

from pathlib import Path

import pytest
from tools import full_size, function_times

WITHOUT_WEIGHTS = {
    "grabcut": ["a picture and its first click", "a further click"],
    "correlation-tracker": ["a first frame, one object", "a further frame, one object"],
    "appearance-reid": ["two frames of eight boxes"],
    "text-detection": ["a picture"],
}


def test_no_function_is_left_out(repository: Path) -> None:
    folders = {
        str(file.parent.relative_to(repository / "serverless"))
        for file in repository.glob("serverless/*/*/cvat-*.yaml")
    }
    assert {case.folder for case in full_size.CASES} == folders


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_each_kind_has_its_calls(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_times, "SECONDS", 0)
    monkeypatch.setattr(function_times, "LEAST", 1)
    (case,) = (case for case in full_size.CASES if case.name == name)
    timed = function_times.measure(case)
    assert [one.call for one in timed] == WITHOUT_WEIGHTS[name]
    assert all(one.wall > 0 and one.processor > 0 and one.memory > 1 for one in timed)


def test_the_table_is_markdown() -> None:
    case = full_size.Case("onnx/yolo", "YOLO11n")
    timed = [function_times.Timed("a picture", 0.2345, 12.34, 3, 216.6)]
    assert function_times.table([(case, timed)]).splitlines() == [
        "| function | network | a call | wall clock | processor time | memory |",
        "|---|---|---|---|---|---|",
        "| yolo | YOLO11n | a picture | 230 ms | 12 s | 217 MiB |",
    ]
