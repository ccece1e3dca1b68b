"""The stand-in answers as the recorded CVAT did.

Left out are 03 and 03b (a video that lies elsewhere; tracks given to a whole task, which the tool never does) and 07,
CVAT's own job, whose result `tests/annotate/test_equality.py` compares with.
"""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import urllib3
from PIL import Image
from tests.cvat_server.cvat_place import place_at

#: Files, and the cases of them that are not compared, with the reason why.
FILES: dict[str, dict[str, str]] = {
    "02-images-task": {
        "without quality": "compressed pictures are never asked for",
        "quality=compressed": "compressed pictures are never asked for",
        "preview": "previews are never asked for",
        "labels paged": "links of pages name this server",
        "tasks.list": "the recorded server held older tasks",
    },
    "02b-frame-filter": {},
    "02c-chunks-and-segments": {},
    "04-project": {},
    "05a-annotations-in-out": {},
    "05b-tracks": {
        "first_outside": "CVAT cuts tracks that are given to a task, the stand-in does not",
        "past_end": "CVAT cuts tracks that are given to a task, the stand-in does not",
        "no_shapes": "nobody sends one",
        "unordered": "nobody sends one",
        "all good tracks": "too large to have been kept whole",
    },
    "05c-refused": {"client-side checks": "label 1 was nobody's there"},
    "05d-gt-honeypot-consensus": {},
    "05e-states-and-lost-answers": {
        "update moves a shape": "nobody sends one",
        "a track updated": "nobody sends one",
    },
    "06-auto-annotate": {},
}


#: Of 05d ground truth and consensus; no frames of such jobs, and no honeypots, whose places CVAT draws by lot.
#: Of 06 all but what somebody had drawn past the proxy.
STEPS = {
    "05d-gt-honeypot-consensus": {*range(1, 12), *range(14, 29), *range(34, 39), *range(65, 99)},
    "06-auto-annotate": {*range(1, 85)} - {18, 27, 36, 45, 71, 84},
}
#: The task of 05e was made past the proxy, with a label more.
MADE_BEFORE = {"05e-states-and-lost-answers": {"tasks": [52], "jobs": [99, 100], "labels": [240, 241]}}
#: Before these the recording's client removed all annotations past the proxy; in 05c before every case.
EMPTIED = re.compile(
    "task-level create, a shape on each frame|track [a-z_]+: create|the answer to a PATCH is lost|delete through"
)


def compared(name: str, recorded: dict[str, Any]) -> bool:
    body = recorded["request"]["body"] or {}
    cases = FILES[name]
    if name in STEPS and recorded["step"] not in STEPS[name]:
        return False
    return not {"json_too_large", "text"} & set(body) and not any(left_out in recorded["case"] for left_out in cases)


@pytest.fixture
def logged_in(standin: Any) -> dict[str, str]:
    """Of the one who owns all."""
    return log_in(standin, "annotator")


def log_in(standin: Any, user: str) -> dict[str, str]:
    """The headers of a log-in by password."""
    body = json.dumps({"username": user, "password": "secret"})
    answer = urllib3.request("POST", f"{standin.url}/api/auth/login", body=body)
    cookies = dict(cookie.split(";")[0].split("=") for cookie in answer.headers.getlist("Set-Cookie"))
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
    }


@pytest.mark.parametrize("name", FILES)
def test_standin_answers_as_recorded(
    standin: Any, logged_in: dict[str, str], recordings: Path, media: Path, name: str, helper: Any
) -> None:
    replay = helper.Replay(standin.url, logged_in, media)
    if name in MADE_BEFORE:
        make_before(standin, replay, MADE_BEFORE[name])
    count, case = 0, ""
    for recorded in helper.exchanges(recordings / "cvat-rest" / f"{name}.jsonl"):
        if recorded["case"] != case and (name == "05c-refused" or EMPTIED.match(recorded["case"])):
            empty(standin)
        case = recorded["case"]
        if compared(name, recorded):
            learn_the_only_label(standin, replay, recorded)
            assert_alike(helper, replay, recorded)
            count += 1
    assert count > 20


def make_before(standin: Any, replay: Any, numbers: dict[str, list[int]]) -> None:
    with place_at(standin.url, "annotator", "secret") as place:
        scope = place.task(name="states", labels=[{"name": "box"}, {"name": "other"}], segment_size=5)
    made = {"tasks": [scope.task_id]}
    made |= {"jobs": [job.id for job in scope.jobs], "labels": [label.id for label in scope.labels]}
    for kind, recorded in numbers.items():
        getattr(replay, kind).update(zip(recorded, made[kind], strict=True))


