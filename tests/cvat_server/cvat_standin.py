"""A CVAT 2.73 that answers as the recorded one did: log-in, tasks, frames, annotations, over real HTTP.

`tests/cvat_server/test_standin.py` replays the recordings against it. What it does not do it says with HTTP 501.
"""

import contextlib
import email
import email.policy
import json
import re
import secrets
import threading
import traceback
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
from tests.cvat_server.standin_annotations import KINDS, Bad, Labels, Numbers, given_back
from tests.cvat_server.standin_tasks import WHEN, Job, NotFound, Task, remove, update

PAGE = 10
FORBIDDEN = "You do not have permission to perform this action."
ABSENT = "Authentication credentials were not provided."


@attrs.define
class Trouble:
    """What befalls requests of a method and path: an HTTP status, "drop" before the work, or "lose" after it."""

    method: str
    path: str
    what: int | str
    times: int = 1


@attrs.frozen
class Answer:
    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class CvatStandin(ThreadingHTTPServer):
    """`seen` lists the requests as "METHOD path?query"; `troubles` befall them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, version: str = "2.73.0", port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.version = version
        self.lock = threading.RLock()
        self.numbers = Numbers()
        self.passwords = {"annotator": "secret", "stranger": "secret"}
        self.users = {name: self._user(number, name) for number, name in enumerate(self.passwords, start=2)}
        self.sessions: dict[str, tuple[str, str]] = {}
        self.tokens: dict[str, tuple[str, bool]] = {}
        self.projects: dict[int, dict[str, Any]] = {}
        self.tasks: dict[int, Task] = {}
        self.troubles: list[Trouble] = []
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def _user(self, number: int, name: str) -> dict[str, Any]:
        return {
            "url": f"{self.url}/api/users/{number}", "id": number, "username": name, "first_name": "", "last_name": "",
        }  # fmt: skip

    def job(self, number: int) -> Job:
        for task in self.tasks.values():
            for job in task.jobs:
                if job.id == number:
                    return job
        raise NotFound({"detail": "No Job matches the given query."})

    def task(self, number: int) -> Task:
        if number not in self.tasks:
            raise NotFound({"detail": "No Task matches the given query."})
        return self.tasks[number]

    def trouble(self, method: str, path: str, what: int | str, times: int = 1) -> Trouble:
        """The next such requests meet it."""
        self.troubles.append(Trouble(method, path, what, times))
        return self.troubles[-1]

    def befalls(self, method: str, path: str) -> int | str | None:
        """The trouble of this request, which is then over once more."""
        with self.lock:
            for trouble in self.troubles:
                if trouble.times and trouble.method == method and re.search(trouble.path, path):
                    trouble.times -= 1
                    return trouble.what
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


@contextlib.contextmanager
def running(version: str = "2.73.0", port: int = 0) -> Iterator[CvatStandin]:
    server = CvatStandin(version, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@attrs.define
class Request:
    server: CvatStandin
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    content: bytes
    user: str = ""

    @property
    def json(self) -> Any:
        def refuse(name: str) -> Any:
            text = f"JSON parse error - Out of range float values are not JSON compliant: '{name}'"
            raise Bad({"detail": text})

        return json.loads(self.content or b"{}", parse_constant=refuse)

    def log_in(self) -> Answer | None:
        """None where the user is known."""
        bearer = self.headers.get("Authorization", "")
        if bearer:
            token = self.server.tokens.get(bearer.removeprefix("Bearer "))
            if token is None:
                return Answer(401, {"detail": "Invalid token."})
            self.user, read_only = token
            return Answer(403, {"detail": FORBIDDEN}) if read_only and self.method != "GET" else None
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        session = cookies.get("sessionid")
        if session is None or session.value not in self.server.sessions:
            return Answer(401, {"detail": ABSENT})
        self.user, csrf = self.server.sessions[session.value]
        if self.method != "GET" and self.headers.get("X-CSRFToken") != csrf:
            told = "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."
            return Answer(403, {"detail": told})
        return None

    def may(self, task: Task, job: Job | None = None) -> bool:
        mine = job is not None and job.assignee is not None and job.assignee["username"] == self.user
        return task.owner["username"] == self.user or mine


Route = Callable[..., Answer]
ROUTES: list[tuple[str, re.Pattern[str], Route, bool]] = []


def route(method: str, path: str, *, public: bool = False) -> Callable[[Route], Route]:
    """The path may end with a slash."""

    def add(function: Route) -> Route:
        ROUTES.append((method, re.compile(f"/api/{path}/?"), function, public))
        return function

    return add


class _Handler(BaseHTTPRequestHandler):
    server: CvatStandin
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        trouble = self.server.befalls(self.command, self.path)
        if trouble == "drop":
            self.close_connection = True
            return
        if isinstance(trouble, int):
            self._send(Answer(trouble, f"<html><title>{trouble} by the proxy</title></html>"))
            return
        answer = self._answer(content)
        if trouble == "lose":
            self.close_connection = True
            return
        self._send(answer)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle

    def _answer(self, content: bytes) -> Answer:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        request = Request(self.server, self.command, path, dict(parse_qsl(parts.query)), self.headers, content)
        for method, pattern, function, public in ROUTES:
            match = pattern.fullmatch(path)
            if method == self.command and match:
                with self.server.lock:
                    refusal = None if public and not request.headers.get("Authorization") else request.log_in()
                return refusal or self._called(function, request, *match.groups())
        return Answer(501, "the stand-in does not know this")

    def _called(self, function: Route, request: Request, *parts: str) -> Answer:
        try:
            with self.server.lock:
                return function(request, *(int(part) if part.isdecimal() else part for part in parts))
        except Bad as error:
            return Answer(400, error.body)
        except NotFound as error:
            return Answer(404, error.args[0])
        except PermissionError:
            return Answer(403, {"detail": FORBIDDEN})
        except NotImplementedError as error:
            return Answer(501, str(error))
        except Exception:
            return Answer(500, f"the stand-in is broken: {traceback.format_exc()}")

    def _send(self, answer: Answer) -> None:
        body, kind = b"", "application/vnd.cvat+json"
        if isinstance(answer.body, bytes):
            body, kind = answer.body, "application/octet-stream"
        elif isinstance(answer.body, str) and answer.body.startswith("<"):
            body, kind = answer.body.encode(), "text/html"
        elif answer.body is not None:
            body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *answer.headers):
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n" + body)  # type: ignore[attr-defined]  # in one piece: two would wait for each other
        self.flush_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


# log-in


@route("GET", "server/about", public=True)
def about(request: Request) -> Answer:
    return Answer(200, {"name": "Computer Vision Annotation Tool", "version": request.server.version})


@route("POST", "auth/login", public=True)
def login(request: Request) -> Answer:
    given = request.json
    if request.server.passwords.get(given["username"]) != given["password"]:
        raise Bad({"non_field_errors": ["Unable to log in with provided credentials."]})
    session, csrf = secrets.token_hex(16), secrets.token_hex(16)
    request.server.sessions[session] = (given["username"], csrf)
    cookies = (f"csrftoken={csrf}; Path=/; SameSite=Lax", f"sessionid={session}; HttpOnly; Path=/; SameSite=Lax")
    return Answer(200, {"key": "key"}, tuple(("Set-Cookie", cookie) for cookie in cookies))


@route("POST", "auth/logout")
def logout(request: Request) -> Answer:
    return Answer(200, {"detail": "Successfully logged out."})


@route("POST", "auth/access_tokens")
def create_token(request: Request) -> Answer:
    value = secrets.token_hex(16)
    request.server.tokens[value] = (request.user, bool(request.json.get("read_only")))
    return Answer(201, {"id": len(request.server.tokens), "value": value, **request.json})


@route("GET", "users/self")
def myself(request: Request) -> Answer:
    found = {"groups": ["user"], "is_staff": False, "is_superuser": False, "is_active": True}
    found |= {"email": f"{request.user}@example.com", "last_login": WHEN, "date_joined": WHEN}
    return Answer(200, {**request.server.users[request.user], **found, "has_analytics_access": False})


# lists


def paged(request: Request, path: str, results: list[Any]) -> Answer:
    size, page = int(request.query.get("page_size", PAGE)), int(request.query.get("page", 1))
    pages = max(-(-len(results) // size), 1)
    if not 1 <= page <= pages:
        raise NotFound({"detail": "Invalid page."})

    def link(number: int) -> str | None:
        return f"{request.server.url}/api/{path}?page={number}" if 1 <= number <= pages else None

    part = results[(page - 1) * size : page * size]
    return Answer(200, {"count": len(results), "next": link(page + 1), "previous": link(page - 1), "results": part})


@route("GET", "labels")
def labels(request: Request) -> Answer:
    if "project_id" in request.query:
        return paged(request, "labels", request.server.projects[int(request.query["project_id"])]["labels"])
    if "job_id" in request.query:
        job = request.server.job(int(request.query["job_id"]))
        task = job.task
        allowed = request.may(task, job)
    else:
        number = int(request.query["task_id"])
        if number not in request.server.tasks:
            return Answer(500, "<html><title>Server Error (500)</title></html>")
        task = request.server.tasks[number]
        allowed = request.may(task)
    if not allowed:
        raise PermissionError
    return paged(request, "labels", task.labels)


@route("GET", "jobs")
def jobs(request: Request) -> Answer:
    task = request.server.tasks.get(int(request.query["task_id"]))
    found = [job for job in task.jobs if request.may(task, job)] if task else []
    unnamed = {} if task and request.may(task) else {"task_name": None}
    return paged(request, "jobs", [job.json() | unnamed for job in reversed(found)])


@route("GET", "tasks")
def tasks(request: Request) -> Answer:
    found = [task for task in request.server.tasks.values() if request.may(task)]
    if "project_id" in request.query:
        found = [task for task in found if task.project_id == int(request.query["project_id"])]
    return paged(request, "tasks", [task.json() for task in reversed(found)])


# making them


@route("POST", "projects")
def create_project(request: Request) -> Answer:
    number = request.server.numbers.next("projects")
    made = [_label(request.server.numbers, raw, "project", number) for raw in request.json.get("labels", [])]
    request.server.projects[number] = {"id": number, "name": request.json["name"], "labels": made}
    return Answer(201, _project(request, number))


@route("GET", r"projects/(\d+)")
def project(request: Request, number: int) -> Answer:
    if number not in request.server.projects:
        raise NotFound({"detail": "No Project matches the given query."})
    return Answer(200, _project(request, number))


def _project(request: Request, number: int) -> dict[str, Any]:
    url, found = request.server.url, request.server.projects[number]
    tasks = [task for task in request.server.tasks.values() if task.project_id == number]
    return {
        "url": f"{url}/api/projects/{number}", "id": number, "name": found["name"],
        "owner": request.server.users[request.user], "assignee": None, "guide_id": None, "bug_tracker": "",
        "created_date": WHEN, "updated_date": WHEN, "status": "annotation",
        "dimension": tasks[0].dimension if tasks else None, "organization": None, "organization_id": None,
        "target_storage": None, "source_storage": None,
        "tasks": {"count": len(tasks), "url": f"{url}/api/tasks?project_id={number}"},
        "labels": {"url": f"{url}/api/labels?project_id={number}"}, "assignee_updated_date": None,
        "task_subsets": sorted({task.subset for task in tasks} - {""}),
    }  # fmt: skip


@route("POST", "tasks")
def create_task(request: Request) -> Answer:
    server, wishes = request.server, request.json
    number = server.numbers.next("tasks")
    project_id, own = wishes.get("project_id"), wishes.get("labels", [])
    if project_id and own:
        raise Bad(["Task must have only one of Label set or project_id"])
    project = server.projects[project_id] if project_id else {"labels": [], "name": None}
    server.tasks[number] = Task(
        number, server.url, wishes["name"], server.users[request.user],
        project["labels"] or [_label(server.numbers, raw, "task", number) for raw in own],
        wishes.get("segment_size", 0), wishes.get("overlap"), wishes.get("consensus_replicas", 0),
        project_id, project["name"], wishes.get("subset", ""),
    )  # fmt: skip
    return Answer(201, server.tasks[number].json())


def _label(numbers: Numbers, raw: dict[str, Any], owner: str, number: int) -> dict[str, Any]:
    made: dict[str, Any] = {"id": numbers.next("labels"), "name": raw["name"], "color": raw.get("color", "#208080")}
    made["attributes"] = [
        {
            "id": numbers.next("attributes"), "name": each["name"], "mutable": each["mutable"],
            "input_type": each["input_type"], "values": each["values"],
            "default_value": each.get("default_value", each["values"][0] if each["values"] else ""),
        }
        for each in raw.get("attributes", [])
    ]  # fmt: skip
    made["type"] = raw.get("type", "any")
    made["sublabels"] = [_label(numbers, each, "", 0) for each in raw.get("sublabels", [])]
    made |= {"svg": raw["svg"]} if "svg" in raw else {}
    if not owner:
        del made["sublabels"]
        return made | {"has_parent": True, "sublabels": []}
    return made | {f"{owner}_id": number, "parent_id": None, "has_parent": False}


@route("POST", r"tasks/(\d+)/data")
def upload(request: Request, number: int) -> Answer:
    task = request.server.task(number)
    if "Upload-Start" in request.headers:
        return Answer(202)
    if "Upload-Multiple" in request.headers:
        task.files |= _files(request)
        return Answer(200)
    task.take_in(request.json, request.server.numbers)
    return Answer(202, {"rq_id": f"action=create&target=task&target_id={number}"})


def _files(request: Request) -> dict[str, bytes]:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.content, policy=email.policy.HTTP)
    found: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_filename()
        content = part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            found[name.rpartition("/")[2]] = content
    return found


@route("GET", r"requests/(.+)")
def background(request: Request, name: str) -> Answer:
    number = int(name.rpartition("=")[2])
    operation = {"type": "create:task", "target": "task", "project_id": None, "task_id": number, "job_id": None}
    operation |= {"org_id": None, "format": None, "lightweight": None}
    owner = {key: request.server.users[request.user][key] for key in ("id", "username")}
    return Answer(
        200,
        {
            "status": "finished", "message": "", "id": name, "operation": operation, "progress": 0.0,
            "created_date": WHEN, "started_date": WHEN, "finished_date": WHEN, "expiry_date": WHEN, "owner": owner,
            "result_url": None, "result_id": None,
        },
    )  # fmt: skip


@route("POST", "jobs")
def create_job(request: Request) -> Answer:
    wishes = request.json
    task = request.server.task(wishes["task_id"])
    frames = frozenset(wishes.get("frames") or range(wishes["frame_count"]))
    job = Job(request.server.numbers.next("jobs"), task, range(len(task.frames)), "ground_truth", only=frames)
    task.jobs.append(job)
    return Answer(201, job.json())


# one task, one job


def _open(request: Request, kind: str, number: int) -> tuple[Task, list[Job]]:
    """The task, and the jobs that annotations go to."""
    job = request.server.job(number) if kind == "jobs" else None
    task = job.task if job else request.server.task(number)
    if not request.may(task, job):
        raise PermissionError
    return task, [job] if job else task.annotation_jobs


@route("GET", r"(tasks|jobs)/(\d+)")
def retrieve(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    if kind == "tasks":
        return Answer(200, task.json())
    return Answer(200, jobs[0].json() if request.may(task) else jobs[0].json() | {"task_name": None})


@route("PATCH", r"tasks/(\d+)")
def change_task(request: Request, number: int) -> Answer:
    """Its name alone."""
    task, _ = _open(request, "tasks", number)
    task.name = request.json.get("name", task.name)
    return Answer(200, task.json())


@route("PATCH", r"jobs/(\d+)")
def change_job(request: Request, number: int) -> Answer:
    _, (job,) = _open(request, "jobs", number)
    for key, value in request.json.items():
        if key == "assignee":
            job.assignee = next(user for user in request.server.users.values() if user["id"] == value)
        else:
            job.state[key] = value
    if job.state["state"] == "completed" and job.state["stage"] == "acceptance":
        job.state["status"] = "completed"
    return Answer(200, job.json())


@route("GET", r"(tasks|jobs)/(\d+)/data/meta")
def meta(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    return Answer(200, jobs[0].meta() if kind == "jobs" else task.meta())


@route("PATCH", r"tasks/(\d+)/data/meta")
def change_meta(request: Request, number: int) -> Answer:
    task, _ = _open(request, "tasks", number)
    task.delete_frames(request.json["deleted_frames"])
    return Answer(200, task.meta())


@route("GET", r"(tasks|jobs)/(\d+)/data")
def data(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    if not task.frames:
        raise NotFound("Task has no media")
    if request.query.get("quality") != "original" and not task.is_video:
        raise NotImplementedError("compressed pictures")
    frames = jobs[0].frames if kind == "jobs" else range(len(task.frames))
    wanted = request.query
    if wanted["type"] == "frame":
        return Answer(200, task.picture(_frame(int(wanted["number"]), frames, kind)))
    if "index" in wanted:
        first, chunks = frames.start, range(-(-len(frames) // task.chunk_size))
    else:
        first, chunks = 0, range(frames.start // task.chunk_size, (frames.stop - 1) // task.chunk_size + 1)
    which = int(wanted.get("index") or wanted["number"])
    if which not in chunks:
        rest = f"The chunk number should be in the [{chunks.start}, {chunks.stop - 1}] range"
        raise Bad(f"Invalid chunk number '{which}'. {rest}")
    start = first + which * task.chunk_size
    return Answer(200, task.chunk(range(max(start, frames.start), min(start + task.chunk_size, frames.stop))))


def _frame(number: int, frames: range, kind: str) -> int:
    if number in frames:
        return number
    if kind == "jobs":
        raise Bad(f"Incorrect requested frame number: {number}")
    raise Bad(f"Invalid frame '{number}'. The frame number should be in the [0, {frames.stop}] range")


@route("GET", r"(tasks|jobs)/(\d+)/annotations")
def annotations(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    if kind == "tasks":
        return Answer(200, task.annotations())
    return Answer(200, given_back(jobs[0].held, Labels.of(task.labels)))


@route("PATCH", r"(tasks|jobs)/(\d+)/annotations")
def change_annotations(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    match request.query.get("action"):
        case "create":
            if kind == "tasks" and len(task.jobs) > 1 and request.json.get("tracks"):
                raise NotImplementedError("tracks cut at the borders of jobs")
            made = task.create(jobs, request.json, request.server.numbers, drop=kind == "tasks")
            return Answer(200, made)
        case "delete":
            return Answer(200, remove(jobs, request.json))
        case "update":
            return Answer(200, update(jobs, request.json))
    raise Bad(["Please specify a correct 'action' for the request"])


@route("PUT", r"(tasks|jobs)/(\d+)/annotations")
def put_annotations(request: Request, kind: str, number: int) -> Answer:
    task, jobs = _open(request, kind, number)
    before = [job.held for job in jobs]
    for job in jobs:
        job.held = {each: [] for each in KINDS}
    try:
        return Answer(200, task.create(jobs, request.json, request.server.numbers, drop=kind == "tasks"))
    except Bad:
        for job, held in zip(jobs, before, strict=True):
            job.held = held
        raise


@route("DELETE", r"(tasks|jobs)/(\d+)/annotations")
def delete_annotations(request: Request, kind: str, number: int) -> Answer:
    for job in _open(request, kind, number)[1]:
        job.held = {each: [] for each in KINDS}
    return Answer(204)
