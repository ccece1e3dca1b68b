"""Every record of a cluster (`kube`) and of today's Docker (`docker-1.14`), told as `deploy` and its like tell it.

What the records say by themselves is compared: exit codes, pods, what CVAT's request got, what listens on the port that
Nuclio names. The words of each cause are in `expected_causes.yaml`.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cvat_nuclio.cvat.listing import list_function
from cvat_nuclio.deploy import first_request
from cvat_nuclio.deploy.cluster import Cluster
from cvat_nuclio.deploy.deploy_options import DeployOptions
from cvat_nuclio.deploy.deployment import Deployment, Outcome
from cvat_nuclio.deploy.nuctl import NONE_THERE, Answer, Nuctl, State
from cvat_nuclio.deploy.places import ClusterPlace, LocalPlace, Serving
from cvat_nuclio.invoke.call_target import Target
from cvat_nuclio.nuclio.function_yaml import FunctionYaml

RECORDINGS = Path(__file__).parent.parent / "recordings" / "nuctl-recordings"
RECORDS = {
    f"{file}/{record['id']}": record
    for file in ("kube", "docker-1.14")
    for record in json.loads((RECORDINGS / f"{file}.json").read_text("utf-8"))
}
PLAIN = b"metadata: {name: demo, annotations: {type: detector, spec: '[]'}}\nspec: {description: d}\n"

#: Not told by any command of ours, and why.
LEFT_OUT = {
    "get functions": "deploy asks for one function by its name; nobody lists all",
    "get project": "asked for by name alone",
    "invoke": "nuctl's own call, which no command of ours makes",
    "delete project": "no command of ours deletes a project",
    "cut": "the recorder left out the middle of a long list",
}


def action(record: dict[str, Any]) -> str:
    """What was done: `deploy`, `get function`, `docker stop`, `dashboard`, …"""
    argv = record.get("argv") or []
    if "left out by the recorder" in record.get("body", ""):
        return "cut"
    if "request" in record:
        return "dashboard"
    if argv[:1] == ["nuctl"]:
        return " ".join(argv[1:3]) if argv[1] in ("get", "create", "delete") else str(argv[1])
    return "by hand"


def of(*actions: str) -> list[str]:
    return [key for key, record in RECORDS.items() if action(record) in actions]


def state_of(function: dict[str, Any]) -> State:
    if "status" not in function:
        return State.from_json(function.get("stdout") or "")
    return State.from_json(json.dumps({"metadata": {}, "spec": {}, "status": function["status"]}))


def kubectl(function: dict[str, Any], *words: str) -> tuple[int, str, str]:
    """What kubectl shows of a recorded function."""

    def pod(one: dict[str, Any]) -> dict[str, Any]:
        metadata = {"name": one["name"], **({"deletionTimestamp": "now"} if one.get("deleting") else {})}
        return {
            "metadata": metadata,
            "status": {"conditions": one["conditions"], "containerStatuses": one.get("containers") or []},
        }

    def event(one: dict[str, Any]) -> dict[str, Any]:
        return {"involvedObject": {"name": one["object"].partition("/")[2]}, "message": one["message"]}

    events = [event(one) for one in function.get("events") or [] if one["type"] == "Warning"]
    shown: dict[str, Any] = {
        "pods": {"items": [pod(one) for one in function.get("pods") or []]},
        "events": {"items": events},
        "deployment": (function.get("objects") or {}).get("deployment") or {},
    }
    found = next((shown[word] for word in words if word in shown), None)
    return (0, json.dumps(found), "") if found is not None else (1, "", "not recorded")


def docker(function: dict[str, Any], *words: str) -> tuple[int, str, str]:
    """The same of a container."""
    inspect = function.get("inspect")
    if not isinstance(inspect, dict):
        return 1, "", str(inspect)
    return 0, json.dumps([{"Id": "c", "State": inspect["State"], "NetworkSettings": {"Ports": inspect["Ports"]}}]), ""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, Any]], Deployment]:
    """The deployment of a record's function, where the world is as it was after it."""
    monkeypatch.setenv("PATH", str(tmp_path))  # no way into the cluster from here

    def make(record: dict[str, Any]) -> Deployment:
        function = next(iter((record.get("after") or {"demo": {}}).values()))
        text = (record.get("files") or {}).get("function.yaml", "").encode() or PLAIN
        answered = function.get("http") or function.get("http_of_nuctl_port") or {}
        alive = (function.get("http_of_nuctl_port") or answered).get("status") == 200
        monkeypatch.setattr(first_request, "is_alive", lambda port: alive)
        monkeypatch.setattr(first_request, "failure", lambda target: None if alive else "a first request failed")
        inspect = partial(docker, function)
        place: Any = LocalPlace(inspect, None)
        if record["platform"] == "kube":
            place = ClusterPlace(Cluster("nuclio", partial(kubectl, function)))
        nuctl = Nuctl(record["platform"], "nuclio")
        yaml = FunctionYaml(tmp_path / "function.yaml", text)
        return Deployment(yaml, DeployOptions(bundles=[]), nuctl, inspect, place, lambda line: None)

    return make