def empty(standin: Any) -> None:
    for task in standin.tasks.values():
        for job in task.jobs:
            job.held = {kind: [] for kind in job.held}


def learn_the_only_label(standin: Any, replay: Any, recorded: dict[str, Any]) -> None:
    match = re.match(r"/api/(tasks|jobs)/(\d+)", recorded["path"])
    if match and recorded["request"]["body"]:
        number = getattr(replay, match[1]).get(int(match[2]))
        owner = standin.tasks.get(number) if match[1] == "tasks" else standin.job(number).task
        replay.settle(owner.labels if owner else [], recorded["request"]["body"])


def assert_alike(helper: Any, replay: Any, recorded: dict[str, Any]) -> None:
    answer = replay.send(recorded)
    where = f"{recorded['scenario']} {recorded['step']} {recorded['method']} {recorded['path']}: {recorded['case']}"
    expected = recorded["response"]
    assert answer.status == expected["status"], f"{where}: {answer.data[:300]!r}"
    body = expected["body"]
    if body is None or "text" in body or "/api/requests/" in recorded["path"]:
        return  # how far the making of a task has come is a matter of time
    if "binary" in body:
        assert list(helper.summed(recorded)) == list(sums(answer.data, body["binary"])), where
        return
    found = answer.json()
    replay.learn(body["json"], found)
    assert helper.comparable(found) == replay.told(body["json"]), where


def sums(content: bytes, recorded: dict[str, Any]) -> Any:
    if "members" not in recorded:
        yield hashlib.sha256(content).hexdigest()
        return
    with zipfile.ZipFile(io.BytesIO(content)) as chunk:
        for name in chunk.namelist():
            with Image.open(io.BytesIO(chunk.read(name))) as image:
                yield f"{name} {list(image.size)} {image.format}"


def test_rights_and_errors_as_recorded(standin: Any, recordings: Path, media: Path, helper: Any) -> None:
    """08: what a stranger gets, who is then assigned to the one job; what is not there; a log-in that is over."""
    owner = log_in(standin, "annotator")
    task = made_task(standin, owner, media, helper)
    stranger = log_in(standin, "stranger")
    count = 0
    for recorded in helper.exchanges(recordings / "cvat-rest" / "08-errors.jsonl"):
        if (not 1 <= recorded["step"] <= 24 and recorded["step"] not in (50, 51)) or "lambda" in recorded["path"]:
            continue
        if recorded["step"] == 10:
            task.jobs[0].assignee = standin.users["stranger"]
        headers = stranger if recorded["step"] < 20 else owner if recorded["step"] < 50 else {}
        replay = helper.Replay(standin.url, headers, media, tasks={35: task.id}, jobs={59: task.jobs[0].id})
        replay.labels[204] = task.labels[0]["id"]
        expected, answer = recorded["response"], replay.send(recorded)
        where = f"{recorded['step']} {recorded['case']}"
        assert answer.status == expected["status"], f"{where}: {answer.data[:300]!r}"
        if expected["status"] in (401, 403, 404):
            assert answer.json() == expected["body"]["json"], where
        count += 1
    assert count == 25


def made_task(standin: Any, headers: dict[str, str], media: Path, helper: Any) -> Any:
    """As 08's: ten pictures, one label."""
    replay = helper.Replay(standin.url, headers, media)
    for recorded in helper.exchanges(media.parent / "05d-gt-honeypot-consensus.jsonl")[:4]:
        answer = replay.send(recorded)
        assert answer.status == recorded["response"]["status"]
        if answer.data:
            replay.learn(recorded["response"]["body"]["json"], answer.json())
    (task,) = standin.tasks.values()
    task.jobs = [task.jobs[0]]
    return task


def test_log_in_as_recorded(standin: Any, recordings: Path, media: Path, helper: Any) -> None:
    """01: wrong passwords, tokens, none at all, no CSRF token."""
    standin.tokens["reads"] = ("annotator", True)
    bearer = {12: "reads", 14: "nobody's"}
    cookies = log_in(standin, "annotator")
    count = 0
    for recorded in helper.exchanges(recordings / "cvat-rest" / "01-login.jsonl"):
        step, expected = recorded["step"], recorded["response"]
        if step not in (12, 14, 16, 18, 20, 21, 22, 25):
            continue
        headers = {"Authorization": f"Bearer {bearer[step]}"} if step in bearer else {}
        headers |= {"Cookie": cookies["Cookie"]} if step == 25 else {}
        answer = helper.Replay(standin.url, headers, media, tasks={1: 1}).send(recorded)
        assert (answer.status, answer.json()) == (expected["status"], expected["body"]["json"]), recorded["case"]
        count += 1
    assert count == 8
