"""A deploy to a cluster, from the user's side, against what the real nuctl and cluster said."""

import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Records = Callable[[str], list[dict[str, Any]]]
Scene = Callable[..., dict[str, str]]
Deploy = Callable[..., subprocess.CompletedProcess[str]]
Calls = Callable[[], list[list[str]]]
MakeBundle = Callable[..., Path]

READY = {"state": "ready", "internalInvocationUrls": ["nuclio-demo-detector.nuclio.svc.cluster.local:8080"]}
EXISTS = 'Error - nuclioprojects.nuclio.io "cvat" already exists\n'
KUBE = ("--skip-check", "--platform", "kube", "--registry", "localhost:1")


@pytest.fixture
def dashboard() -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Port of a dashboard that passes calls on, and the headers that it got."""
    seen: list[dict[str, str]] = []

    class Dashboard(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append({"path": self.path, **{key.lower(): value for key, value in self.headers.items()}})
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dashboard) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join()


def test_the_second_deploy_asks_the_function_through_the_dashboard(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, dashboard: tuple[int, list[dict[str, str]]]
) -> None:
    port, seen = dashboard
    environment = scene(before=READY, after=READY, project_stderr=EXISTS)
    done = deploy(environment, *KUBE, "--dashboard", f"http://127.0.0.1:{port}/", make_bundle())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready at http://nuclio-demo-detector.nuclio.svc.cluster.local:8080/" in done.stdout
    (call,) = seen
    assert call["path"] == "/api/function_invocations"
    assert call["x-nuclio-function-name"] == "demo-detector"
    assert call["x-nuclio-function-namespace"] == "nuclio"
    assert call["x-nuclio-invoke-via"] == "domain-name"


@pytest.mark.parametrize("way", ["dashboard", "function"])
def test_kubectl_makes_the_way_to_the_dashboard_or_to_the_function(
    way: str, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, dashboard: tuple[int, list[dict[str, str]]]
) -> None:
    port, seen = dashboard
    pod = {"name": "p", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    environment = scene(after=READY, kubectl={way: port, "after": {"pods": [pod]}})
    done = deploy(environment, *KUBE, make_bundle())
    assert done.returncode == 0, done.stdout + done.stderr
    assert [call["path"] for call in seen] == ["/api/function_invocations" if way == "dashboard" else "/"]


def test_without_any_way_in_it_is_said_that_nothing_was_asked(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    done = deploy(scene(after=READY), *KUBE, make_bundle())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "note: no request was sent: a service of type ClusterIP has no port outside" in done.stdout
    assert "not checked: the namespace, Nuclio's controller, pull secrets, GPU nodes: kubectl" in done.stdout


def test_an_image_that_no_node_can_get_is_not_even_built(
    scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    done = deploy(scene(), "--skip-check", "--platform", "kube", make_bundle())
    assert done.returncode == 2
    assert "no --registry: the cluster's nodes cannot get an image that lies on this machine alone" in done.stderr
    assert not any(call[0] == "deploy" for call in calls())


@pytest.mark.parametrize(
    ("kubectl", "more", "words"),
    [
        ({"controller": False}, "", "no controller of Nuclio runs in namespace nuclio"),
        ({}, "  imagePullSecrets: nocred", "the image pull secret nocred does not exist"),
        ({}, '  resources: {limits: {nvidia.com/gpu: "1"}}', "no node of the cluster offers nvidia.com/gpu"),
        (
            {"namespace_error": 'Error from server (NotFound): namespaces "nuclio" not found'},
            "",
            "the cluster has no namespace nuclio",
        ),
        (
            {"namespace_error": 'Get "https://10.0.0.1:6443/api": dial tcp 10.0.0.1:6443: connect: connection refused'},
            "",
            "the cluster at https://10.0.0.1:6443 cannot be reached: connect: connection refused",
        ),
    ],
)  # fmt: skip
def test_what_the_cluster_lacks_is_found_before_the_build(
    kubectl: dict[str, Any], more: str, words: str, scene: Scene, deploy: Deploy, make_bundle: MakeBundle, calls: Calls
) -> None:
    done = deploy(scene(kubectl=kubectl), *KUBE, make_bundle(more=more))
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert not any(call[0] == "deploy" for call in calls())


@pytest.mark.parametrize(
    ("id_", "cause", "left"),
    [
        ("image-not-found", "the registry has no image", "nothing: it was not serving before either"),
        ("oom-very-small-limit", "killed for memory (OOMKilled)", "nothing: it was not serving before either"),
        ("quota-exceeded", "the namespace's quota is used up: exceeded quota", "nothing: it was not serving before"),
        (
            "update-to-import-error",
            "the image has no Python module missing_package",
            "the old version's pod still runs, but Nuclio",
        ),
        ("update-to-missing-image", "the registry has no image", "the old version's pod still runs, but Nuclio"),
        ("update-push-refused-serving", "no basic auth", "the old version still serves, although its state is error"),
        ("update-build-fails-serving", "a build step failed", "the old version still serves, although its state is"),
    ],
)
def test_a_recorded_failure_is_told_with_its_cause_and_what_is_left(
    id_: str, cause: str, left: str, of_cluster: Any, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    environment, name = of_cluster(id_)
    done = deploy(environment, *KUBE, make_bundle(name))
    assert done.returncode == 1, done.stdout + done.stderr
    assert cause in done.stdout
    assert f"  what is left: {left}" in done.stdout


@pytest.mark.parametrize("id_", ["interrupted-int-waiting-serving", "interrupted-int-waiting-new"])
def test_ctrl_c_while_the_controller_works_deletes_nothing(
    id_: str, of_cluster: Any, interrupted: Any, make_bundle: MakeBundle, calls: Calls
) -> None:
    environment, name = of_cluster(id_)
    done = interrupted(environment, *KUBE, make_bundle(name))
    assert done.returncode == 1, done.stderr
    assert "what is left: Nuclio's controller goes on with it by itself" in done.stdout
    assert ("the old version still serves" in done.stdout) == id_.endswith("serving")
    assert not any(call[0] == "delete" for call in calls())


def test_ctrl_c_in_the_build_of_a_function_that_serves_deletes_nothing(
    of_cluster: Any, interrupted: Any, make_bundle: MakeBundle, calls: Calls
) -> None:
    environment, name = of_cluster("interrupted-term-building-serving", exit_code=-2)
    done = interrupted(environment, *KUBE, make_bundle(name))
    assert "the old version still serves, although its state is building; the next deploy needs --force" in done.stdout
    assert not any(call[0] == "delete" for call in calls())


def test_an_image_that_is_nowhere_ends_the_waiting_at_once(
    of_cluster: Any, deploy: Deploy, make_bundle: MakeBundle
) -> None:
    environment, name = of_cluster("image-not-found", stdout="nuctl Skipping build\n", stderr="", exit_code=-2)
    done = deploy(environment, *KUBE, make_bundle(name))
    assert done.returncode == 1
    assert "the registry has no image localhost:5000/demo/absent:1" in done.stdout


def test_status_of_a_function_that_lost_its_addresses(of_cluster: Any, deploy: Deploy, make_bundle: MakeBundle) -> None:
    environment, name = of_cluster("update-to-import-error")
    scene = json.loads(Path(environment["FAKE_SCENE"]).read_text())
    for state in ("ready", "unhealthy"):  # the monitor says one and the other in turn
        now = {"before": {**scene["after"], "state": state}, "kubectl": {"before": scene["kubectl"]["after"]}}
        Path(environment["FAKE_SCENE"]).write_text(json.dumps({**scene, **now}))
        done = deploy(environment, "--platform", "kube", "--status", make_bundle(name))
        assert done.returncode == 1
        assert "Nuclio has no address of the function, so CVAT gets HTTP 500" in done.stdout
