"""The first request after a deploy: a sound function passes, whatever it tracks."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from aa_runtime import FunctionSource, Options, create_handler
from aa_runtime.contract import SHAPE_TYPES
from cvat_nuclio.deploy.first_request import failure
from cvat_nuclio.invoke.call_target import Target

TRACKER = '''
import cvat_sdk.auto_annotation as cvataa


def create(shape_type):
    return Still(shape_type)


class Still:
    """Says that everything stays where it was."""

    def __init__(self, shape_type):
        self.spec = cvataa.TrackingFunctionSpec(supported_shape_types=[shape_type])

    def init_tracking_state(self, context, pp_image, shape):
        return list(shape.points)

    def track(self, context, pp_image, state):
        return None
'''


@attrs.frozen
class Event:
    body: bytes
    content_type: str = "application/json"
    method: str = "POST"
    path: str = "/"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """`served(shape_type)` → the URL of a tracker of these shapes, behind the runtime's real handler."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def serve(shape_type: str) -> str:
        file = tmp_path / "still.py"
        file.write_text(TRACKER)
        source = FunctionSource(file=file, parameters={"shape_type": shape_type})
        handler = create_handler(source, Options(name="still"), Quiet())

        class Function(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = handler.handle(None, Event(json.loads(body)))
                self.send_response(answer.status_code)
                self.end_headers()
                self.wfile.write(str(answer.body).encode())

            def log_message(self, *_: object) -> None:
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Function))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


class Quiet:
    """A logger that keeps silent."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **more: None


def config(shape_type: str) -> dict[str, Any]:
    annotations = {"name": "Still", "type": "tracker", "supported_shape_types": shape_type}
    return {"metadata": {"name": "still", "annotations": annotations}, "spec": {"description": "still"}}


@pytest.mark.parametrize("shape_type", sorted(SHAPE_TYPES))
def test_a_sound_tracker_of_each_shape_type_answers(served: Any, shape_type: str) -> None:
    assert failure(Target(config(shape_type), served(shape_type))) is None


def test_a_tracker_that_tracks_something_else_than_it_says_is_found(served: Any) -> None:
    found = failure(Target(config("cuboid"), served("polygon")))
    assert found is not None
    assert "400" in found


def test_what_cvat_cannot_list_has_failed_without_a_request() -> None:
    broken = config("rectangle")
    broken["metadata"]["annotations"]["supported_shape_types"] = ","
    assert "CVAT cannot list the function" in str(failure(Target(broken, "http://127.0.0.1:9/")))
