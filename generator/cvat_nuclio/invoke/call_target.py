"""What to call: a bundle served for the time of the call, a function's URL, or a dashboard's."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from ..cvat import CvatError, Generation, Listed, ListingError, list_function
from ..cvat.gateway import Gateway
from ..cvat.sample import function_of_kind
from ..cvat.transport import decode, send
from ..errors import UserError
from ..generate.make_bundle import bundle_of
from ..generate.parameters import refuse_parameters
from ..interpreter import interpreter
from ..limits import KINDS, NAMESPACE
from ..nuclio.function_yaml import FunctionYaml
from ..serve.engine_report import READY
from ..serve.running import Server, running
from ..waiting import waiting
from .call_report import unlistable

PROBE_TIMEOUT = 10.0
_COMMANDS = {"detector": "annotate", "tracker": "track"}


@attrs.frozen
class Target:
    """A function that runs: Nuclio's object of it, and where it listens.

    `knows_labels` is False where nothing but the kind is known: labels are then taken from the answer. `log` gives what
    the function and its engine wrote; nothing where somebody else runs it. `dashboard` is set for a function in a
    cluster, which has no port outside: it is called through there, as by CVAT's Helm chart.
    """

    function: dict[str, Any]
    url: str
    knows_labels: bool = True
    log: Callable[[], str] = attrs.field(default=str, repr=False)
    dashboard: str | None = None

    def gateway(self, generation: Generation) -> Gateway:
        if self.dashboard is None:
            return Gateway(generation, function_url=self.url)
        namespace = (self.function.get("metadata") or {}).get("namespace") or NAMESPACE
        return Gateway(generation, dashboard=self.dashboard, via_dashboard=True, namespace=namespace)

    def listed(self, generation: Generation, kind: str) -> Listed:
        """The function as CVAT lists it. Raises UserError where it cannot, and for one of another kind."""
        try:
            listed = list_function({"status": {}, **self.function}, generation)
        except ListingError as error:
            raise unlistable(error, generation) from error
        if listed.kind != kind:
            command = _COMMANDS.get(listed.kind)
            raise UserError(
                f"{listed.id} is no {kind}, but of kind {listed.kind}",
                remedy=f"name a {kind}" + (f"; `cvat-nuclio {command}` is for {listed.kind}s" if command else ""),
            )
        return listed


@attrs.frozen
class Hints:
    """What the target alone does not tell: a URL's kind, its function.yaml, the name among several; a file's
    interpreter and the parameters of its function.

    `workers` of a bundle that is served for the call; None for as many as its file says.
    """

    kind: str | None = None
    function_file: Path | None = None
    name: str | None = None
    python: str | None = None
    parameters: Sequence[str] = ()
    workers: int | None = 1


@contextmanager
def open_target(text: str, hints: Hints) -> Iterator[Target]:
    """Yields the running function; `text` is a bundle, a function's file or a URL.

    Raises `UserError`, with the function's own words where it cannot start.
    """
    bundle = Path(text)
    is_file = "://" not in text and bundle.suffix == ".py" and bundle.is_file()
    if not is_file:
        refuse_parameters(hints.parameters)
    if "://" in text:
        yield _at_url(text.rstrip("/"), hints)
        return
    with ExitStack() as stack:
        if is_file:
            with waiting(f"making a bundle of {text}"):
                bundle = stack.enter_context(bundle_of(bundle, interpreter(hints.python), hints.parameters))
        python = interpreter(hints.python, bundle)
        with waiting(f"loading the function in {text}"):
            server = stack.enter_context(_served(bundle, python, hints.workers))
        target = _from_dashboard(server.dashboard_url, hints.name)
        yield attrs.evolve(target, log=lambda: own_lines(server.log, target.function["metadata"]["name"]))


@contextmanager
def _served(bundle: Path, python: str, workers: int | None) -> Iterator[Server]:
    """The engine writes a failed start into its log and says it again at its end: that alone is told."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running(bundle, workers=workers, python=python))
        except UserError as error:
            told = error.why.rpartition("cvat-nuclio serve: ")[2].strip()
            what, _, rest = told.partition("\n  why:")
            if not rest:
                raise
            why, _, remedy = rest.partition("\n  try: ")
            raise UserError(what, why=why.rstrip(), remedy=remedy.strip()) from error
        yield server


def own_lines(log: str, name: str) -> str:
    """What the function wrote into the engine's log: its marked lines before the engine was ready, all after that."""
    before, ready, after = log.partition(f"{READY}\n")
    loading = [line for line in before.splitlines(keepends=True) if line.startswith(f"{name} | ")]
    return "".join(loading) + after if ready else log


def _at_url(url: str, hints: Hints) -> Target:
    _check_listening(url)
    if hints.function_file:
        config = FunctionYaml.open(hints.function_file).config
        return Target({**config, "status": {}}, url)
    if hints.kind:
        return Target(function_of_kind(hints.kind), url, False)
    try:
        return _from_dashboard(url, hints.name)
    except CvatError as error:
        raise UserError(
            f"{url} does not say what it serves",
            why=f"it does not answer as Nuclio's dashboard does ({error})",
            remedy=f"add --function function.yaml, or --kind {'|'.join(KINDS)}",
        ) from error


def _check_listening(url: str) -> None:
    """Raises `UserError` where no connection can be made."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise UserError(f"{url} is no URL", why=str(error), remedy="http://HOST:PORT") from None
    try:
        socket.create_connection((host, port), PROBE_TIMEOUT).close()
    except OSError as error:
        raise UserError(
            f"nothing listens at {url}",
            why=f"port {port} of {host}: {error.strerror or error}",
            remedy=f"start it (cvat-nuclio serve DIR --port {port}, or deploy it), or name the port that it has: "
            "`nuctl get functions` and `cvat-nuclio serve` print it",
        ) from error


def _from_dashboard(url: str, name: str | None) -> Target:
    answer = decode(send("GET", f"{url}/api/functions", timeout=PROBE_TIMEOUT))
    functions = {key: value for key, value in answer.items() if name in (None, key)}
    if len(functions) != 1:
        raise UserError(
            f"{url} serves {len(functions)} functions" + (f" named {name}" if name else ""),
            why=", ".join(sorted(answer)) or "nothing is deployed there",
            remedy="choose one with --name",
        )
    (function,) = functions.values()
    status = function.get("status") or {}
    if port := status.get("httpPort"):
        host = url.split("://", 1)[1].split("/")[0].rsplit(":", 1)[0]
        return Target(function, f"http://{host}:{port}")
    if not status.get("internalInvocationUrls"):
        raise UserError(
            f"{function['metadata']['name']} cannot be called",
            why=f"Nuclio has no address of it; its state is {status.get('state') or 'unknown'}",
            remedy="deploy it again, or ask `cvat-nuclio deploy --status` what is wrong",
        )
    return Target(function, url, dashboard=url)
