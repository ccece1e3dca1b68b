"""Replays recorded exchanges against the model, over real HTTP."""

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from tests.cvat.state_signing import StateSigner, base62, from_base62

from cvat_nuclio.cvat import CvatError, Generation, Task, TaskLabel
from cvat_nuclio.cvat.gateway import Gateway
from cvat_nuclio.cvat.job import Job, run_job
from cvat_nuclio.cvat.listing import retrieve_function
from cvat_nuclio.cvat.payload import UNSIGNED, Signer
from cvat_nuclio.cvat.server import Server
from cvat_nuclio.cvat.storage import Store
from cvat_nuclio.cvat.task import TaskAttribute

#: By a function's id.
Signers = Callable[[str], Signer]

GENERATIONS = {"2024-07": Generation.G1, "2.54.1": Generation.G2}
FIRST_ID = 1001  # far from the small numbers that recorded answers carry as ids
TIMEOUT = 0.2
# Python 3.10 and urllib3 1.26 were recorded; later ones put the same fault in other words.
REWORDED = [
    (r"(string indices must be integers), not '\w+'", r"\1"),
    (r"http://[\w.]+(:\w+)?", "http://HOST"),
    (r"host='[\w.]+', port=\w+", "host='HOST', port=PORT"),
    (r"read timeout=[\d.]+", "read timeout=N"),
    (r"NewConnectionError\(.*?: (Failed to establish)", r"NewConnectionError(\1"),
    (r"(Connection refused)\\?[\"']", r"\1"),
]
# What the recorder's own machine put in, or what a client may choose.
OTHER_HEADERS = {"host", "user-agent", "content-length"}


def generation(vector: dict[str, Any]) -> Generation:
    """The generation of the server that was recorded."""
    return GENERATIONS[vector["cvat_version"]]


def words(text: str | None) -> str | None:
    """A message without the parts that belong to one run or one version of Python."""
    for pattern, replacement in REWORDED if text else ():
        text = re.sub(pattern, replacement, text or "")
    return text


def same_error(error: CvatError, outcome: dict[str, Any]) -> None:
    """The exception's class, its message, the HTTP status, the body, and whether CVAT handles it."""
    assert "error" in outcome, f"CVAT accepted this; the model: {error}"
    recorded = outcome["error"]
    got = (error.exception, words(error.message), error.http_status, not error.handled)
    keys = ("exception", "message", "http_status", "unhandled")
    assert got == tuple(words(recorded[k]) if k == "message" else recorded[k] for k in keys)
    if error.handled and error.exception:
        body = error.message if error.detail is None else error.detail
        assert words(json.dumps(body)) == words(json.dumps(recorded["body"]))


@attrs.frozen
class RecordedTask:
    """A task of `tasks.json`: labels with ids of our own, frames that say which one they are."""

    task: Task
    files: list[str]
    segment: list[int] | None

    def placeholders(self) -> dict[str, dict[int, str]]:
        """Our ids → the recorder's `$label:NAME` and `$attr:NAME`."""
        names: dict[str, dict[int, str]] = {"label_id": {}, "spec_id": {}}
        for label, prefix in _labels(self.task.labels):
            names["label_id"][label.id] = f"$label:{prefix}{label.name}"
            names["spec_id"] |= {a.id: f"$attr:{a.name}" for a in label.attributes}
        return names

    def hide(self, value: Any) -> Any:
        """Our ids as placeholders, as the recorder wrote them."""
        return _substitute(value, self._hidden, self.placeholders())

    def reveal(self, value: Any) -> Any:
        """Placeholders as our ids."""
        names = self.placeholders()
        ids = {key: {name: number for number, name in named.items()} for key, named in names.items()}
        return _substitute(value, lambda key, item, ids: ids.get(key, {}).get(item, item), ids)

    @staticmethod
    def _hidden(key: str, item: Any, names: dict[str, dict[int, str]]) -> Any:
        if type(item) is not int:
            return item
        if key == "id":
            return "$id"
        return names[key].get(item, f"$label:?{item}") if key in names else item


def _labels(labels: tuple[TaskLabel, ...], prefix: str = "") -> Iterator[tuple[TaskLabel, str]]:
    for label in labels:
        yield label, prefix
        yield from _labels(label.sublabels, f"{prefix}{label.name}.")


