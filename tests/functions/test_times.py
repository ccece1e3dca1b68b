"""`tools.function_times`: that it measures every kind of call, and what its table says."""

from pathlib import Path

import pytest
from tools import function_times, random_weights

from aa_runtime import FunctionSource

WITHOUT_WEIGHTS = {
    "grabcut": ["a picture and its first click", "a further click"],
    "correlation_tracker": ["a first frame, one object", "a further frame, one object"],
    "appearance_reid": ["two frames of eight boxes"],
}


def source(name: str) -> FunctionSource:
    return FunctionSource(module=f"cvat_functions.{name}")


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_each_kind_has_its_calls(name: str) -> None:
    timed = function_times.measure(source(name), function_times.Pace(seconds=0, least=2))
    assert [one.call for one in timed] == WITHOUT_WEIGHTS[name]
    assert all(one.wall > 0 and 0 < one.least <= one.processor and one.memory > 1 and one.calls == 2 for one in timed)


def test_a_bundle_is_measured_with_its_own_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_times, "FOLDER", tmp_path)
    for name in random_weights.environment(tmp_path):
        monkeypatch.setenv(name, "")  # and so what the call sets ends with the test
    list(random_weights.lay(tmp_path, ["onnx/text-detection"], {}))
    (timed,) = function_times.of_bundle("onnx/text-detection", function_times.Pace(seconds=0, least=2))
    assert (timed.call, timed.calls) == ("a picture", 2)


def test_only_the_calls_that_are_wanted_are_made() -> None:
    pace = function_times.Pace(seconds=0, least=1, warm=False)
    (timed,) = function_times.measure(source("grabcut"), pace, ["a further click"])
    assert (timed.call, timed.calls) == ("a further click", 1)


def test_processes_tell_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")  # so that what the call sets ends with the test
    assert list(function_times.in_processes(len, ["two", 2])) == [3, "TypeError: object of type 'int' has no len()"]


def test_the_table_is_markdown() -> None:
    timed = [function_times.Timed("a picture", 0.2345, 12.34, 12.1, 3, 216.6)]
    assert function_times.table([("yolo", timed)]).splitlines() == [
        "| function | a call | wall clock | processor time | memory |",
        "|---|---|---|---|---|",
        "| yolo | a picture | 230 ms | 12 s | 217 MiB |",
    ]
