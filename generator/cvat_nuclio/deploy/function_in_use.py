"""A function that a task is worked through with: a bundle that is served meanwhile, a URL, or a deployed function."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..errors import UserError
from ..invoke.call_target import Hints, Target, open_target
from ..limits import DASHBOARD_PORT
from .nuctl import Nuctl


@contextmanager
def function_in_use(text: str, hints: Hints, dashboard: str | None = None) -> Iterator[Target]:
    """Yields the running function.

    `text`: a bundle, a function's file, a URL, or the name of a deployed function. Such a name is asked of the
    `dashboard`, by default of the one on this machine's port 8070, then of nuctl. Raises UserError.
    """
    if "://" in text or Path(text).exists():
        with ExitStack() as stack:
            yield _opened(stack, text, hints)
        return
    if "/" in text or text.endswith(".py"):
        raise UserError(f"there is no {text}", remedy="name a bundle's folder, a URL, or a deployed function")
    yield _deployed(text, dashboard)


def _opened(stack: ExitStack, text: str, hints: Hints) -> Target:
    try:
        return stack.enter_context(open_target(text, hints))
    except UserError as error:
        if "--kind" not in error.remedy:
            raise
        # A kind alone names no labels.
        remedy = "add --function function.yaml, or name the URL of Nuclio's dashboard"
        raise UserError(error.what, why=error.why, remedy=remedy) from error


def workers_of(target: Target) -> int | None:
    """How many requests the function works on at a time, over all replicas; None where nothing is known of it."""
    spec = target.function.get("spec") or {}
    triggers = [each for each in (spec.get("triggers") or {}).values() if each.get("kind") == "http"]
    if not triggers:
        return None
    workers = triggers[0].get("numWorkers") or triggers[0].get("maxWorkers") or 1
    return int(workers) * max(int(spec.get(key) or 1) for key in ("replicas", "minReplicas"))


def _deployed(name: str, dashboard: str | None) -> Target:
    url = dashboard or f"http://127.0.0.1:{DASHBOARD_PORT}"
    try:
        with open_target(url, Hints(name=name)) as target:
            return target
    except UserError as error:
        function = None if dashboard else _of_nuctl(name)
        if function is None:
            raise UserError(
                f"there is no folder and no deployed function named {name}",
                why=f"Nuclio's dashboard: {error.what}",
                remedy="name a bundle's folder, a URL, or a function of `nuctl get functions`; --dashboard URL",
            ) from error
        return function


def _of_nuctl(name: str) -> Target | None:
    """The function on this machine's Docker as nuctl has it; None where there is none, or no nuctl."""
    try:
        state = Nuctl().get(name)
    except UserError:
        return None
    return Target({**state.config, "status": {}}, f"http://127.0.0.1:{state.port}") if state.port else None
