"""What a function or a dashboard may answer that is no good JSON in a good answer, and what CVAT tells its user."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from cvat_nuclio.cvat import CvatError
from cvat_nuclio.cvat.transport import decode, send

JSON = b"Content-Type: application/json\r\n"


def answer(status: str = "200 OK", headers: bytes = JSON, body: bytes = b"[]", length: int | None = None) -> bytes:
    size = f"Content-Length: {len(body) if length is None else length}\r\n" if length != -1 else ""
    return f"HTTP/1.1 {status}\r\n{size}".encode() + headers + b"\r\n" + body


@pytest.fixture
def served() -> Iterator[Callable[..., str]]:
    """`served(bytes)` → the URL of a server that sends them once; `reset=True` breaks the connection after them."""
    listeners = []

    def serve(content: bytes, *, reset: bool = False, wait: float = 0) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(content)
                threading.Event().wait(wait)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for listener in listeners:
        listener.close()


def refusal(url: str) -> tuple[str, int]:
    with pytest.raises(CvatError) as caught:
        decode(send("POST", url, body={}, timeout=0.3))
    assert caught.value.handled
    return caught.value.name, caught.value.http_status


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (answer("404 Not Found"), ("HTTPError", 404)),
        (answer("599 Odd"), ("HTTPError", 599)),
        (answer("600 Odd", body=b"x"), ("JSONDecodeError", 500)),
        (answer("204 No Content", body=b""), ("JSONDecodeError", 500)),
        (answer(length=50), ("ChunkedEncodingError", 500)),
        (answer(headers=b"Transfer-Encoding: chunked\r\n", body=b"zz\r\n", length=-1), ("ChunkedEncodingError", 500)),
        (answer(headers=b"Content-Encoding: gzip\r\n"), ("ContentDecodingError", 500)),
        (answer(headers=b"Content-Length: 3\r\n"), ("InvalidHeader", 500)),
        (answer("302 Found", b"Location: ftp://a/b\r\n"), ("InvalidSchema", 500)),
        (answer("302 Found", b"Location: http://a:b/\r\n"), ("InvalidURL", 500)),
        (b"no HTTP\r\n\r\n", ("ConnectionError", 503)),
        (b"", ("ConnectionError", 503)),
    ],
)
def test_the_status_is_the_one_that_cvat_gives(
    served: Callable[..., str], content: bytes, expected: tuple[str, int]
) -> None:
    assert refusal(served(content)) == expected


def test_an_answer_that_stops_half_way_is_no_timeout_to_cvat(served: Callable[..., str]) -> None:
    assert refusal(served(answer(length=50), wait=1)) == ("ConnectionError", 503)
    assert refusal(served(answer(length=50), reset=True)) == ("ChunkedEncodingError", 500)
    assert refusal(served(b"", wait=1)) == ("ReadTimeout", 504)


def test_statuses_from_600_are_answers(served: Callable[..., str]) -> None:
    assert decode(send("POST", served(answer("700 Odd", body=b"[1]")), body={})) == [1]


def test_a_status_without_words_has_none_in_the_message(served: Callable[..., str]) -> None:
    with pytest.raises(CvatError, match="500 Server Error:  for url"):
        decode(send("POST", served(answer("500")), body={}))


def test_a_port_that_is_none_is_no_address() -> None:
    assert refusal("http://localhost:None") == ("InvalidURL", 500)


def test_proxies_of_the_users_machine_are_not_asked(
    served: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert decode(send("POST", served(answer()), body={})) == []
