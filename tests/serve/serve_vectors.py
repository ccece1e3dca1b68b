"""The recordings of the real processor: loading, placeholders, tracebacks, comparison."""

import importlib.metadata
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nuclio_sdk

from cvat_nuclio.serve.child import SCRIPT
from cvat_nuclio.serve.nuclio_home import WRAPPER

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
#: Under another Python its own library and what is installed into it are other code: their frames, and its words of
#: warning, say nothing of ours there.
RECORDED_WITH = (3, 11)
OTHERS = ("$wrapper", "msgpack/", *(() if sys.version_info[:2] == RECORDED_WITH else ("$pyhome", "$venv")))
DEFAULT_CONFIG = """\
metadata:
  name: vec
  namespace: nuclio
spec:
  handler: main:handler
  runtime: "python:3.11"
  triggers:
    http:
      kind: http
      url: "127.0.0.1:$port"
      numWorkers: 1
      workerTerminationTimeout: 1s
"""
# Longest first: "$n" is the beginning of others.
PATTERNS = {
    "$dump_of_the_event": r"[\s\S]*",
    "$errVerbose": r"[\s\S]*",
    "$unix_ms": r"\d+",
    "$logger": r"\S+",
    "$stack": r"[\s\S]*",
    "$addr": r"0x[0-9a-f]+",
    "$uuid": r"[0-9a-f-]{36}",
    "$time": r"[\d :,.TZ-]+",
    "$now": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
    "$sock": r"\S+",
    "$pid": r"\d+",
    "$port": r"\d+",
    "$n": r"-?\d+",
}
PLACEHOLDER = re.compile("|".join(re.escape(name) for name in sorted(PATTERNS, key=len, reverse=True)))
FRAME = re.compile(r'  File "([^"]+)", line (?:\d+|\$n), in [^\n]*\n(?:    [^\n]*\n)*')
LINE = re.compile(r'(  File "(?!\$fn)[^"]+", line )(?:\d+|\$n)')
REPEATED = re.compile(r"Previous line repeated \d+ more")
WARNING = re.compile(r"(\$wrapper:)(?:\d+|\$n)(: RuntimeWarning: [^\n]*)\n  [^\n]*")


@dataclass(frozen=True)
class Vector:
    """One recording for one version. `fields` is the JSON object."""

    file: str
    version: str
    fields: dict[str, Any]

    @property
    def id(self) -> str:
        """The recording's id."""
        return str(self.fields["id"])

    @property
    def name(self) -> str:
        """The id of the test."""
        sdk = f"-sdk{self.fields['sdk']}" if "sdk" in self.fields else ""
        return f"{self.id}-{self.version}{sdk}"

    @property
    def nuclio(self) -> str:
        """The version as `--nuclio` has it."""
        return self.version.rpartition(".")[0]

    @property
    def outcome(self) -> dict[str, Any]:
        """What was seen, with this version's differences."""
        outcome = dict(self.fields["outcome"])
        differences = outcome.pop("differences_1.14.1", {})
        return outcome | differences if self.version == "1.14.1" else outcome


def load(file: str) -> list[Vector]:
    """Every vector of a file once for each version that it speaks for."""
    path = RECORDINGS / "nuclio-vectors" / f"{file}.json"
    found: list[Vector] = []
    echo = None
    sdks = {(f["id"], f["sdk"]) for f in json.loads(path.read_text("utf-8")) if "sdk" in f}
    for fields in json.loads(path.read_text("utf-8")):
        if fields["id"] == "ECHO":
            echo = fields["handler"]
        if fields.get("handler") == "$ECHO":
            fields["handler"] = echo
        if "sdk" not in fields and (fields["id"], installed_sdk()) in sdks:
            continue
        versions = fields["nuclio"] if isinstance(fields["nuclio"], list) else [fields["nuclio"]]
        found += [Vector(file, version, fields) for version in versions]
    return found


def sdk_fits(vector: Vector) -> bool:
    """Whether the recording was made with an SDK like the installed one, where that makes a difference."""
    return vector.fields.get("sdk") in (None, installed_sdk())


def installed_sdk() -> str:
    """nuclio-sdk's version."""
    return importlib.metadata.version("nuclio-sdk")


def same_text(expected: str, actual: str, folder: Path) -> bool:
    """Whether `actual` is `expected` with its placeholders filled in; tracebacks without the wrapper's own frames."""
    expected, actual = plain(expected), plain(localised(actual, folder))
    if not PLACEHOLDER.search(expected):
        return expected == actual
    parts = re.split(f"({PLACEHOLDER.pattern})", expected)
    pattern = "".join(PATTERNS.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(pattern, actual) is not None


def localised(text: str, folder: Path) -> str:
    """A text of this machine with the recordings' placeholders for its paths."""
    places = {
        str(folder): "$fn",
        str(SCRIPT): "$wrapper",
        str(Path(os.environ.get("NUCLIO_HOME", ".")).resolve() / WRAPPER): "$wrapper",
        str(Path(nuclio_sdk.__file__).parents[4]): "$venv",
        sys.base_prefix: "$pyhome",
    }
    for path, name in places.items():
        text = text.replace(path, name)
    return text


def plain(text: str) -> str:
    """Without the frames of the wrapper and of msgpack, and without line numbers outside the function's files."""
    text = WARNING.sub(r"\1N\2", text)
    if "Traceback" not in text:
        return text
    text = FRAME.sub(lambda frame: "" if frame[1].startswith(OTHERS) else frame[0], text)
    text = re.sub(r"\n {4,}[\^~]+(?=\n)", "", text)
    return LINE.sub(r"\1N", REPEATED.sub("Previous line repeated N more", text))


def same(expected: Any, actual: Any, folder: Path) -> bool:
    """`same_text` for JSON values."""
    if expected == "$unix_ms":
        return isinstance(actual, float | int)
    if isinstance(expected, str) and isinstance(actual, str):
        return same_text(expected, actual, folder)
    if isinstance(expected, dict) and isinstance(actual, dict):
        if set(expected) == {"repeat", "times"}:
            return False
        return expected.keys() == actual.keys() and all(same(expected[k], actual[k], folder) for k in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(lambda e, a: same(e, a, folder), expected, actual))
    return bool(expected == actual) and type(expected) is type(actual)
