"""What to call: a bundle served for the time of the call, a function's URL, or a dashboard's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import attrs

from ..cvat import CvatError
from ..cvat.sample import function_of_kind
from ..cvat.transport import decode, send
from ..errors import UserError
from ..nuclio.function_yaml import FunctionYaml
from ..serve.running import running
from ..waiting import waiting

KINDS = ("detector", "interactor", "tracker", "reid")
PROBE_TIMEOUT = 10.0


@attrs.frozen
class Target:
    """A function that runs: Nuclio's object of it, and where it listens.

    `knows_labels` is False where nothing but the kind is known: labels are then taken from the answer.
    """

    function: dict[str, Any]
    url: str
    knows_labels: bool = True


@attrs.frozen
class Hints:
    """What a URL alone does not tell: the kind, the function.yaml, the name among several."""

    kind: str | None = None
    function_file: Path | None = None
    name: str | None = None
    python: str | None = None


@contextmanager
def open_target(text: str, hints: Hints) -> Iterator[Target]:
    """Yields the running function. Raises `UserError`, with the engine's own words where a bundle cannot start."""
    if "://" in text:
        yield _at_url(text.rstrip("/"), hints)
        return
    options: dict[str, Any] = {"python": hints.python} if hints.python else {}
    with ExitStack() as stack:
        with waiting(f"loading the function in {text}"):
            server = stack.enter_context(running(text, workers=1, **options))
        yield _from_dashboard(server.dashboard_url, hints.name)


def _at_url(url: str, hints: Hints) -> Target:
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
    port = function.get("status", {}).get("httpPort")
    if not port:
        raise UserError(f"{function['metadata']['name']} has no port", why="it is not running")
    host = url.split("://", 1)[1].split("/")[0].rsplit(":", 1)[0]
    return Target(function, f"http://{host}:{port}")
