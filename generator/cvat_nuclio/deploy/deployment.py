"""One function's deploy: look at its state, run nuctl, wait, send one real request, and say what happened."""

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import attrs

from ..errors import UserError
from ..limits import NAMESPACE
from ..nuclio.function_yaml import FunctionYaml
from ..nuclio.image_name import image_name
from ..private_files import locked_alone, open_private, private_folder
from ..state_keys import VARIABLE, deploy_key, file_with
from .asked_program import Run
from .build_secrets import BUILDER, asked_secrets, with_secrets
from .deploy_options import DeployOptions
from .nuctl import Answer, Nuctl, State
from .nuctl_causes import Cause, find_cause
from .patience import Patience
from .places import Place, Serving
from .preflight import check_function
from .transcript import file_name, transcript
from .versions import has_own_tag, image_of, keeps_last_good, last_good, opened, superseded, with_image, with_last_good

# A state in which nuctl refuses every deploy and delete that is not forced.
STUCK_STATES = ("building", "waitingForResourceConfiguration", "waitingForBuild", "configuringResources")


@attrs.frozen(kw_only=True)
class Outcome:
    """How one function's deploy ended.

    `cause` is None when it serves; `survived` says what still answers if not, `note` what could not be looked at.
    """

    name: str
    state: str
    url: str = ""
    seconds: float = 0.0
    cause: Cause | None = None
    survived: str = ""
    note: str = ""
    log: Path | None = None
    way_back: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    """The last good version's configuration, where CVAT does not reach a good one any more."""


