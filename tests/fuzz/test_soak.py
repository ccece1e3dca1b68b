"""A few seconds of what `make soak` does for an hour, and the rule by which it judges."""

import os
from pathlib import Path

import pytest
from tools import soak
from tools.fuzzing import resident_memory
from tools.fuzzing.traffic import Traffic

from cvat_nuclio.bench.worker_memory import resident_mib
from cvat_nuclio.serve import running


@pytest.mark.parametrize(
    ("readings", "flat"),
    [
        ([100] * 50, True),
        ([60] * 8 + [100] * 42, True),
        ([100 + number % 9 for number in range(50)], True),
        ([100 + number for number in range(50)], False),
        ([100] * 30 + [150] * 20, False),
        ([3000 + 2 * number for number in range(50)], True),
    ],
)
def test_flat_means_no_growth_after_warm_up(readings: list[float], flat: bool) -> None:
    assert resident_memory.is_flat(readings) is flat


def test_resident_memory_is_read() -> None:
    assert 10 < resident_mib(os.getpid()) < 100_000
    assert resident_mib(2**30) == 0


@pytest.mark.parametrize("kind", ["detector", "interactor", "tracker", "reid"])
def test_traffic_is_mixed(kind: str) -> None:
    bodies = [body for body, _ in zip(Traffic(kind, 1), range(60), strict=False)]
    assert 30 <= sum(is_sound for _, is_sound in bodies) <= 55


def test_mixed_requests_to_served_bundles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["serverless/opencv/correlation-tracker", "serverless/opencv/appearance-reid"]
    bundles = [soak.prepared(soak.ROOT / name, tmp_path) for name in names]
    with running(*bundles, workers=1) as server:
        soak.soak(server, 4)
    lines = capsys.readouterr().out.splitlines()
    # So few seconds are all warm-up: whether memory is flat is not judged here.
    assert [line for line in lines if line.startswith("FAULT")] == []
    assert sum("after warm-up" in line for line in lines) == 2
    assert sum("200:" in line for line in lines) == 2
