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
def test_each_kind_has_its_calls(name: str) -> None:
    (case,) = (case for case in full_size.CASES if case.name == name)
    timed = function_times.measure(case, function_times.Pace(seconds=0, least=2))
    assert [one.call for one in timed] == WITHOUT_WEIGHTS[name]
    assert all(one.wall > 0 and 0 < one.least <= one.processor and one.memory > 1 and one.calls == 2 for one in timed)


def test_only_the_calls_that_are_wanted_are_made() -> None:
    (case,) = (case for case in full_size.CASES if case.name == "grabcut")
    pace = function_times.Pace(seconds=0, least=1, warm=False)
    (timed,) = function_times.measure(case, pace, ["a further click"])
    assert (timed.call, timed.calls) == ("a further click", 1)


def test_the_table_is_markdown() -> None:
    case = full_size.Case("onnx/yolo", "YOLO11n")
    timed = [function_times.Timed("a picture", 0.2345, 12.34, 12.1, 3, 216.6)]
    assert function_times.table([(case, timed)]).splitlines() == [
        "| function | network | a call | wall clock | processor time | memory |",
        "|---|---|---|---|---|---|",
        "| yolo | YOLO11n | a picture | 230 ms | 12 s | 217 MiB |",
    ]