@attrs.define
class Deployment:
    """Deploys a function. `say` gets nuctl's lines with --verbose."""

    function: FunctionYaml
    options: DeployOptions
    nuctl: Nuctl
    docker: Run
    place: Place
    say: Callable[[str], None]

    @property
    def name(self) -> str:
        """metadata.name: the function's id in CVAT and in Nuclio."""
        return self.function.name

    @property
    def builds(self) -> bool:
        """Whether nuctl builds an image (a prebuilt one is only run)."""
        return not self.options.prebuilt

    @functools.cached_property
    def image(self) -> str:
        """What runs: the image that nuctl makes of the bundle, or the one that the file names."""
        if not self.builds:
            return str(self.function.spec.get("image", ""))
        return image_of(self.function, self.nuctl.version, self.options.build.values)

    def argv(self, file: Path | None = None) -> list[str]:
        """The nuctl command; `file` is deployed in place of the bundle's own."""
        options = self.options
        words = ["deploy", "--project-name", options.project, "--file", str(file or self.function.file)]
        # With a path nuctl builds: of a prebuilt image one without code.
        words += ["--path", str(self.function.file.parent)] if self.builds else []
        words += ["--no-pull"] if options.offline else []  # --offline alone still pulls
        words += ["--registry", options.registry] if options.registry else []
        words += ["--run-registry", options.run_registry] if options.run_registry else []
        return self.nuctl.argv(*words)

    def preflight(self) -> Sequence[Cause]:
        """What stands in the way of this function: its state, and what it needs of this host."""
        before = self.nuctl.get(self.name)
        if before.trouble:
            return [before.trouble]
        local = self.nuctl.platform == "local"
        findings = (
            list(check_function(self.function, self.docker, own_port=before.port, build=self.builds)) if local else []
        )
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
                outcome = self._deploy()
                if outcome.way_back and self.options.keep_serving:
                    outcome = self._put_back(outcome, outcome.way_back)
                return attrs.evolve(outcome, seconds=time.monotonic() - begun)
        except UserError as error:
            cause = Cause("refused", ": ".join(filter(None, [error.what, error.why])), error.remedy)
            return Outcome(name=self.name, state="untouched", cause=cause)

    def _put_back(self, failed: Outcome, config: Mapping[str, Any]) -> Outcome:
        self.say(f"{self.name}: putting the last good version back")
        with opened(config, self.options) as (function, options):
            back = attrs.evolve(self, function=function, options=options)._deploy()
        if back.cause:
            return attrs.evolve(
                failed, survived=f"nothing: putting it back failed too: {back.cause.text}", way_back=None
            )
        survived = f"the last good version, {config['spec']['image']}, was put back and serves"
        return attrs.evolve(failed, state=back.state, url=back.url, survived=survived, way_back=None)

    def look(self) -> Outcome:
        """The function's state now, and whether it answers."""
        state = self.nuctl.get(self.name)
        if state.trouble:
            return Outcome(name=self.name, state="unknown", cause=state.trouble)
        if state.state is None:
            absent = Cause("absent", "Nuclio has no function of this name in this namespace", "deploy it")
            return Outcome(name=self.name, state="absent", cause=absent)
        asked = self.place.look(self.name, state)
        cause = asked.cause
        if cause is None and state.state != "ready":
            cause = Cause("not-ready", f"it answers, but its state is {state.state}", "deploy a good version again")
        return Outcome(name=self.name, state=state.state, url=asked.url, cause=cause, note=asked.note)

    def delete(self) -> Cause | None:
        """Deletes the function; why that did not work."""
        before = self.nuctl.get(self.name)
        if before.state is None and not self.options.force:
            return before.trouble or Cause("absent", "there is no function of this name", "see `nuctl get functions`")
        answer = self.nuctl.delete(self.name, force=self.options.force)
        return answer.cause if answer.exit_code else None

    def _deploy(self) -> Outcome:
        options = self.options
        show = self._show if options.verbose else None
        if not self.builds and not has_own_tag(self.image):
            self.say(f"{self.name}: {self.image} has no tag of its own: no later deploy can go back to it")
        log_name = f"{self.name}.rollback" if options.goes_back else self.name
        with transcript(log_name, self.argv(), options.log_folder, show) as log:
            before = self.nuctl.get(self.name)
            if before.trouble:
                return Outcome(name=self.name, state="unknown", cause=before.trouble, log=log.file)
            serving = self.place.serving(self.name, before)
            if before.state in STUCK_STATES and options.force:
                self.nuctl.delete(self.name, force=True)
            good = before.state == "ready" and self.place.reached(serving, before)
            platform = self.nuctl.platform
            config = with_last_good(self.function.config, before.config, serves=good, platform=platform)
            if good and not keeps_last_good(config):
                self.say(f"{self.name}: its configuration is too long for Nuclio to keep the version before beside it")
            config = with_image(config, self.image) if self.builds else config
            answer = self._run_nuctl(config, log.take, serving)
            if log.trouble:
                self.say(f"{self.name}: {log.file} ends early: {log.trouble.strerror}")
            outcome = attrs.evolve(self._judge(answer, serving, self.nuctl.get(self.name)), log=log.file)
        if outcome.cause is None and self.builds and self.nuctl.platform == "local":
            self._tidy(config)
        return outcome

    def _tidy(self, config: Mapping[str, Any]) -> None:
        """Removes images of versions before the last good one, which no name but their own tag keeps."""
        name = image_name(self.image).name
        label = f"label=cvat-nuclio.function={self.name}"
        _, listed, _ = self.docker("image", "ls", name, "--filter", label, "--format", "{{.Repository}}:{{.Tag}}")
        for image in superseded(listed.split(), self.image, config):
            if self.docker("image", "rm", image)[0] == 0:
                self.say(f"{self.name}: removed {image}, which no version goes back to")

    def _run_nuctl(self, config: Mapping[str, Any], take: Callable[[str], None], before: Serving) -> Answer:
        namespace = self.nuctl.namespace or NAMESPACE
        key = deploy_key(config, self.nuctl.platform, namespace, self.options.state_key_env)
        shown = key or self.function.env.get(VARIABLE)
        patience = Patience(self.name, self.function.readiness_timeout, self.place, before)

        def follow(line: str) -> None:
            patience.hear(line)
            # nuctl shows the whole `docker run` when that fails.
            line = self.options.build.hidden(line)
            take(line.replace(shown, f"({VARIABLE})") if shown else line)

        variables = dict(self.options.env) | ({VARIABLE: key} if key else {})
        config = with_secrets(self.options.build.applied(config))
        changed = bool(variables) or config != self.function.config
        with file_with(variables, config) if changed else nullcontext() as file:
            return self.nuctl.run(
                self.argv(file), stoppable=True, on_line=follow, limit=self.options.limit, give_up=patience.give_up,
                environment={**self.options.build.environment, **(BUILDER if asked_secrets(config) else {})},
            )  # fmt: skip

    def _judge(self, answer: Answer, before: Serving, after: State) -> Outcome:
        if answer.given_up:
            return self._failed(answer.given_up, before, after)
        if answer.exit_code < 0 or (answer.exit_code and self.nuctl.is_stopped):
            cause = Cause("interrupted", "the deploy was interrupted", "deploy again")
            return attrs.evolve(self._failed(cause, before, after), state="interrupted")
        if answer.exit_code:
            evidence = self.place.evidence(self.name, after, before)
            return self._failed(find_cause(answer.stdout, answer.stderr, evidence), before, after)
        if after.trouble or after.state != "ready":
            state = after.state or "unknown"
            cause = Cause("not-ready", f"nuctl reports success, but the state is {state}", "look at the log")
            return self._failed(after.trouble or cause, before, after)
        asked = self.place.ask(self.function.config, after)
        if asked.cause:
            return self._failed(asked.cause, before, after)
        return Outcome(name=self.name, state="ready", url=asked.url, note=asked.note)

    def _show(self, text: str) -> None:
        for line in text.splitlines():
            self.say(f"{self.name} | {line}")

    def _failed(self, cause: Cause, before: Serving, after: State) -> Outcome:
        state = "unknown" if after.trouble else after.state or "absent"
        serving = self.place.serving(self.name, after)
        lost = cause.id == "request-failed" or not self.place.reached(serving, after)
        way_back = last_good(after.config) if lost and after.state not in STUCK_STATES else None
        survived = self._left(before, serving, after)
        return Outcome(name=self.name, state=state, cause=cause, survived=survived, way_back=way_back)

    def _left(self, before: Serving, serving: Serving, after: State) -> str:
        """What still answers; frees a function that Nuclio would keep at a state in which it refuses everything."""
        left = self.place.left(before, serving, after)
        if after.state in self.place.goes_on:
            return f"Nuclio's controller goes on with it by itself: `--status` shows how that ends; meanwhile {left}"
        if after.state not in STUCK_STATES:
            return left
        if serving.ids:
            return f"{left}; the next deploy needs --force, which deletes it first"
        self.nuctl.delete(self.name, force=True)
        return f"deleted, since Nuclio would have kept it at `{after.state}`; deploy it again"


@contextmanager
def _only_one(name: str) -> Iterator[bool]:
    """Whether this process alone deploys `name` now: two nuctl of one function trip over each other's containers.

    Raises UserError where that cannot be told.
    """
    with open_private(private_folder("deploy", "locks") / f"{file_name(name)}.lock", "w") as lock:
        yield locked_alone(lock)
