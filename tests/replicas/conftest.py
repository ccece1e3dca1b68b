"""A round-robin proxy, as a Kubernetes Service is to a function's replicas."""

import http.client
import http.server
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urlsplit

import pytest

OpenProxy = Callable[[Sequence[str]], AbstractContextManager["Proxy"]]


class Proxy(http.server.ThreadingHTTPServer):
    """Sends each request to the next backend; one that refuses the connection is passed over."""

    daemon_threads = True

    def __init__(self, backends: Sequence[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.turns = itertools.cycle([urlsplit(url).netloc for url in backends])
        self.count = len(backends)
        self.answered: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Forward(http.server.BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for _ in range(self.server.count):
            backend = next(self.server.turns)
            connection = http.client.HTTPConnection(backend, timeout=60)
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                content = answer.read()
            except OSError:
                continue
            finally:
                connection.close()
            self.server.answered.append(backend)
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def open_proxy() -> OpenProxy:
    """`with open_proxy(urls) as proxy: proxy.url`."""

    @contextmanager
    def opened(backends: Sequence[str]) -> Iterator[Proxy]:
        with Proxy(backends) as proxy:
            thread = threading.Thread(target=proxy.serve_forever)
            thread.start()
            try:
                yield proxy
            finally:
                proxy.shutdown()
                thread.join()

    return opened
