"""Each request's own line in the log, the sums for a scraper, and the caller's trace."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import pytest

from aa_runtime import measures

LABELS = [cvataa.label_spec("car", 1)]
TRACE = "0af7651916cd43dd8448eb211c80319c"


def scrape(worker: Any) -> str:
    event = SimpleNamespace(method="GET", path="/metrics", headers={}, body=b"")
    response = worker.handler.handle(worker.context, event)
    assert response.status_code == 200
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return str(response.body)


def test_a_request_s_line_has_its_stages_status_and_drops(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str
) -> None:
    driver = worker(detector(LABELS, [cvataa.rectangle(1, [1, 1, 5, 5]), cvataa.rectangle(1, [900, 900, 901, 901])]))
    driver.post({"image": picture})
    driver.post({"image": "no picture"})
    found, refused = driver.measured
    assert found["status"] == 200
    assert found["dropped"] == {"outside the image": 1}
    stages = found["decode_ms"], found["function_ms"], found["encode_ms"]
    assert stages[0] > 0
    assert sum(stages) <= found["total_ms"] + 0.02
    assert refused["status"] == 400
    assert driver.log[-1]["message"].startswith("request refused: 400")


def test_sums_are_answered_to_a_scraper_by_worker(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str
) -> None:
    driver = worker(detector(LABELS, [cvataa.rectangle(1, [900, 900, 901, 901])]))
    for body in ({"image": picture}, {"image": picture}, {}):
        driver.post(body)
    page = scrape(driver)
    assert 'aa_requests_total{worker="0",status="200"} 2\n' in page
    assert 'aa_requests_total{worker="0",status="400"} 1\n' in page
    assert 'aa_dropped_total{worker="0",reason="outside the image"} 2\n' in page
    assert "# TYPE aa_stage_seconds_total counter\n" in page
    assert page.count('aa_stage_seconds_total{worker="0",stage=') == 3
    assert len(driver.measured) == 3, "a scrape is no request"


def test_an_interactor_s_cache_is_counted(worker: Callable[..., Any], picture: str) -> None:
    spec = cvataa.InteractionFunctionSpec(min_pos_points=1)
    function = SimpleNamespace(spec=spec, preprocess_image=lambda *_: 1, detect=lambda *_: [])
    driver = worker(function)
    for _ in range(3):
        driver.post({"image": picture, "pos_points": [[1, 1]], "neg_points": [], "obj_bbox": []})
    assert [line["cache"] for line in driver.measured] == ["miss", "hit", "hit"]
    assert 'aa_cache_total{worker="0",result="hit"} 2\n' in scrape(driver)


def test_the_caller_s_trace_is_in_every_line_of_its_request_alone(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str
) -> None:
    driver = worker(detector(LABELS, [cvataa.rectangle(1, [900, 900, 901, 901])]))
    headers = {"Traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    for given in (headers, {}):
        driver.handler.handle(driver.context, SimpleNamespace(body={"image": picture}, headers=given))
    first, second = (line for line in driver.log if "left out" in line["message"])
    assert first["with"]["trace_id"] == driver.measured[0]["trace_id"] == TRACE
    assert second["with"]["trace_id"] == driver.measured[1]["trace_id"] == ""


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-b7ad6b7169203331",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        f"00-{TRACE}-b7ad6b7169203331-01\nx",
        b"00",
        7,
    ],
)
def test_a_header_that_is_no_trace_is_none(header: Any) -> None:
    assert measures.trace_id({"Traceparent": header}) == ""


def test_device_memory_is_torch_s_where_it_uses_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(is_initialized=lambda: True, memory_allocated=lambda: 3 << 20)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert measures.device_bytes() == 3 << 20
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace())
    assert measures.device_bytes() == 0


def test_a_value_cannot_break_out_of_its_label() -> None:
    own = measures.Measures()
    own.begin()
    own.drop('a"} 1\n\\x')
    own.end(200)
    assert 'reason="a\\"} 1\\n\\\\x"} 1\n' in own.page(0)
