"""Other pages in the user's browser, and other names for this machine: nothing that they ask has an effect."""

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cvat_nuclio.serve import running

OWN = {"x-cvat-nuclio": "page"}
ELSEWHERE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "evil.example@127.0.0.1", "Origin": "http://evil.example"},
    {"Host": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_another_page_can_neither_give_nor_call_nor_read(client: Any, headers: dict[str, str], samples: Path) -> None:
    picture = (samples / "coffee.jpg").read_bytes()
    call = {"function": "dies", "frames": ["x"], "options": {}}
    for method, path, body in (
        ("POST", "/api/pictures?name=a.jpg", {"body": picture}),
        ("POST", "/api/calls", {"json": call}),
        ("GET", "/api/functions", {}),
        ("GET", "/page/main.js", {}),
    ):
        answer = client.request(method, path, {**OWN, **headers}, **body)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_form_cannot_call_even_where_a_browser_tells_nothing(client: Any) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a"):
        assert client.request("POST", "/api/calls", {"Content-Type": kind}, body=b"{}").status == 403


def test_a_preflight_is_refused(client: Any) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "x-cvat-nuclio"
    answer = client.request("OPTIONS", "/api/calls", asked)
    assert answer.status == 403
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_link_from_elsewhere_shows_the_page_and_no_frame_does(client: Any) -> None:
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = client.request("GET", "/", visit)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert client.request("GET", "/", visit | {"Sec-Fetch-Mode": "no-cors"}).status == 403


@pytest.mark.parametrize("name", ["127.0.0.1:9999", "localhost:9999"])
def test_a_forwarded_port_is_this_machine(client: Any, name: str) -> None:
    assert client.request("GET", "/api/functions", {**OWN, "Host": name, "Origin": f"http://{name}"}).status == 200


def test_the_page_fetches_nothing_from_elsewhere(repository: Path) -> None:
    for file in (repository / "generator/cvat_nuclio/playground/page").rglob("*.[jhc]*"):
        if file.suffix in (".js", ".html", ".css"):
            text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "http" not in text, file.name
            assert "//" not in text.replace("// ", "").replace("///", ""), file.name


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page//etc/passwd", "/page/samples"])
def test_no_other_file_is_served(client: Any, path: str) -> None:
    assert client.request("GET", path).status == 404


def test_it_listens_on_the_loopback_address_whatever_the_functions_do(repository: Path) -> None:
    with running(repository / "tests/serve/echo", page=True) as server:
        address = urlsplit(server.page_url)
        assert address.hostname == "127.0.0.1"
        own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for other in own - {"127.0.0.1"}:
            with socket.socket() as probe:
                probe.settimeout(5)
                assert probe.connect_ex((other, address.port or 0)) != 0


def test_there_is_no_page_unless_it_is_asked_for(repository: Path) -> None:
    with running(repository / "tests/serve/echo") as server:
        assert server.page_url == ""
