"""Drives the runtime as Nuclio's wrapper does: real events in, real responses out, a real logger."""

import base64
import io
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import nuclio_sdk
import nuclio_sdk.event
import nuclio_sdk.logger
import PIL.Image
import pytest
from tools.fuzzing.fuzz_target import make_event

from aa_runtime import Handler, Options


class Driver:
    """One worker."""

    def __init__(self, function: Any, options: Options) -> None:
        self._stream = io.StringIO()
        logger = nuclio_sdk.Logger(level=logging.DEBUG, name=f"test-{id(self)}")
        logger.set_handler("default", self._stream, nuclio_sdk.logger.JSONFormatter())
        self.context = nuclio_sdk.Context(logger=logger, worker_id="0")
        self.handler = Handler(function, options, logger)

    @property
    def log(self) -> list[dict[str, Any]]:
        """What was logged, as the processor reads it, without the line of each request's measures."""
        return [line for line in self._lines if line["level"] != "debug"]

    @property
    def measured(self) -> list[dict[str, Any]]:
        """The fields of each request's own line."""
        return [line["with"] for line in self._lines if line["message"] == "request"]

    @property
    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def send(self, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
        """Status and parsed body of the answer to raw bytes."""
        return self.handle(make_event(body, content_type))

    def post(self, body: object) -> tuple[int, Any]:
        """Status and parsed body of the answer to what `requests.post(json=body)` sends."""
        return self.send(json.dumps(body).encode())

    def handle(self, event: Any) -> tuple[int, Any]:
        """The same for an event; checks what the wrapper makes of the response."""
        response = self.handler.handle(self.context, event)
        assert type(response) is nuclio_sdk.Response
        wire = json.loads(json.dumps(nuclio_sdk.Response.from_entrypoint_output(json.dumps, response)))
        assert wire["content_type"] == "application/json"
        assert wire["headers"] == {}
        assert wire["body_encoding"] == "text"
        return wire["status_code"], json.loads(wire["body"], parse_constant=pytest.fail)


@pytest.fixture
def worker() -> Callable[..., Driver]:
    """Makes a worker of a function: `worker(function, **options)`."""

    def make(function: Any, **options: Any) -> Driver:
        return Driver(function, Options(**options))

    return make


@pytest.fixture(scope="session")
def encode() -> Callable[..., str]:
    """An image as CVAT sends it: `encode(image, format="PNG")`."""

    def to_text(image: PIL.Image.Image, format: str = "PNG", **save: Any) -> str:
        stream = io.BytesIO()
        image.save(stream, format, **save)
        return base64.b64encode(stream.getvalue()).decode()

    return to_text


@pytest.fixture(scope="session")
def picture(encode: Callable[..., str]) -> str:
    """A grey PNG of 100x80 pixels, the size of the recorded exchanges' image."""
    return encode(PIL.Image.new("L", (100, 80), 128))


@pytest.fixture
def detector() -> Callable[..., SimpleNamespace]:
    """Makes a detection function that answers what it is given: `detector(labels, annotations)`."""
    import cvat_sdk.auto_annotation as cvataa

    def make(labels: list[Any], annotations: Any) -> SimpleNamespace:
        function = SimpleNamespace(spec=cvataa.DetectionFunctionSpec(labels=labels), calls=[])

        def detect(context: Any, image: PIL.Image.Image) -> Any:
            function.calls.append((context, image))
            return annotations() if callable(annotations) else annotations

        function.detect = detect
        return function

    return make
