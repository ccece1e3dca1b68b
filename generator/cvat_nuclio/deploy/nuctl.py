"""One nuctl program on one platform: what it is asked, and how its answers are read.

Its exit code alone says whether it worked (0, 1, 2 or death by signal); a missing thing is a line on standard output,
and `get -o json` prints text, an object or an array.
"""

import functools
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

import attrs

from .. import atomic
from ..errors import UserError
from ..private_files import open_private, private_folder
from ..systems import send
from .nuctl_causes import Cause, find_cause

NONE_THERE = ("No functions found", "No projects found")
"""What nuctl prints on standard output, with exit code 1."""
POLL = 2.0
LIMIT = 90.0
"""Seconds for everything but a deploy: 60 functions in a cluster are listed in 12."""


@attrs.frozen
class Answer:
    """What one nuctl run printed, and its exit code (negative: died by that signal).

    `given_up`: why we ended it, where we did: nuctl itself waits without any limit in several places.
    """

    exit_code: int
    stdout: str
    stderr: str
    given_up: Cause | None = None

    @property
    def cause(self) -> Cause:
        """Why it failed."""
        return self.given_up or find_cause(self.stdout, self.stderr)


class _Reader(threading.Thread):
    """Reads a stream to its end, so that the program never waits for us; starts at once."""

    def __init__(self, stream: IO[str], on_line: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self.lines: list[str] = []
        self._stream, self._on_line = stream, on_line
        self.start()

    def run(self) -> None:
        with self._stream:
            for line in self._stream:
                self.lines.append(line)
                self._on_line(line.rstrip("\n"))


def _wait(process: "subprocess.Popen[str]", deadline: float, give_up: Callable[[], Cause | None]) -> Cause | None:
    """Waits for its end; what made us end it."""
    while True:
        try:
            process.wait(POLL)
        except subprocess.TimeoutExpired:
            cause = give_up() or (_too_long() if time.monotonic() > deadline else None)
            if cause:
                _end(process)
                return cause
        else:
            return None


def _too_long() -> Cause:
    return Cause(
        "nuctl-silent",
        "nuctl did not come back in the time that it has, and was ended",
        "see that Nuclio's controller runs and watches this namespace, and that you may list Deployments, Services and "
        "Ingresses there (`kubectl auth can-i list ingresses`); a deploy may be given longer with --limit MINUTES",
    )


def _end(process: "subprocess.Popen[str]") -> None:
    for sent in (signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)):
        send(process, sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
            return


@attrs.frozen
class State:
    """A function as nuctl has it.

    `state`: None where it has none of that name; `port`: 0 where none is published; `inside`: its addresses in the
    cluster or in Docker's network, without which Nuclio's dashboard cannot call it. `trouble`: why nuctl
    could not tell.
    """

    state: str | None
    port: int = 0
    inside: tuple[str, ...] = ()
    message: str = attrs.field(default="", repr=False)
    config: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """`metadata` and `spec` as Nuclio keeps them; `spec.image` is the whole name of the image."""
    trouble: Cause | None = None

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Reads `nuctl get function NAME -o json`; text that is no JSON means that there is no such function."""
        try:
            answer = json.loads(text)
        except ValueError:
            return cls(None)
        if isinstance(answer, list):  # some versions answer with an array of one
            answer = answer[0] if answer else {}
        status: Mapping[str, Any] = answer.get("status") or {}
        port = status.get("httpPort")
        return cls(
            status.get("state") or "",
            port if isinstance(port, int) and port > 0 else 0,
            tuple(status.get("internalInvocationUrls") or ()),
            status.get("message") or "",
            {key: answer.get(key) or {} for key in ("metadata", "spec")},
        )


@attrs.define
class Nuctl:
    """nuctl for `platform` ("local" or "kube") and `namespace` (None: nuctl's own default)."""

    platform: str = "local"
    namespace: str | None = None
    program: str = "nuctl"
    _running: set[subprocess.Popen[str]] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)
    _stopped: bool = attrs.field(default=False, init=False)

    def argv(self, *words: str) -> list[str]:
        """The whole command line. The platform is always named: `auto` trips over any bad kubeconfig."""
        scope = ["--platform", self.platform]
        if self.namespace:
            scope += ["--namespace", self.namespace]
        return [self.program, *words, *scope]

    def run(
        self,
        argv: Sequence[str],
        *,
        stoppable: bool = False,
        on_line: Callable[[str], None] = lambda line: None,
        limit: float = LIMIT,
        give_up: Callable[[], Cause | None] = lambda: None,
        environment: Mapping[str, str] | None = None,
    ) -> Answer:
        """Runs to the end, in a session of its own, so that a Ctrl-C reaches only the program that can tidy up.

        A `stoppable` run is ended by `stop`, and not begun after it; the others are how one tidies up. `on_line` gets
        each line as it comes, of both streams, from two threads; it must not raise. After `limit` seconds, or as soon
        as `give_up` (asked every few seconds) names a cause, nuctl is ended. `environment`: None is this process's.
        """
        deadline = time.monotonic() + limit
        process = self._start(argv, environment, stoppable=stoppable)
        if process is None:
            return Answer(-signal.SIGINT, "", "")
        readers = [_Reader(stream, on_line) for stream in (process.stdout, process.stderr) if stream]
        given_up = _wait(process, deadline, give_up)
        for reader in readers:
            reader.join()
        process.wait()
        with self._lock:
            self._running.discard(process)
        stdout, stderr = ("".join(reader.lines) for reader in readers)
        return Answer(process.returncode, stdout, stderr, given_up)

    def _start(
        self, argv: Sequence[str], environment: Mapping[str, str] | None, *, stoppable: bool
    ) -> "subprocess.Popen[str] | None":
        """None where a stoppable run comes after `stop`."""
        try:
            with self._lock:
                if stoppable and self._stopped:
                    return None
                process = subprocess.Popen(
                    argv,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
                if stoppable:
                    self._running.add(process)
        except OSError as error:
            raise UserError(
                f"there is no program {self.program}",
                why="" if isinstance(error, FileNotFoundError) else str(error),
                remedy="install nuctl of the same version as Nuclio's dashboard, and put it on PATH",
            ) from error
        return process

    def stop(self) -> None:
        """Ends every stoppable run, and lets no other begin."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                send(process, signal.SIGINT)

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called: a run that failed since may have been ended by it."""
        return self._stopped

    @functools.cached_property
    def version(self) -> str:
        """nuctl's version label, by which it picks Nuclio's onbuild image, or "" where it has none."""
        if shutil.which(self.program) is None:
            return ""
        words = self.run([self.program, "version"]).stdout.replace(",", " ").replace('"', " ").split()
        return words[words.index("Label:") + 1] if "Label:" in words[:-1] else ""

    def create_project(self, project: str) -> Answer:
        """Makes the project; one that exists already is left as it is (exit code 0)."""
        made = self.run(self.argv("create", "project", project))
        if made.exit_code and "already exists" in made.stderr:  # an error in a cluster alone
            return attrs.evolve(made, exit_code=0)
        return made

    def has_project(self, project: str) -> bool:
        """Whether there is one of that name. Raises UserError where nuctl cannot tell."""
        answer = self.run(self.argv("get", "project", project, "-o", "json"))
        if answer.exit_code and answer.stdout.strip() not in NONE_THERE:
            raise UserError(answer.cause.text, remedy=answer.cause.remedy)
        return answer.exit_code == 0

    def get(self, name: str) -> State:
        """The function's state now."""
        answer = self.run(self.argv("get", "function", name, "-o", "json"))
        if answer.exit_code and answer.stdout.strip() not in NONE_THERE:
            return State(None, trouble=answer.cause)
        return State.from_json(answer.stdout)

    def delete(self, name: str, *, force: bool = False) -> Answer:
        """Deletes the function; `force` also frees one that is stuck at `building`."""
        return self.run(self.argv("delete", "function", name, *(["--force"] if force else [])))


def differs_from_last_time(version: str) -> str | None:
    """The version that deployed last from this machine if it is another than `version`; remembers `version`.

    Another one rebuilds every layer, since its label is a build argument before them. Raises UserError.
    """
    file = private_folder("deploy") / "nuctl-version"
    last = ""
    if file.exists():
        with open_private(file, "r") as stream:
            last = stream.read(100).strip()
    if version and version != last:
        atomic.write(file, f"{version}\n".encode())
    return last if last and version and last != version else None
