"""What ends a run in the middle: nothing is half stored, and the same command goes on."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from typing import Any

import pytest

from cvat_nuclio.annotate import in_flight, job_parts
from cvat_nuclio.cvat_server import Annotations, Marks, connection


def test_the_function_dies(
    annotate: Any, shelf: Any, functions: Any, number_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    asked = count(1)
    with functions.running() as first:
        port = first.server_address[1]

        def dies(body: dict[str, Any]) -> tuple[int, Any]:
            if next(asked) > 4:
                first.socket.close()
                return 0, None  # the connection ends without an answer
            return 200, [functions.BOX]

        first.answer = dies
        assert annotate("--task", found.scope.task_id, "--in-flight", 2, target=first.url) == 2
    told = capsys.readouterr().err
    assert "does not answer any more" in told
    assert "the same command: it goes on" in told
    assert found.frames() == []
    with functions.running(port) as second:
        assert annotate("--task", found.scope.task_id, "--in-flight", 2, target=second.url) == 0
        assert len(second.bodies) == 6
    assert found.frames() == list(range(10))
    assert "10 frames, 4 of them by an earlier run" in capsys.readouterr().out


def test_a_function_that_comes_back_is_waited_for(
    annotate: Any, shelf: Any, functions: Any, function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_flight, "GONE_AFTER", 30.0)
    found = shelf()
    hung_up = iter([True, True])
    function.answer = lambda body: (0, None) if next(hung_up, False) else (200, [functions.BOX])
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))


def test_the_process_is_killed(shelf: Any, function: Any, number_of: Any, cvat_place: Any) -> None:
    found = shelf()
    function.seconds = 0.2
    words = [sys.executable, "-m", "cvat_nuclio", "annotate", function.url, "--task", str(found.scope.task_id)]
    words += ["--in-flight", "2", *cvat_place.words]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(function.bodies) < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert found.frames() == []
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert found.frames() == list(range(10))
    calls = Counter(map(number_of, function.bodies))
    assert sum(calls.values()) <= 12  # those under way were lost, nothing else


def test_ctrl_c(shelf: Any, function: Any, cvat_place: Any) -> None:
    found = shelf()
    function.seconds = 0.2
    words = [sys.executable, "-m", "cvat_nuclio", "annotate", function.url, "--task", str(found.scope.task_id)]
    words += ["--in-flight", "1", *cvat_place.words]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(function.bodies) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert told.splitlines() == ["what is done so far is kept: the same command goes on from there", "interrupted"]
    assert found.frames() == []


@pytest.mark.parametrize("what", ["lose", "drop", 502, 504])
def test_a_lost_answer_of_the_server(annotate: Any, shelf: Any, standin: Any, what: Any) -> None:
    found = shelf(segment_size=5)
    standin.trouble("PATCH", "action=create", what)
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))


def test_a_server_that_restarts_while_frames_come(
    annotate: Any, shelf: Any, standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 60.0)
    found = shelf(data={"chunk_size": 2})
    standin.trouble("GET", "type=chunk&index=3", 503, times=6)
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))


def test_a_server_that_stays_away(
    annotate: Any, shelf: Any, standin: Any, function: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf(segment_size=5)
    second = found.scope.jobs[1].id
    standin.trouble("PATCH", f"jobs/{second}/.*create", 503, times=99)
    trouble = standin.trouble("GET", f"jobs/{second}/annotations", 503, times=0)

    def gone() -> None:
        trouble.times = 99

    original = Annotations.add

    def add(self: Annotations, data: Any, before: Marks, *, again: bool = False) -> None:
        if self.job_id == second:
            gone()
        original(self, data, before, again=again)

    Annotations.add = add  # type: ignore[method-assign]
    try:
        assert annotate("--task", found.scope.task_id) == 2
    finally:
        Annotations.add = original  # type: ignore[method-assign]
    assert "no answer from CVAT" in capsys.readouterr().err
    standin.troubles.clear()
    assert found.frames() == [0, 1, 2, 3, 4]
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))
    assert len(function.bodies) == 10


@pytest.mark.parametrize("stored", [True, False])
def test_killed_between_the_request_and_its_answer(
    annotate: Any, shelf: Any, stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shelf()
    annotations = Annotations(found.place.connection, found.scope.jobs[0].id)
    label = found.scope.labels[0].id
    # The same box as the function's, from before the run: it must not pass for the new one.
    old = {"type": "rectangle", "frame": 0, "label_id": label, "points": [5, 5, 50, 40], "source": "manual"}
    annotations.add({"shapes": [old]}, Marks())
    original = Annotations.add

    def killed(self: Annotations, data: Any, before: Marks, *, again: bool) -> None:
        if stored:
            original(self, data, before)
        raise KeyboardInterrupt

    monkeypatch.setattr(Annotations, "add", killed)
    assert annotate("--task", found.scope.task_id) == 130
    monkeypatch.setattr(Annotations, "add", original)
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == [0, *range(10)]


def test_disk_full(
    annotate: Any, shelf: Any, function: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    real, count = os.write, iter(range(1000))

    def write(number: int, content: Any) -> int:
        if next(count) < 4:
            return real(number, content)
        real(number, bytes(content)[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    assert annotate("--task", found.scope.task_id, "--in-flight", 1) == 2
    told = capsys.readouterr().err
    assert "cannot keep in" in told
    assert "No space left on device" in told
    monkeypatch.setattr(os, "write", real)
    assert found.frames() == []
    function.bodies.clear()
    assert annotate("--task", found.scope.task_id, "--in-flight", 1) == 0
    assert len(function.bodies) == 6
    assert found.frames() == list(range(10))


def test_no_right_to_store(annotate: Any, shelf: Any, standin: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = shelf()
    standin.trouble("PATCH", "action=create", 403)
    assert annotate("--task", found.scope.task_id) == 2
    told = capsys.readouterr().err
    assert "HTTP 403" in told
    assert "the same command goes on from there" in told
    assert found.frames() == []
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))


def test_two_at_once(
    annotate: Any, shelf: Any, function: Any, functions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shelf()
    codes: list[int | None] = []

    def again(body: dict[str, Any]) -> tuple[int, Any]:
        if not codes:
            codes.append(None)
            codes[0] = annotate("--task", found.scope.task_id)
        return 200, [functions.BOX]

    function.answer = again
    assert annotate("--task", found.scope.task_id, "--in-flight", 1) == 0
    assert codes == [2]
    assert "this run is under way already" in capsys.readouterr().err
    assert found.frames() == list(range(10))


def test_a_changed_function_begins_anew(
    annotate: Any, shelf: Any, function: Any, functions: Any, number_of: Any
) -> None:
    found = shelf()
    function.answer = lambda body: (500, "") if number_of(body) == 2 else (200, [functions.BOX])
    assert annotate("--task", found.scope.task_id, "--retries", 0) == 1
    function.bodies.clear()
    assert annotate("--task", found.scope.task_id, "--retries", 0, "--conf-threshold", 0.5) == 1
    assert len(function.bodies) == 10


def test_large_results_go_in_several_requests(
    annotate: Any, shelf: Any, standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_parts, "MOST", 6)
    found = shelf()
    assert annotate("--task", found.scope.task_id) == 0
    assert found.frames() == list(range(10))
    assert sum("action=create" in line for line in standin.seen) == 4
