"""The dashboard's answers to CVAT are those recorded from Nuclio's."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tests.serve import serve_vectors

from cvat_nuclio.serve import Server, running

RECORDINGS = serve_vectors.RECORDINGS / "nuctl-recordings"
REPLAYED = [
    "healthz",
    "functions-other-project",
    "functions-one",
    "functions-no-namespace-header",
    "function-one",
    "function-missing",
    "invoke-domain-name",
    "invoke-plain",
    "invoke-path",
    "invoke-url",
    "invoke-url-http",
    "invoke-error-500",
    "invoke-missing",
    "invoke-no-name",
]
# What nuctl writes into a function when it deploys: a build, an image, defaults of the platform.
OF_A_DEPLOYMENT = {"build", "image", "targetCPU", "resources", "securityContext", "readinessTimeoutSeconds"}
OF_A_DEPLOYMENT |= {"disableDefaultHTTPTrigger", "platform", "triggers"}


def records() -> list[dict[str, Any]]:
    """The recorded exchanges that are replayed."""
    found = json.loads((RECORDINGS / "dashboard.json").read_text())
    return [r for r in found if r["id"] in REPLAYED and r["nuclio"] == "1.14.1"]


@pytest.fixture(scope="module")
def server(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    deploys = json.loads((recordings / "nuctl-recordings" / "deploy.json").read_text())
    files = next(r["files"] for r in deploys if r["id"] == "deploy-detector-first")
    folder = tmp_path_factory.mktemp("bundle")
    for name, text in files.items():
        (folder / name).write_text(text)
    with running(folder) as server:
        yield server
    shutil.rmtree(folder)


def recorded_body(record: dict[str, Any], port: str) -> Any:
    """The recorded JSON with numbers in the places of numbers."""
    text = record["body"].replace("0.0.0.0:$port", f"127.0.0.1:{port}").replace("127.0.0.1:$port", f"127.0.0.1:{port}")
    return json.loads(re.sub(r":\$(?:port|ms|seconds)", f":{port}", text))


@pytest.mark.parametrize("record", records(), ids=lambda record: record["id"])
def test_answers_like_the_recorded_dashboard(server: Server, record: dict[str, Any]) -> None:
    request, port = record["request"], server.url.rpartition(":")[2]
    headers = {name: value.replace("$port", port) for name, value in request["headers"].items()}
    if record["id"] == "invoke-url":
        headers["x-nuclio-invoke-url"] = "127.0.0.1:1"
    body = None if request["body"] is None else json.dumps(request["body"]).encode()
    answer = urllib3.request(request["method"], server.dashboard_url + request["path"], headers=headers, body=body)
    assert answer.status == record["status"]
    for name in ("Content-Type", "Vary", "Server", "X-Content-Type-Options"):
        assert answer.headers.get(name) == record["headers"].get(name), name
    if record["headers"]["Content-Type"] != "application/json":
        assert answer.data.decode().splitlines()[0] == record["body"].splitlines()[0]
        return
    if record["id"] == "invoke-url":
        port = "1"
    assert_same(recorded_body(record, port), answer.json())


def assert_same(expected: Any, found: Any) -> None:
    """Equal, apart from what only a deployment writes."""
    if "status" in expected:
        assert_function(expected, found)
    elif "demo-detector" in expected:
        assert found.keys() == expected.keys()
        assert_function(expected["demo-detector"], found["demo-detector"])
    elif "errorStackTrace" in expected:
        assert found["error"] == expected["error"]
        assert found.keys() == expected.keys()
    else:
        assert found == expected


def assert_function(expected: dict[str, Any], found: dict[str, Any]) -> None:
    """All that CVAT reads, and the rest of the file as Nuclio keeps it."""
    assert found["metadata"] == expected["metadata"]
    own = {name: value for name, value in expected["spec"].items() if name not in OF_A_DEPLOYMENT}
    assert {name: found["spec"][name] for name in own} == own
    triggers = expected["spec"]["triggers"]["myHttpTrigger"]
    listed = found["spec"]["triggers"]["myHttpTrigger"]
    assert listed["attributes"] == triggers["attributes"]
    assert set(found["spec"]) - OF_A_DEPLOYMENT <= set(expected["spec"])
    assert found["status"]["state"] == expected["status"]["state"]
    assert found["status"]["httpPort"] == expected["status"]["httpPort"]
    assert found["status"]["externalInvocationUrls"] == expected["status"]["externalInvocationUrls"]


def test_another_namespace_has_no_functions(server: Server) -> None:
    headers = {"x-nuclio-function-namespace": "elsewhere"}
    answer = urllib3.request("GET", f"{server.dashboard_url}/api/functions", headers=headers)
    assert (answer.status, answer.data) == (200, b"{}\n")


def test_the_call_gets_the_clients_path_body_and_status(bundle: Path) -> None:
    with running(bundle, workers=1) as server:
        headers = {
            "x-nuclio-function-name": "echo",
            "x-nuclio-function-namespace": "nuclio",
            "x-nuclio-path": "/a/b",
            "X-Own": "kept",
            "Content-Type": "application/json",
        }
        url = f"{server.dashboard_url}/api/function_invocations"
        seen = urllib3.request("POST", url, headers=headers, body=b'{"a": 1}').json()
        assert (seen["path"], seen["body"], seen["headers"]["X-Own"]) == ("/a/b", {"a": 1}, "kept")
        headers["x-nuclio-path"] = "/raise"
        failed = urllib3.request("POST", url, headers=headers, body=b"{}")
        assert failed.status == 500
        assert failed.headers["Content-Type"] == "text/plain"


def test_a_call_without_a_namespace_is_refused(server: Server) -> None:
    headers = {"x-nuclio-function-name": "demo-detector"}
    answer = urllib3.request("POST", f"{server.dashboard_url}/api/function_invocations", headers=headers)
    assert (answer.status, answer.json()) == (400, {"error": "Namespace must be provided"})


def test_the_project_of_cvat_is_there(server: Server) -> None:
    assert "cvat" in urllib3.request("GET", f"{server.dashboard_url}/api/projects").json()
