"""A plain bundle, fake nuctl and docker programs that replay recordings, and a function that answers."""

import functools
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BIN = Path(__file__).parent / "bin"
FUNCTION = """\
metadata:
  name: {name}
  annotations:
    name: "Demo detector"
    type: "detector"
    spec: |
      [{{"name": "person", "type": "rectangle"}}]
spec:
  description: "Demo detector"
  runtime: "python:3.11"
  handler: "main:handler"
  eventTimeout: "30s"
{more}
"""

EXISTS = 'Error - nuclioprojects.nuclio.io "cvat" already exists\n'


@pytest.fixture
def records(recordings: Path) -> Callable[[str], list[dict[str, Any]]]:
    """The records of one recording file."""
    return lambda file: json.loads((recordings / "nuctl-recordings" / f"{file}.json").read_text("utf-8"))


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Writes a bundle's folder; `more` is added under `spec`."""

    def make(name: str = "demo-detector", more: str = "", file: str = "function.yaml") -> Path:
        folder = tmp_path / name.replace("/", "_")
        folder.mkdir(exist_ok=True)
        (folder / file).write_text(FUNCTION.format(name=json.dumps(name), more=more))
        (folder / "main.py").write_text("def handler(context, event):\n    return context.Response(body='[]')\n")
        return folder

    return make


@pytest.fixture
def http_answer() -> Iterator[Callable[[int, bytes], int]]:
    """`http_answer(status, body)` → the port of something healthy that answers every POST so."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(status: int, body: bytes) -> int:
        class Answering(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, b"")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(status, body)

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return int(servers[-1].server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def function_answering(http_answer: Callable[[int, bytes], int]) -> Callable[[bytes], int]:
    """`function_answering(body)` → the port of something healthy that answers every call with it."""
    return functools.partial(http_answer, 200)


@pytest.fixture
def answering(function_answering: Callable[[bytes], int]) -> int:
    """The port of something that answers like a healthy function."""
    return function_answering(b"[]")


@pytest.fixture
def interrupted(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A deploy that gets a signal while nuctl waits."""

    def run(
        environment: dict[str, str], *words: object, sent: signal.Signals = signal.SIGINT
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cvat_nuclio", "deploy", "--skip-check", "--logs", str(tmp_path / "logs")]
        with subprocess.Popen(
            [*command, *map(str, words)],
            env=environment, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                deadline = time.monotonic() + 60
                while not (tmp_path / "waiting").exists() and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.05)
                process.send_signal(sent)
                stdout, stderr = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    return run


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Writes what the fakes replay; gives the environment in which they are found before the real programs."""

    def make(**scene: Any) -> dict[str, str]:
        defaults = {"name": "demo-detector", "before": None, "after": None, "exit_code": 0, "stdout": "", "stderr": ""}
        file = tmp_path / "scene.json"
        file.write_text(json.dumps({**defaults, **scene}))
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "FAKE_SCENE": str(file), "PATH": path, "XDG_STATE_HOME": str(tmp_path / "state")}

    return make


@pytest.fixture
def deploy(tmp_path: Path, repository: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ./deploy.sh as a user would, with the tests' own interpreter's `cvat-nuclio` first on PATH."""

    def run(environment: dict[str, str], *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "deploy.sh"  # a copy, so that it finds cvat-nuclio on PATH as an installed user would
        shutil.copy(repository / "deploy.sh", script)
        own_bin = str(Path(sys.executable).parent)
        path = f"{BIN}{os.pathsep}{own_bin}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            ["bash", str(script), "--logs", str(tmp_path / "logs"), *map(str, words)],
            env={**environment, "PATH": path},
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[list[str]]]:
    """What nuctl was asked, in order."""

    def read() -> list[list[str]]:
        file = tmp_path / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []

    return read


def apart(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same with pods of different names: the recorder hid what tells them apart, and looked at none before."""
    old = [{"name": "old", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}]
    serves = bool((before.get("status") or {}).get("internalInvocationUrls"))

    def named(pod: dict[str, Any]) -> dict[str, Any]:
        ready = {"type": "Ready", "status": "True"} in pod["conditions"] and not pod.get("deleting")
        return {**pod, "name": "old" if serves and ready else "new"}

    events = [
        {**event, "object": "Pod/new"} if event["object"].startswith("Pod/") else event
        for event in after.get("events") or []
    ]
    pods = [named(pod) for pod in after.get("pods") or []]
    return {**before, "pods": old if serves else []}, {**after, "pods": pods, "events": events}


@pytest.fixture
def of_cluster(records: Any, scene: Any) -> Callable[..., tuple[dict[str, str], str]]:
    """The environment in which a recorded deploy happens again, and the function's name."""

    def make(id_: str, **more: Any) -> tuple[dict[str, str], str]:
        record = next(record for record in records("kube") if record["id"] == id_)
        name = next(iter(record["after"]))
        before, after = (record[when].get(name) or {} for when in ("before", "after"))
        before, after = apart(before, after)
        of_record = {
            "name": name,
            **{key: record[key] for key in ("stdout", "stderr", "exit_code")},
            "before": before.get("status"),
            "after": after.get("status"),
            "project_stderr": EXISTS,
            "kubectl": {"before": before, "after": after},
        }
        environment = scene(**{**of_record, **more})
        return environment, name

    return make
