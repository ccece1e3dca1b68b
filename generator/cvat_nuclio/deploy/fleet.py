"""Many functions: check them all, deploy them side by side, go on past failures, tidy up after Ctrl-C."""

import io
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from ..errors import UserError
from ..nuclio.function_yaml import FunctionYaml, refuse_twins
from .asked_program import Run
from .cluster import Cluster
from .cluster_preflight import ClusterPreflight, Finding, check_project
from .deploy_options import DeployOptions
from .deployment import Deployment, Outcome
from .nuctl import Nuctl
from .nuctl_causes import Cause
from .places import ClusterPlace, LocalPlace, Place
from .preflight import check_host
from .versions import last_good, opened


@attrs.define
class Fleet:
    """The functions of one `deploy` run."""

    options: DeployOptions
    nuctl: Nuctl
    docker: Run
    say: Callable[[str], None]
    cluster: Cluster | None = None
    """None on local Docker."""

    @property
    def place(self) -> Place:
        """Where the functions run."""
        if self.cluster:
            return ClusterPlace(self.cluster, self.options.dashboard)
        return LocalPlace(self.docker, self.nuctl.namespace)

    def open(self) -> list[Deployment]:
        """Every bundle's file, read as Nuclio reads it. Raises UserError for one that cannot be."""
        deployments = [self._of(FunctionYaml.open(self.options.file_of(path))) for path in self.options.bundles]
        refuse_twins([deployment.name for deployment in deployments], self.options.bundles)
        return deployments

    def last_good(self, stack: ExitStack) -> list[Deployment]:
        """The version before of each function, which Nuclio keeps. Raises UserError where it knows none.

        A function is named by its name or by its bundle. The files are gone when `stack` is left.
        """
        return [stack.enter_context(self._last_good(path)) for path in self.options.bundles]

    @contextmanager
    def _last_good(self, path: Path) -> Iterator[Deployment]:
        name = FunctionYaml.open(self.options.file_of(path)).name if path.is_dir() else str(path)
        now = self.nuctl.get(name)
        if now.trouble:
            raise UserError(now.trouble.text, remedy=now.trouble.remedy)
        config = last_good(now.config)
        if config is None:
            none = f"Nuclio has no function {name}" if now.state is None else f"no version of {name} before is known"
            why = "each deploy by cvat-nuclio keeps what served before it; the first has nothing to keep"
            raise UserError(none, why="" if now.state is None else why, remedy="deploy a good version again")
        with opened(config, self.options) as (function, options):
            yield attrs.evolve(self._of(function), options=options)

    def _of(self, function: FunctionYaml) -> Deployment:
        return Deployment(function, self.options, self.nuctl, self.docker, self.place, self.say)

    def preflight(self, deployments: Sequence[Deployment]) -> list[Finding]:
        """Everything in the way, host first; the functions are looked at only on a host that can deploy.

        nuctl and Docker are not needed for --dry-run: without them their checks are left out, and said to be.
        """
        missing = [program for program in (self.nuctl.program, "docker") if shutil.which(program) is None]
        if missing and self.options.dry_run:
            self.say(f"not checked: what needs {' and '.join(missing)}, which is not installed here")
            if self.cluster is None:
                return []
            return ClusterPreflight(self.options, self.cluster).without_cluster([one.function for one in deployments])
        if host := [("", cause) for cause in check_host(self.docker, os.environ)]:
            if not self.options.dry_run:
                return host
            for _, cause in host:
                self.say(f"not checked: what needs Docker: {cause.text}")
            return []
        if self.cluster and (found := self._cluster_findings(self.cluster, deployments)):
            return found
        if lacking := check_project(self.nuctl, self.options.project, make=not self.options.dry_run):
            return [("", lacking)]
        return [(one.name, cause) for one in deployments for cause in one.preflight()]

    def _cluster_findings(self, cluster: Cluster, deployments: Sequence[Deployment]) -> list[Finding]:
        look = ClusterPreflight(self.options, cluster)
        found = list(look.findings([one.function for one in deployments]))
        for left_out in look.left_out:
            self.say(f"not checked: {left_out}")
        return found

    def deploy(self, deployments: Sequence[Deployment]) -> list[Outcome]:
        """Runs them, at most `options.parallel` at a time; one that fails does not stop the others."""
        if self.options.dry_run:
            return [self._pretend(one) for one in deployments]
        with ThreadPoolExecutor(self.options.parallel) as pool:
            futures = [pool.submit(self._deploy, one) for one in deployments]
            try:
                return [future.result() for future in futures]
            except KeyboardInterrupt:
                return self._interrupted(futures)

    def _pretend(self, deployment: Deployment) -> Outcome:
        self.say(shlex.join(deployment.argv()))
        self.say(f"  in a copy of the file, which names the image {deployment.image}")
        return Outcome(name=deployment.name, state="not deployed (--dry-run)")

    def _deploy(self, deployment: Deployment) -> Outcome:
        self.say(f"{deployment.name}: deploying")
        outcome = deployment.run()
        if outcome.cause is None:
            self.say(f"{outcome.name}: {outcome.state} at {outcome.url} after {outcome.seconds:.1f} s")
            if outcome.note:
                self.say(f"  note: {outcome.note}")
        else:
            self.say(describe(outcome, outcome.cause, self.options.rollback_of(outcome.name)))
        return outcome

    def _interrupted(self, futures: Sequence[Future[Outcome]]) -> list[Outcome]:
        self.say("interrupted: ending nuctl, and freeing what it would leave at `building`")
        for future in futures:
            future.cancel()
        self.nuctl.stop()
        return [future.result() for future in futures if not future.cancelled()]


def describe(outcome: Outcome, cause: Cause, rollback: str) -> str:
    """A failure in four lines: the cause, the remedy, what survived, the log; and the way back, where there is one."""
    lines = [f"{outcome.name}: {cause.text}", f"  try: {cause.remedy}"]
    if outcome.survived:
        lines.append(f"  what is left: {outcome.survived}")
    if outcome.way_back:
        lines.append(f"  put the last good version back: {rollback}")
    if outcome.log:
        lines.append(f"  whole log: {outcome.log}")
    return "\n".join(lines)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The table at the end: name, state, URL, seconds and, where it failed, the cause of each."""
    table = Table(box=None, pad_edge=False)
    for heading in ("function", "state", "URL", "seconds", "cause"):
        table.add_column(heading, justify="right" if heading == "seconds" else "left")
    for one in outcomes:
        seconds = f"{one.seconds:.1f}" if one.seconds else ""
        table.add_row(one.name, one.state, one.url, seconds, one.cause.text if one.cause else "")
    text = io.StringIO()
    Console(file=text, width=160).print(table)
    return text.getvalue().rstrip()
