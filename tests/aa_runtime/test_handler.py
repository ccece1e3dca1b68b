import json
import sys
import types
from collections.abc import Callable
from typing import Any

import cvat_sdk.auto_annotation as cvataa
import pytest

from aa_runtime import errors

LABELS = [cvataa.label_spec("car", 1)]


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.fixture
def failing(worker: Callable[..., Any], detector: Callable[..., Any]) -> Callable[[BaseException], Any]:
    def make(fault: BaseException) -> Any:
        def raise_it() -> None:
            raise fault

        return worker(detector(LABELS, raise_it))

    return make


@pytest.mark.parametrize(
    "fault",
    [
        ValueError("secret /opt/nuclio/path"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        RecursionError(),
        Unprintable(),
        BaseException("bare"),
        StopIteration(),
        cvataa.BadFunctionError("bad"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_of_the_function_is_a_500_without_details(
    failing: Callable[[BaseException], Any], fault: BaseException, picture: str
) -> None:
    worker = failing(fault)
    for _ in range(2):
        status, body = worker.post({"image": picture})
        assert status == 500
        assert body == {"error": {"type": "function", "message": "the function failed; see its log"}}
    line = worker.log[-1]
    assert line["level"] == "error"
    assert "raise_it" in line["message"]
    assert type(fault).__name__ in line["message"]


def test_endless_recursion_is_survived(worker: Callable[..., Any], detector: Callable[..., Any], picture: str) -> None:
    def recurse() -> None:
        recurse()

    driver = worker(detector(LABELS, recurse))
    assert driver.post({"image": picture})[0] == 500
    assert len(driver.log[-1]["message"]) < 5000


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:114] . DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_running_out_of_memory_is_told_apart(
    failing: Callable[[BaseException], Any], fault: BaseException, picture: str
) -> None:
    status, body = failing(fault).post({"image": picture})
    assert status == 507
    assert body["error"]["type"] == "memory"
    assert "memory" in body["error"]["message"]


def test_finds_a_wrapped_lack_of_memory(worker: Callable[..., Any], detector: Callable[..., Any], picture: str) -> None:
    def wrap() -> None:
        try:
            raise OutOfMemoryError("CUDA out of memory")
        except OutOfMemoryError as fault:
            raise ValueError("prediction failed") from fault

    assert worker(detector(LABELS, wrap)).post({"image": picture})[0] == 507


def test_frees_what_torch_holds(
    failing: Callable[[BaseException], Any], picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed = []
    torch = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(is_initialized=lambda: True, empty_cache=lambda: freed.append(1))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert failing(MemoryError()).post({"image": picture})[0] == 507
    assert freed == [1]


def test_lets_go_of_what_the_failed_call_held(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str
) -> None:
    import weakref

    class Tensor:
        pass

    held: list[weakref.ref[Tensor]] = []

    def fail() -> None:
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise MemoryError

    assert worker(detector(LABELS, fail)).post({"image": picture})[0] == 507
    assert held[0]() is None


def test_a_refused_request_names_the_field_in_body_and_log(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str
) -> None:
    driver = worker(detector(LABELS, []))
    status, body = driver.post({"image": picture, "threshold": 7})
    assert status == 400
    assert body["error"]["field"] == "threshold"
    assert body["error"]["type"] == "request"
    assert [line["level"] for line in driver.log] == ["warning"]
    assert "threshold" in driver.log[0]["message"]


BAD_BODIES = [b"", b"{", b"[]", b"null", b"\xff\xff", b"{}", b'{"image": 3}', b'{"image": NaN}', b"[" * 99_999]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain", ""])
@pytest.mark.parametrize("body", BAD_BODIES)
def test_bad_bodies_are_4xx_whatever_their_type(
    worker: Callable[..., Any], detector: Callable[..., Any], body: bytes, content_type: str
) -> None:
    driver = worker(detector(LABELS, []))
    status, answer = driver.send(body, content_type)
    assert status == 400
    assert answer["error"]["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "text/plain"])
def test_answers_whatever_the_content_type(
    worker: Callable[..., Any], detector: Callable[..., Any], picture: str, content_type: str
) -> None:
    driver = worker(detector(LABELS, []))
    assert driver.send(json.dumps({"image": picture}).encode(), content_type) == (200, [])


def test_survives_a_log_that_fails(worker: Callable[..., Any], detector: Callable[..., Any], picture: str) -> None:
    def broken(*args: object) -> None:
        raise BlockingIOError

    driver = worker(detector(LABELS, [object()]))
    driver.handler._log = types.SimpleNamespace(debug=broken, info=broken, warn=broken, error=broken)
    status, body = driver.post({"image": picture})
    assert status == 500
    assert "object" in body["error"]["message"]


def test_survives_an_event_without_a_body(worker: Callable[..., Any], detector: Callable[..., Any]) -> None:
    status, _ = worker(detector(LABELS, [])).handle(object())
    assert status == 500


def test_log_lines_stay_short() -> None:
    try:
        raise ValueError("x" * 100_000)
    except ValueError as fault:
        text = errors.traceback_text(fault)
    assert len(text) < errors.MAX_LOG_CHARS + 100
    assert text.startswith("Traceback")
    assert text.endswith("xxx")


def test_an_unknown_spec_is_refused_at_the_start(worker: Callable[..., Any]) -> None:
    with pytest.raises(cvataa.BadFunctionError, match="Unsupported function spec type: dict"):
        worker(types.SimpleNamespace(spec={}))
