"""One function's deploy: look at its state, run nuctl, wait, send one real request, and say what happened."""

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from ..errors import UserError
from ..nuclio.function_yaml import FunctionYaml
from ..private_files import open_private, private_folder
from ..state_keys import VARIABLE, deploy_key, file_with
from . import first_request
from .causes import Cause, find_cause
from .nuctl import Answer, Nuctl, State
from .options import DeployOptions
from .preflight import Tools, check_function
from .transcript import file_name, transcript

# A state in which nuctl refuses every deploy and delete that is not forced.
STUCK_STATES = ("building", "waitingForResourceConfiguration", "waitingForBuild", "configuringResources")


# nuctl's own, where it is given none.
DEFAULT_NAMESPACE = "nuclio"


@attrs.frozen(kw_only=True)
class Outcome:
    """How one function's deploy ended. `cause` is None when it serves; `survived` says what still answers if not."""

    name: str
    state: str
    url: str = ""
    seconds: float = 0.0
    cause: Cause | None = None
    survived: str = ""
    log: Path | None = None


@attrs.define
class Deployment:
    """Deploys a function. `say` gets nuctl's lines with --verbose."""

    function: FunctionYaml
    options: DeployOptions
    nuctl: Nuctl
    tools: Tools
    say: Callable[[str], None]

    @property
    def name(self) -> str:
        """metadata.name: the function's id in CVAT and in Nuclio."""
        return self.function.name

    @property
    def builds(self) -> bool:
        """Whether nuctl builds an image (a prebuilt one is only run)."""
        return not self.options.prebuilt

    def argv(self, file: Path | None = None) -> list[str]:
        """The nuctl command; `file` is deployed in place of the bundle's own."""
        options = self.options
        return self.nuctl.deploy_argv(
            file or self.function.file, self.function.file.parent, project=options.project, build=self.builds,
            offline=options.offline,
            registry=options.registry, run_registry=options.run_registry,
        )  # fmt: skip

    def preflight(self) -> Sequence[Cause]:
        """What stands in the way on this host; nothing is asked of a cluster, which has its own hosts."""
        if self.nuctl.platform != "local":
            return ()
        before = self.nuctl.get(self.name)
        findings = list(check_function(self.function, self.tools, own_port=before.port, build=self.builds))
        if before.state in STUCK_STATES and not self.options.force:
            findings.append(find_cause("", "being provisioned"))
        return findings

    def run(self) -> Outcome:
        """The deploy itself; never raises for what nuctl or the function does, nor for a log that cannot be kept."""
        begun = time.monotonic()
        try:
            with _only_one(self.name) as alone:
                if not alone:
                    cause = Cause("busy", f"another deploy of {self.name} is running", "wait for it to end")
                    return Outcome(name=self.name, state="untouched", cause=cause)
                return attrs.evolve(self._deploy(), seconds=time.monotonic() - begun)
        except UserError as error:
            cause = Cause("refused", ": ".join(filter(None, [error.what, error.why])), error.remedy)
            return Outcome(name=self.name, state="untouched", cause=cause)

    def _deploy(self) -> Outcome:
        options = self.options
        show = self._show if options.verbose else None
        with transcript(self.name, self.argv(), options.log_folder, show) as log:
            before = self.nuctl.get(self.name)
            if before.state in STUCK_STATES and options.force:
                self.nuctl.delete(self.name, force=True)
            answer = self._run_nuctl(log.take)
            if log.trouble:
                self.say(f"{self.name}: {log.file} ends early: {log.trouble.strerror}")
            return self._judge(answer, before, self.nuctl.get(self.name), log.file)

    def _run_nuctl(self, take: Callable[[str], None]) -> Answer:
        namespace = self.nuctl.namespace or DEFAULT_NAMESPACE
        key = deploy_key(self.function.config, self.nuctl.platform, namespace, self.options.state_key_env)
        if key is None:
            return self.nuctl.run(self.argv(), stoppable=True, on_line=take)
        with file_with(key, self.function.config) as file:
            # nuctl shows the whole `docker run` when that fails.
            return self.nuctl.run(
                self.argv(file), stoppable=True, on_line=lambda line: take(line.replace(key, f"({VARIABLE})"))
            )

    def _judge(self, answer: Answer, before: State, after: State, log: Path) -> Outcome:
        if answer.exit_code < 0 or (answer.exit_code and self.nuctl.is_stopped):
            return self._cut_off(before, after, log)
        if answer.exit_code:
            return self._failed(find_cause(answer.stdout, answer.stderr), before, after, log)
        if cause := self._is_wrong(after):
            return self._failed(cause, before, after, log)
        return Outcome(name=self.name, state="ready", url=_url(after), log=log)

    def _show(self, text: str) -> None:
        for line in text.splitlines():
            self.say(f"{self.name} | {line}")

    def _is_wrong(self, state: State) -> Cause | None:
        if state.state != "ready" or not (state.port or state.urls):
            return Cause(
                "not-ready",
                f"nuctl reports success, but the state is {state.state or 'unknown'}",
                "look at the log",
            )
        if trouble := first_request.failure(self.function.config, _url(state), timeout=self.options.timeout):
            return Cause(
                "request-failed",
                f"deployed, but {trouble}",
                f"look at `docker logs` of the function {self.name}",
            )
        return None

    def _failed(self, cause: Cause, before: State, after: State, log: Path) -> Outcome:
        return Outcome(
            name=self.name,
            state=after.state or "absent",
            cause=cause,
            log=log,
            survived=_survivor(before, after),
        )

    def _cut_off(self, before: State, after: State, log: Path) -> Outcome:
        survived = _survivor(before, after)
        if after.state in STUCK_STATES:
            self.nuctl.delete(self.name, force=True)
            survived = "deleted, since Nuclio would have kept it at `building`; deploy it again"
        cause = Cause("interrupted", "the deploy was interrupted", "deploy again")
        return Outcome(name=self.name, state="interrupted", survived=survived, log=log, cause=cause)


def _url(state: State) -> str:
    """Where the function listens: 127.0.0.1, since IPv4 and IPv6 ports may differ, or the cluster's own address."""
    return f"http://127.0.0.1:{state.port}/" if state.port else f"http://{state.urls[0]}/"


def _survivor(before: State, after: State) -> str:
    port = after.port or before.port
    if before.state != "ready":
        return "nothing: it was not serving before either"
    if port and first_request.is_alive(port):
        return f"the old version still serves on port {port}, although its state is {after.state}"
    return "nothing: the old version was removed before the new one failed"


@contextmanager
def _only_one(name: str) -> Iterator[bool]:
    """Whether this process alone deploys `name` now: two nuctl of one function trip over each other's containers.

    Raises UserError where that cannot be told.
    """
    with open_private(private_folder("deploy", "locks") / f"{file_name(name)}.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