def judged(deployment: Deployment, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.setattr(Nuctl, "delete", lambda *_, **__: Answer(0, "", ""))
    function = next(iter((record.get("after") or {"demo": {}}).values()))
    answer = Answer(record["exit_code"], record["stdout"], record["stderr"])
    return deployment._judge(answer, Serving(), state_of(function))


#: Exit code 0, and yet nothing serves.
NOT_SERVING = {
    "kube/option-replicas-zero": "disabled",
    "kube/option-disable": "disabled",
}


@pytest.mark.parametrize("key", of("deploy"))
def test_a_deploy_is_told_as_it_ended(
    key: str, told: Callable[[dict[str, Any]], Deployment], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = RECORDS[key]
    outcome = judged(told(record), record, monkeypatch)
    if record["exit_code"] == 0:
        assert (outcome.cause.id if outcome.cause else None) == NOT_SERVING.get(key)
        return
    assert outcome.cause is not None
    assert outcome.survived
    assert (outcome.cause.id == "interrupted") == (record["exit_code"] < 0)
    function = next(iter((record.get("after") or {"demo": {}}).values()))
    if answered := function.get("http"):
        serves = "serves" in outcome.survived or "the new version answers" in outcome.survived
        assert serves == (answered.get("status") == 200), outcome.survived


@pytest.mark.parametrize("key", of("by hand", "get function") + of("delete function"))
def test_what_serves_afterwards_is_seen(key: str, told: Callable[[dict[str, Any]], Deployment]) -> None:
    """`--status`: no fault exactly where CVAT's request, or the port that Nuclio names, was answered."""
    record = RECORDS[key]
    function: dict[str, Any] = next(iter((record.get("after") or {}).values()), {})
    known = function.get("http_of_nuctl_port") or function.get("http")
    if "status" not in function:
        assert not known
        return
    asked = told(record).place.look("demo", state_of(function))
    if known:
        assert (asked.cause is None) == (known.get("status") == 200), asked
    elif record["platform"] == "kube" and "pods" in function:
        ready = any({"type": "Ready", "status": "True"} in pod["conditions"] for pod in function["pods"])
        assert (asked.cause is None) == ready, asked


@pytest.mark.parametrize("key", of("get function"))
def test_a_function_s_state_is_read(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = RECORDS[key]
    answer = Answer(record["exit_code"], record["stdout"], record["stderr"])
    monkeypatch.setattr(Nuctl, "run", lambda *_, **__: answer)
    state = Nuctl(record["platform"], "nuclio").get("demo")
    if record["exit_code"] and record["stdout"].strip() not in NONE_THERE:
        assert state.trouble is not None
        assert state.trouble.id != "unknown" or record["exit_code"] < 0
    elif record["exit_code"] == 0 and "json" in record["argv"]:
        text = record["stdout"].replace("$ms", "0").replace("$seconds", "0").replace("$port", "1")
        assert State.from_json(text).state == "ready"
    else:
        assert state.state is None


@pytest.mark.parametrize("key", of("create project"))
def test_a_project_is_made_or_the_reason_is_known(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = RECORDS[key]
    answer = Answer(record["exit_code"], record["stdout"], record["stderr"])
    monkeypatch.setattr(Nuctl, "run", lambda *_, **__: answer)
    made = Nuctl(record["platform"], "nuclio").create_project("cvat")
    assert (made.exit_code == 0) == (record["exit_code"] == 0 or "already exists" in record["stderr"])
    assert made.exit_code == 0 or made.cause.id != "unknown"


@pytest.mark.parametrize("key", of("delete function"))
def test_a_refused_delete_has_its_reason(key: str) -> None:
    record = RECORDS[key]
    answer = Answer(record["exit_code"], record["stdout"], record["stderr"])
    assert answer.exit_code <= 0 or answer.cause.id != "unknown", answer.stderr


@pytest.mark.parametrize("key", of("dashboard"))
def test_the_dashboard_s_answer_is_what_cvat_makes_of_it(key: str, http_answer: Callable[[int, bytes], int]) -> None:
    record = RECORDS[key]
    if record["request"]["path"] == "/api/function_invocations":
        url = f"http://127.0.0.1:{http_answer(record['status'], record['body'].encode())}"
        labels = '[{"name": "car", "type": "rectangle"}]'
        annotations = {"name": "d", "type": "detector", "spec": labels}
        target = Target({"metadata": {"name": "demo", "annotations": annotations}, "spec": {}}, url, dashboard=url)
        target.function["spec"]["description"] = "d"
        assert (first_request.failure(target) is None) == (record["status"] == 200)
        return
    listed = (
        json.loads(record["body"].replace("$ms", "0").replace("$seconds", "0"), strict=False)
        if record["status"] == 200
        else {}
    )
    functions = listed.values() if record["request"]["path"] == "/api/functions" else [listed]
    for function in functions:
        if "status" in function:
            assert list_function(function).kind == "detector"


def test_nuctl_s_version_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = of("version")
    monkeypatch.setattr("shutil.which", lambda _: "nuctl")
    monkeypatch.setattr(Nuctl, "run", lambda *_, **__: Answer(0, RECORDS[key]["stdout"], ""))
    assert Nuctl().version == "1.14.1"


def test_every_record_is_told_or_left_out_for_a_reason() -> None:
    told = {"deploy", "get function", "create project", "delete function", "dashboard", "version", "by hand"}
    left = [key for key, record in RECORDS.items() if action(record) not in told]
    assert {action(RECORDS[key]) for key in left} <= set(LEFT_OUT)
    assert (len(RECORDS), len(left)) == (321, 40)
