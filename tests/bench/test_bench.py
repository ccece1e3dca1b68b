"""`cvat-nuclio bench`: what is measured, reported and refused. How fast anything is, is no test's business."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from cvat_nuclio.__main__ import main
from cvat_nuclio.serve import running

BUNDLES = Path(__file__).parent / "bundles"
DETECTOR = BUNDLES / "detector"
Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(capfd: pytest.CaptureFixture[str]) -> Bench:
    """Runs the command with few requests: exit status, output, errors."""

    def run(*words: object) -> tuple[int, str, str]:
        status = main(["bench", "--requests", "6", "--clients", "3", *map(str, words)])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_reports_a_bundle(bench: Bench, tmp_path: Path) -> None:
    status, out, _ = bench(DETECTOR, "--json", tmp_path / "figures.json")
    assert status == 0
    assert "words on standard output" not in out
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["name"] == "detector"
    assert list(figures["phases_ms"]) == ["parse JSON", "base64", "decode image", "function", "check", "encode"]
    assert figures["phases_ms"]["function"] >= 20
    one, many = figures["one_client"], figures["many_clients"]
    assert (one["clients"], one["requests"], one["failed"]) == (1, 6, 0)
    assert (many["clients"], many["requests"], many["failed"]) == (3, 6, 0)
    assert 20 <= one["p50_ms"] <= one["p90_ms"] <= one["p99_ms"]
    assert one["requests_per_second"] > 0
    assert figures["around_ms"] >= 0
    assert figures["largest_worker_mib"]["after"] > 10
    assert 0 <= figures["busy_cores"] < 200
    request = f"--cpu-request {figures['requests']['cpu']} --memory-request {figures['requests']['memory']}"
    assert int(figures["requests"]["memory"].removesuffix("Mi")) > figures["largest_worker_mib"]["after"]
    for words in (request, "clients", "p99 ms", "function", "HTTP and processor", "largest worker"):
        assert words in out


def test_sends_a_frame_unless_told_otherwise(bench: Bench, tmp_path: Path) -> None:
    picture, figures = tmp_path / "small.png", tmp_path / "figures.json"
    PIL.Image.new("RGB", (80, 60)).save(picture)
    bench(DETECTOR, "--json", figures)
    frame = json.loads(figures.read_text())["body_bytes"]
    bench(DETECTOR, "--json", figures, "--image", picture)
    assert json.loads(figures.read_text())["body_bytes"] < 1000 < frame


def test_trackers_go_on_from_an_answer(bench: Bench, tmp_path: Path) -> None:
    status, _, err = bench(BUNDLES / "tracker", "--json", tmp_path / "figures.json")
    assert status == 0, err
    assert "function" in json.loads((tmp_path / "figures.json").read_text())["phases_ms"]


def test_bundles_written_by_hand_are_one_phase(bench: Bench, tmp_path: Path) -> None:
    assert bench(BUNDLES / "by-hand", "--json", tmp_path / "figures.json")[0] == 0
    assert list(json.loads((tmp_path / "figures.json").read_text())["phases_ms"]) == ["parse JSON", "handler"]


def test_measures_what_runs_at_a_url(bench: Bench, tmp_path: Path) -> None:
    with running(DETECTOR) as server:
        status, out, _ = bench(server.url, "--kind", "detector", "--plot", tmp_path / "url.svg")
    assert status == 0
    assert server.url in out
    assert "largest worker" not in out
    assert (tmp_path / "url.svg").read_bytes().startswith(b"<?xml")


def test_draws(bench: Bench, tmp_path: Path) -> None:
    assert bench(DETECTOR, "--plot", tmp_path / "plot.png")[0] == 0
    with PIL.Image.open(io.BytesIO((tmp_path / "plot.png").read_bytes())) as picture:
        assert picture.width > picture.height > 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["http://127.0.0.1:9/"], "--kind"),
        (["http://127.0.0.1:9/", "--kind", "detector"], "does not answer"),
        (["nowhere"], "no such file or folder"),
        (["nowhere", "--plot", "plot.bmp"], ".svg"),
        (["nowhere", "--image", "absent.png"], "cannot be read"),
        (["nowhere", "--image", __file__], "not an image"),
    ],
)
def test_says_what_it_cannot_do(bench: Bench, words: list[str], said: str) -> None:
    status, _, err = bench(*words)
    assert status != 0
    assert said in err


def test_says_that_an_image_is_too_small(bench: Bench, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    status, _, err = bench("nowhere", "--image", tmp_path / "tiny.png")
    assert status != 0
    assert "20 x 20" in err


def test_says_why_a_function_failed(bench: Bench) -> None:
    status, _, err = bench(BUNDLES / "failing")
    assert status != 0
    assert "no model here" in err


def test_says_that_matplotlib_is_missing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, _, err = bench("nowhere", "--plot", "plot.png")
    assert status != 0
    assert "cvat-nuclio[bench]" in err


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_counts_are_numbers(number: str) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "x", "--requests", number])