def _substitute(value: Any, substitute: Any, names: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _substitute(v, substitute, names, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_substitute(item, substitute, names, "") for item in value]
    return substitute(key, value, names) if isinstance(value, int | str) else value


def recorded_task(tasks: dict[str, Any], call: dict[str, Any]) -> RecordedTask:
    """The task that a vector's call names."""
    recorded = tasks[call["task"]]
    ids = itertools.count(FIRST_ID)
    labels = tuple(_label(label, ids) for label in recorded["labels"])
    task = Task(labels, recorded["size"], lambda frame: f"frame {frame}".encode())
    size = recorded["spec"].get("segment_size", recorded["size"])
    segment = list(range(size)) if "job" in call["body"] else None
    return RecordedTask(task, [file["sha256"] for file in recorded["files"]], segment)


def _label(label: dict[str, Any], ids: Iterator[int]) -> TaskLabel:
    attributes = tuple(
        TaskAttribute(next(ids), a["name"], a["input_type"], tuple(a["values"]), a["default_value"])
        for a in label["attributes"]
    )
    sublabels = tuple(_label(sublabel, ids) for sublabel in label.get("sublabels", ()))
    return TaskLabel(next(ids), label["name"], label.get("type", "any"), attributes, sublabels)


@attrs.define
class Replayed:
    """What the model made of a vector."""

    result: Any = None
    error: CvatError | None = None
    job: Job | None = None


def answers_of(vector: dict[str, Any]) -> list[dict[str, Any]]:
    """The function's recorded answers in order."""
    if vector.get("exchanges"):
        return [exchange["response"] for exchange in vector["exchanges"]]
    return [] if vector["response"] is None else [vector["response"]]


def run(vector: dict[str, Any], recorded: RecordedTask, nuclio: Any, signer: Signers | None = None) -> Replayed:
    """Makes the vector's REST call against the stand-in, which answers as recorded."""
    nuclio.reset(answers_of(vector), {"/api/functions": {"status": 200, "body": {"some": {}}}})
    delayed = any(answer.get("delay_seconds") for answer in nuclio.answers)
    via_dashboard = (vector["request_line"] or "").endswith("function_invocations")
    refused = vector["id"].split("@")[0].split(".")[2:3] == ["refused"]
    timeout: dict[str, Any] = {"timeout": TIMEOUT} if delayed else {}
    gateway = Gateway(
        generation(vector),
        nuclio.url,
        via_dashboard=via_dashboard,
        host="127.0.0.1",
        function_url=None if via_dashboard else ("http://127.0.0.1:9" if refused else nuclio.url),
        **timeout,
    )
    replayed = Replayed()
    call = vector["call"]
    try:
        function = retrieve_function(vector["function"], generation(vector))
        server = Server(generation(vector), gateway, signer(function.id) if signer else UNSIGNED)
        if call["mode"] == "batch":
            store = Store(recorded.task)
            before = recorded.reveal(call.get("annotations_before"))
            if before:
                store.annotations = in_database_order(before, recorded.task)
            frames = recorded.segment
            replayed.job = run_job(server, function, store, call["body"], frames)
        else:
            replayed.result = server.call(function, recorded.task, recorded.reveal(call["body"]), recorded.segment)
    except CvatError as error:
        replayed.error = error
    return replayed


def check(vector: dict[str, Any], tasks: dict[str, Any], nuclio: Any, signer: Signers | None = None) -> None:
    """Replays one vector and compares the requests sent and the outcome."""
    recorded = recorded_task(tasks, vector["call"])
    if "deleted_frame" in vector["id"]:
        recorded = attrs.evolve(recorded, task=attrs.evolve(recorded.task, deleted=frozenset({1})))
    replayed = run(vector, recorded, nuclio, signer)
    check_requests(vector, recorded, nuclio)
    outcome = vector["outcome"]
    if replayed.job is not None:
        check_job(replayed.job, outcome, recorded)
    elif replayed.error is not None:
        same_error(replayed.error, outcome)
    else:
        assert "accepted" in outcome, f"CVAT refused this; the model: {replayed.result}"
        assert outcome["accepted"]["http_status"] == 200
        same(recorded.hide(replayed.result), outcome["accepted"]["body"])


def check_requests(vector: dict[str, Any], recorded: RecordedTask, nuclio: Any) -> None:
    """The number of calls, and the line, headers and body of each."""
    exchanges = vector.get("exchanges") or ([vector] if vector["request_line"] else [])
    calls = [call for call in nuclio.seen if call["request_line"].startswith("POST")]
    assert len(calls) == len(exchanges)
    for call, exchange in zip(calls, exchanges, strict=True):
        assert call["request_line"] == exchange["request_line"]
        assert _headers(call) == _headers(exchange)
        images = exchange["request"]
        same(_with_images(recorded.hide(call["request"]), images, vector, recorded), images)


def _headers(exchange: dict[str, Any]) -> dict[str, str]:
    named = {name.lower(): value for name, value in exchange["request_headers"].items()}
    return {name: value for name, value in named.items() if name not in OTHER_HEADERS}


def _with_images(sent: Any, expected: Any, vector: dict[str, Any], recorded: RecordedTask) -> Any:
    """The frame that was sent as the recorded placeholder, if it is the recorded frame.

    The pictures themselves are not in the recordings, only their digests. A picture that CVAT re-encodes has
    another digest than its file: `test_frames.py` looks at those.
    """
    sent = dict(sent)
    for name in ("image", "image0", "image1"):
        if name in sent:
            frame = int(base64.b64decode(sent[name]).decode().removeprefix("frame "))
            picture = expected[name]["$image"]
            reencoded = vector.get("image_bytes_equal_source_file") is False or "compressed" in vector["id"]
            assert reencoded or picture["sha256"] == recorded.files[frame]
            sent[name] = expected[name]
    return sent


def check_job(job: Job, outcome: dict[str, Any], recorded: RecordedTask) -> None:
    """The job's end, its log, its progress and what the task holds."""
    if job.error is None:
        accepted = {"http_status": 200, "job_status": "finished", "stored": recorded.hide(in_label_order(job.stored))}
        same({"accepted": accepted}, outcome)
        return
    assert "error" in outcome, f"CVAT accepted this; the model: {job.error}"
    error = {key: value for key, value in outcome["error"].items() if key != "raised_in"}
    error["message"] = words(error["message"])
    got = {
        "exception": job.error.exception,
        "message": words(job.error.job_message),
        "http_status": 200,
        "where": "rq job",
        "job_status": job.status,
        "progress": job.progress,
        "stored": recorded.hide(in_label_order(job.stored)),
    }
    assert got == error


def in_label_order(value: Any) -> Any:
    """Attributes in the order of the label, as the recorder sorted those of stored annotations."""
    if isinstance(value, dict):
        return {key: in_label_order(item) for key, item in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict) and "spec_id" in value[0]:
        return sorted(value, key=lambda attribute: attribute["spec_id"])
    return [in_label_order(item) for item in value] if isinstance(value, list) else value


def in_database_order(annotations: dict[str, Any], task: Task) -> dict[str, Any]:
    """Attributes that were given before those that CVAT filled in, which have the task's default."""
    defaults = {a.id: a.default_value for label in task.labels for a in label.attributes}
    for shape in annotations["shapes"]:
        shape["attributes"].sort(key=lambda a: a["value"] == defaults[a["spec_id"]])
    return annotations


def same(got: Any, recorded: Any) -> None:
    """Equality, with the recorder's shortened lists and texts measured instead."""
    if isinstance(recorded, dict) and "$long_list" in recorded:
        long = recorded["$long_list"]
        digest = hashlib.sha256(json.dumps(got).encode()).hexdigest()
        assert (len(got), got[:12], got[-8:]) == (long["length"], long["head"], long["tail"])
        assert digest == long["sha256_of_json"]
    elif isinstance(recorded, dict) and "$long_str" in recorded:
        same_text(got, recorded["$long_str"])
    elif isinstance(recorded, dict) and isinstance(got, dict):
        assert got.keys() == recorded.keys()
        for key, value in recorded.items():
            same(got[key], value)
    elif isinstance(recorded, list) and isinstance(got, list):
        assert len(got) == len(recorded)
        for item, value in zip(got, recorded, strict=True):
            same(item, value)
    elif isinstance(got, str) and isinstance(recorded, str) and got.count(":") >= 2 and got != recorded:
        assert unsigned(got) == unsigned(recorded)
    else:
        assert got == recorded
        assert isinstance(got, bool) == isinstance(recorded, bool)


def same_text(got: str, long: dict[str, Any]) -> None:
    """A long text; of a signed state the signature differs."""
    assert len(got) == long["length"]
    assert got.startswith(long["head"])
    if hashlib.sha256(got.encode()).hexdigest() != long["sha256"]:
        assert unsigned(got).endswith(unsigned(long["tail"]))


def lengthened(value: Any) -> Any:
    """Shortened texts as they were: a long run of one letter between head and tail."""
    if isinstance(value, list):
        return [lengthened(item) for item in value]
    if isinstance(value, dict) and "$long_str" in value:
        long = value["$long_str"]
        return long["head"] + "A" * (long["length"] - len(long["head"] + long["tail"])) + long["tail"]
    return {key: lengthened(item) for key, item in value.items()} if isinstance(value, dict) else value


def unsigned(signed: str) -> str:
    """What a signed state says, without its signature."""
    return signed.rpartition(":")[0]


@attrs.define
class Signatures:
    """Signs anew what the recorded server had signed: its secret is not in the recordings.

    A state is genuine if a recorded answer issued it or if the recorded server accepted it; any other is left as it
    is, so that our signer does not know it either. The clock of a replay is that of the recorded answer.
    """

    issued: dict[str, str] = attrs.field(factory=dict)
    now: int = 0

    @classmethod
    def before(cls, vector: dict[str, Any], vectors: list[dict[str, Any]]) -> "Signatures":
        """Everything issued up to and with this vector."""
        signatures = cls()
        for earlier in vectors:
            if earlier["cvat_version"] == vector["cvat_version"]:
                signatures._take(earlier)
            if earlier["id"] == vector["id"]:
                return signatures
        raise LookupError(vector["id"])

    def _take(self, vector: dict[str, Any]) -> None:
        body = vector["outcome"].get("accepted", {}).get("body")
        states = body.get("states") if isinstance(body, dict) else None
        for state in states if isinstance(states, list) else []:
            text = state["$long_str"]["tail"] if isinstance(state, dict) and "$long_str" in state else state
            if isinstance(text, str) and text.count(":") >= 2:
                self.issued[text] = vector["function"]["metadata"]["name"]
                self.now = max(self.now, from_base62(text.split(":")[-2]))

    def resigned(self, vector: dict[str, Any]) -> dict[str, Any]:
        """The vector with the genuine states of its call signed by us."""
        states = vector["call"]["body"].get("states")
        if not states:
            return vector
        if generation(vector) is Generation.G1:
            body = vector["call"]["body"] | {"states": lengthened(states)}
            return vector | {"call": vector["call"] | {"body": body}}
        accepted = "accepted" in vector["outcome"]
        own = vector["function"]["metadata"]["name"]
        body = vector["call"]["body"] | {"states": [self._resign(s, own, accepted) for s in states]}
        return vector | {"call": vector["call"] | {"body": body}}

    def _resign(self, state: Any, own: str, accepted: bool) -> Any:
        if isinstance(state, dict):
            return self._signed(lengthened(state), own)
        if state in self.issued:
            return self._signed(state, self.issued[state])
        return self._signed(state, own) if accepted and state is not None else state

    def _signed(self, state: str, function_id: str) -> str:
        text, stamp, _ = state.rsplit(":", 2)
        made = from_base62(stamp)
        assert base62(made) == stamp
        return StateSigner(function_id, "secret", lambda: made).sign(json.loads(text))

    def signer(self, vector: dict[str, Any]) -> Signers:
        """By a function's id: our secret, the recorded clock."""
        own = Signatures()
        own._take(vector)
        now = own.now or self.now
        return lambda function_id: StateSigner(function_id, "secret", lambda: now)


def _answered(recorded: dict[str, Any]) -> dict[str, Any]:
    """Some gateway vectors note the body alone."""
    return recorded if "status" in recorded else {"status": 200, "body": recorded}


def check_gateway(vector: dict[str, Any], nuclio: Any, good: dict[str, Any]) -> None:
    """The vectors in which Nuclio's dashboard itself misbehaves."""
    response = vector["response"]
    missing = {"status": 404, "body": {}}
    paths = {
        "/api/functions": _answered(response["list"] or {"good": good}),
        "/api/functions/nope": response["get"] or missing,
    }
    nuclio.reset([], paths)
    gateway = Gateway(generation(vector), nuclio.url, timeout=TIMEOUT if "timeout" in vector["id"] else 120)
    try:
        listed = gateway.get("nope")
    except CvatError as error:
        same_error(error, vector["outcome"])
    else:
        raise AssertionError(f"listed: {listed}")
    try:
        functions = gateway.list()
    except CvatError as error:
        same_error(error, vector["outcome_list"])
    else:
        body = [function.to_dict() for function in functions]
        assert vector["outcome_list"] == {"accepted": {"http_status": 200, "body": body}}
