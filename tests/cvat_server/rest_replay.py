"""Recorded exchanges sent again: numbers of the recorded server become those of the one at hand."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import urllib3

VOLATILE = {
    "url", "location", "next", "previous", "color", "svg", "data", "rq_id", "key", "description", "logo_url",
    "subtitle", "created_date", "updated_date", "chunks_updated_date", "assignee_updated_date", "last_login",
    "date_joined",
}  # fmt: skip
"""Dates, addresses and colours."""


def exchanges(path: Path) -> list[dict[str, Any]]:
    """A file's exchanges, in order."""
    return [found for line in path.read_text().splitlines() if "step" in (found := json.loads(line))]


@attrs.define
class Replay:
    """One log-in at the server at hand, and which recorded number is which of its own."""

    url: str
    headers: dict[str, str]
    media: Path
    http: urllib3.PoolManager = attrs.field(factory=lambda: urllib3.PoolManager(retries=False))
    tasks: dict[int, int] = attrs.field(factory=dict)
    jobs: dict[int, int] = attrs.field(factory=dict)
    labels: dict[int, int] = attrs.field(factory=dict)
    specs: dict[int, int] = attrs.field(factory=dict)
    projects: dict[int, int] = attrs.field(factory=dict)
    objects: dict[int, int] = attrs.field(factory=dict)

    def send(self, recorded: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        """The request again."""
        given = recorded["request"]
        body, headers = self._body(given["body"])
        headers |= self.headers
        headers |= {
            name.title(): ""
            for name in given["headers"]
            if name in ("upload-start", "upload-multiple", "upload-finish")
        }
        query = [(name, self._query(name, value)) for name, value in recorded["query"]]
        text = "&".join(f"{name}={value}" for name, value in query)
        path = self._path(recorded["path"])
        return self.http.request(recorded["method"], f"{self.url}{path}?{text}", body=body, headers=headers)

    def _path(self, path: str) -> str:
        path = re.sub(r"target_id%3D(\d+)", lambda m: f"target_id%3D{self.tasks.get(int(m[1]), m[1])}", path)
        for kind in ("tasks", "jobs", "projects"):
            known = getattr(self, kind)
            path = re.sub(rf"(?<=/api/{kind}/)\d+", lambda found: str(known.get(int(found[0]), found[0])), path)  # noqa: B023 - called at once
        return path

    def _query(self, name: str, value: str) -> Any:
        known = {"task_id": self.tasks, "job_id": self.jobs, "project_id": self.projects}.get(name, {})
        return known.get(int(value), value) if known else value

    def _body(self, body: Any) -> tuple[Any, dict[str, str]]:
        if body is None:
            return None, {}
        if "json" in body:
            return json.dumps(self._numbers(body["json"])), {"Content-Type": "application/json"}
        fields = [self._field(part) for part in body["multipart"]]
        content, kind = urllib3.encode_multipart_formdata(fields)
        return content, {"Content-Type": kind}

    def _field(self, part: dict[str, Any]) -> tuple[str, Any]:
        if "filename" not in part:
            return part["name"], part["value"]
        name = part["filename"].rpartition("/")[2]
        (file,) = [path for path in self.media.rglob("*") if path.name == name]
        return part["name"], (part["filename"], file.read_bytes(), part["content-type"])

    def _numbers(self, value: Any) -> Any:
        known = {
            "label_id": self.labels, "spec_id": self.specs, "project_id": self.projects, "task_id": self.tasks,
            "id": self.objects, "parent_job_id": self.jobs,
        }  # fmt: skip
        if isinstance(value, dict):
            return {
                key: known[key].get(each, each) if key in known and isinstance(each, int) else self._numbers(each)
                for key, each in value.items()
            }
        return [self._numbers(each) for each in value] if isinstance(value, list) else value

    def settle(self, answered: list[dict[str, Any]], recorded: Any) -> None:
        """A task of one label, whose number the recording never lists: it is the one that a request names."""
        found = re.findall(r'"label_id": (\d+)', json.dumps(recorded))
        unknown = {int(number) for number in found} - set(self.labels)
        if len(answered) == 1 and len(unknown) == 1:
            self.labels[unknown.pop()] = answered[0]["id"]

    def learn(self, recorded: Any, answered: Any) -> None:
        """Notes which number of the recording is which here."""
        if isinstance(recorded, dict) and isinstance(answered, dict):
            kind = self._kind(recorded)
            if kind is not None and isinstance(answered.get("id"), int):
                kind.setdefault(recorded["id"], answered["id"])
            for key in recorded.keys() & answered.keys():
                self.learn(recorded[key], answered[key])
        elif isinstance(recorded, list) and isinstance(answered, list):
            for one, other in zip(recorded, answered, strict=False):
                self.learn(one, other)

    def _kind(self, found: dict[str, Any]) -> dict[int, int] | None:
        url = str(found.get("url"))
        if not isinstance(found.get("id"), int):
            return None
        for kind in ("tasks", "jobs", "projects"):
            if f"/api/{kind}/" in url:
                return getattr(self, kind)
        if "has_parent" in found:
            return self.labels
        if "input_type" in found:
            return self.specs
        return self.objects if "label_id" in found else None

    def told(self, recorded: Any) -> Any:
        """A recorded answer with the numbers of here, without what differs from run to run."""
        return comparable(self._renumbered(recorded))

    def _renumbered(self, value: Any) -> Any:
        if isinstance(value, dict):
            kind = self._kind(value)
            found = {key: self._renumbered(each) for key, each in self._numbers(value).items()}
            if kind is not None:
                found["id"] = kind.get(value["id"], value["id"])
            return found
        if isinstance(value, list):
            return [self._renumbered(each) for each in value]
        if isinstance(value, str):
            return re.sub(r"`(\d+)` is invalid", lambda m: f"`{self._any(int(m[1]))}` is invalid", value)
        return value

    def _any(self, number: int) -> int:
        return self.labels.get(number) or self.specs.get(number) or number


def comparable(value: Any) -> Any:
    """Without dates, addresses and numbers of annotations; lists of annotations in an order of their own."""
    if isinstance(value, dict):
        gone = VOLATILE | ({"id"} if "label_id" in value or "keyframe" in value or "points" in value else set())
        return {key: comparable(each) for key, each in sorted(value.items()) if key not in gone and each != []}
    if isinstance(value, list):
        found = [comparable(each) for each in value]
        unordered = found and isinstance(found[0], dict) and ("label_id" in found[0] or "spec_id" in found[0])
        return sorted(found, key=repr) if unordered else found
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def summed(recorded: dict[str, Any]) -> Iterator[str]:
    """The sums of a recorded picture, or the sizes and formats of a chunk's members."""
    body = recorded["response"]["body"]["binary"]
    if "members" in body:
        yield from (f"{each['name']} {each['size']} {each['format']}" for each in body["members"])
    else:
        yield body["sha256"]
