"""Served functions with the page in front of them, and a client that speaks as the page does."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import urllib3

from cvat_nuclio.serve import Server, running

HEADERS = {"x-cvat-nuclio": "page"}
DEMO = ("opencv/grabcut", "opencv/correlation-tracker", "opencv/appearance-reid")
FUNCTION = """\
metadata:
  name: {name}
  annotations:
    type: {kind}
    version: "2"
{annotations}
    spec: '{spec}'
spec:
  description: "{name} of the tests"
  handler: "main:handler"
  runtime: "python:3.11"
  platform:
    attributes:
      restartPolicy: {{name: on-failure, maximumRetryCount: 3}}
  triggers:
    http: {{kind: http, numWorkers: 1, attributes: {{maxRequestBodySize: 33554432}}}}
"""
MAIN = """\
import json, os, sys

def init_context(context):
    pass

def handler(context, event):
    {body}
"""


@attrs.frozen
class Client:
    """Asks the page's API."""

    url: str

    def request(self, method: str, path: str, headers: dict[str, str] = HEADERS, **more: Any) -> Any:
        return urllib3.request(
            method, self.url + path, headers=headers, redirect=False, retries=False, timeout=120, **more
        )

    def json(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.request(method, path, **more)
        assert answer.status == status, answer.data
        return answer.json()

    def give(self, name: str, content: bytes) -> list[str]:
        """Gives a file; the names of its frames."""
        frames = self.json("POST", f"/api/pictures?name={name}", body=content)["frames"]
        return [frame["id"] for frame in frames]

    def call(self, function: str, frames: list[str], status: int = 200, **options: Any) -> Any:
        body = {"function": function, "frames": frames, "options": options}
        return self.json("POST", "/api/calls", status, json=body)


@pytest.fixture(scope="session")
def samples(repository: Path) -> Path:
    """The folder with the page's own samples."""
    return repository / "generator/cvat_nuclio/playground/page/samples"


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`bundle(name, kind, body, spec=…, **annotations)`: a function whose handler is `body`."""

    def write(name: str, kind: str, body: str, spec: Any = (), **annotations: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        lines = "\n".join(f"    {key}: '{value}'" for key, value in annotations.items())
        text = FUNCTION.format(name=name, kind=kind, annotations=lines, spec=json.dumps(list(spec)))
        (folder / "function.yaml").write_text(text)
        (folder / "main.py").write_text(MAIN.format(body=body))
        return folder

    return write


@pytest.fixture(scope="session")
def served(repository: Path, bundle: Callable[..., Path]) -> Iterator[Server]:
    """The demo's functions that need no extra, and some that fail."""
    thing = [{"name": "thing", "type": "rectangle"}]
    own = [
        bundle("raises", "detector", 'print("asked"); raise ValueError("no such weights")', thing),
        bundle("broken", "detector", 'return json.dumps([{"type": "rectangle", "points": [1, 2, 3, 4]}])', thing),
        bundle("dies", "detector", "os._exit(3)", thing),
        bundle(
            "odd",
            "detector",
            'return json.dumps([{"label": "thing", "type": "points", "points": [float("nan"), 5]},'
            ' {"label": chr(0xD800), "type": "tag"}])',
            thing,
        ),
        bundle("wants-two", "interactor", "return json.dumps({'mask': []})", min_pos_points="2"),
        bundle(
            "drops",
            "detector",
            'return json.dumps([{"label": "thing", "type": "rectangle", "points": [1, 2, 30, 40], "group_id": 7},'
            ' {"label": "other", "type": "rectangle", "points": [1, 2, 3, 4]}])',
            thing,
        ),
    ]
    with running(*(repository / "serverless" / name for name in DEMO), *own, page=True) as server:
        yield server


@pytest.fixture(scope="session")
def client(served: Server) -> Client:
    return Client(served.page_url)


@pytest.fixture(scope="session")
def coffee(client: Client, samples: Path) -> list[str]:
    """The photograph, given."""
    return client.give("coffee.jpg", (samples / "coffee.jpg").read_bytes())
