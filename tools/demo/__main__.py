"""Runs the demo: `python -m tools.demo`, from the checkout's root.

For each function: `cvat-nuclio generate`, all four bundles under one `cvat-nuclio serve`, and `cvat-nuclio invoke`
against it, as a user would by hand; then a table, and the commands. Where somebody sits before it, it goes on serving
them, with the page to try them.
"""

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running

from .cases import CASES, Answer, Case, milliseconds
from .media import CLIP, PHOTOS, prepare

ROOT = Path(__file__).resolve().parents[2]
DEMO = Path("build/demo")
BUNDLES = DEMO / "bundles"
SERVE = ("serve", *(f"{BUNDLES}/{case.name}" for case in CASES))


@attrs.frozen
class Outcome:
    """What one function answered."""

    case: Case
    answer: Answer


def generate(case: Case) -> list[str]:
    """The command that makes the bundle."""
    return ["generate", f"cvat_functions.{case.module}", "--output", f"{BUNDLES}/{case.name}", *case.options]


def invoke(case: Case, target: str) -> list[str]:
    """The command that sends what CVAT would send; `target` is a bundle's folder, or a dashboard's URL."""
    images = [f"{DEMO}/{image}" for image in case.images]
    return ["invoke", target, *images, *case.prompts, "--output", f"{DEMO}/{case.picture}"]


def call(command: Sequence[str]) -> str:
    """Runs `cvat-nuclio` and returns what it printed. Raises UserError with what it said when it fails."""
    words = [name for word in command for name in expanded(word)]
    done = subprocess.run([sys.executable, "-m", "cvat_nuclio", *words], capture_output=True, text=True)
    if done.returncode:
        raise UserError(
            f"cvat-nuclio {command[0]} failed", why=done.stderr.strip() or done.stdout[-2000:], remedy=shown(command)
        )
    return done.stdout


def expanded(word: str) -> Iterator[str]:
    """The files that a `*` stands for, as the shell that the printed commands are pasted into would have it."""
    if "*" not in word:
        yield word
        return
    yield from sorted(map(str, Path().glob(word)))


def shown(command: Sequence[str]) -> str:
    """The command as it can be pasted into a shell at the checkout's root."""
    program = Path(sys.executable).with_name("cvat-nuclio")
    words = [os.path.relpath(program) if program.is_relative_to(ROOT) else str(program), *command]
    return " ".join(word if "*" in word else shlex.quote(word) for word in words)


def run(console: Console) -> list[Outcome]:
    """All of the demo but the table."""
    BUNDLES.mkdir(parents=True, exist_ok=True)
    prepare(DEMO)
    for case in CASES:
        console.print(f"generate {case.name}")
        call([*generate(case), "--force"])
    folders = [BUNDLES / case.name for case in CASES]
    console.print("serve    " + " ".join(case.name for case in CASES))
    with running(*folders) as server:
        return [ask(case, server.dashboard_url, console) for case in CASES]


def ask(case: Case, url: str, console: Console) -> Outcome:
    """Invokes one function at the dashboard and keeps its answer."""
    console.print(f"invoke   {case.name}")
    printed = call([*invoke(case, url), "--name", case.name, "--json"])
    (DEMO / case.picture).with_suffix(".json").write_text(printed)
    answer = json.loads(printed)
    if answer["error"]:
        raise UserError(f"CVAT would fail on {case.name}'s answer", why=str(answer["error"]))
    return Outcome(case, answer)


def table(outcomes: Sequence[Outcome]) -> Table:
    """What was found, by function."""
    rows = Table("function", "kind", "found", "ms a call", "picture")
    for column in rows.columns:
        column.overflow = "fold"
    rows.columns[3].justify = "right"
    for outcome in outcomes:
        case, answer = outcome.case, outcome.answer
        found, took = case.tell(answer), f"{milliseconds(answer):.0f}"
        rows.add_row(case.name, answer["kind"], found, took, f"{DEMO}/{case.picture}")
    return rows


def show_commands(console: Console) -> None:
    """Each step as it can be repeated by hand, from the checkout's root."""
    for case in CASES:
        console.print(f"\n[bold]{case.name}[/bold]")
        for command in (generate(case), invoke(case, f"{BUNDLES}/{case.name}")):
            console.print(shown(command), soft_wrap=True, highlight=False, markup=False)
    console.print("\n[bold]all four, for a CVAT to call, and on a page to try them with your own pictures[/bold]")
    console.print(shown([*SERVE, "--open"]), soft_wrap=True, highlight=False, markup=False)


def serve() -> None:
    """Serves all four until Ctrl-C; `serve` prints the page's address."""
    with contextlib.suppress(KeyboardInterrupt):
        subprocess.run([sys.executable, "-m", "cvat_nuclio", *SERVE, "--dashboard-port", "0"])


def main() -> int:
    """Runs the demo and returns its exit status."""
    os.chdir(ROOT)
    # A log is not as narrow as rich believes.
    console = Console(width=None if sys.stdout.isatty() else 120)
    start = time.monotonic()
    try:
        outcomes = run(console)
    except UserError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_status
    console.print(table(outcomes))
    console.print(f"The answers are beside the pictures, as .json. {time.monotonic() - start:.0f} s in all.")
    for name, (_, _, licence) in {**PHOTOS, "frames": CLIP}.items():
        console.print(f"{name}: {licence}", highlight=False)
    show_commands(console)
    if sys.stdin.isatty() and sys.stdout.isatty():
        console.print("\nThey are served now; the page's address is below. Ctrl-C ends it.")
        serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
