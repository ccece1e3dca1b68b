"""Runs the demo: `python -m tools.demo`, from the checkout's root; `--torch`: over small random weights.

For each function: `cvat-nuclio generate`, `serve` and `invoke`, as a user would by hand; then a table, and the
commands. Where somebody sits before it, the demo without weights goes on serving its four functions, with the page to
try them.
With random weights what is found means nothing; that each function that needs weights is generated, served, called and
answers as CVAT wants it is the point.
"""

import argparse
import contextlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cvat_nuclio.errors import UserError
from cvat_nuclio.serve import running
from tools import random_weights

from .cases import DEMO, Answer, Case, with_random_weights, without_weights
from .media import CLIP, PHOTOS, prepare

ROOT = random_weights.ROOT
WEIGHTS = Path("build/random-weights")


def call(command: Sequence[str]) -> str:
    """Runs `cvat-nuclio` and returns what it printed. Raises UserError with what it said when it fails."""
    # As the shell does that the printed commands are pasted into.
    words = [name for word in command for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]
    done = subprocess.run([sys.executable, "-m", "cvat_nuclio", *words], capture_output=True, text=True)
    if done.returncode:
        raise UserError(
            f"cvat-nuclio {command[0]} failed", why=done.stderr.strip() or done.stdout[-2000:], remedy=shown(command)
        )
    return done.stdout


def shown(command: Sequence[str]) -> str:
    """The command as it can be pasted into a shell at the checkout's root."""
    program = Path(sys.executable).with_name("cvat-nuclio")
    words = [os.path.relpath(program) if program.is_relative_to(ROOT) else str(program), *command]
    return " ".join(word if "*" in word else shlex.quote(word) for word in words)


def lay() -> list[Case]:
    """Lays random weights, and tells torch and the Hugging Face hub to look nowhere else."""
    list(random_weights.lay(WEIGHTS, random_weights.small(), random_weights.small()))
    os.environ |= random_weights.environment(WEIGHTS)
    return list(with_random_weights(WEIGHTS))


def ask(case: Case, console: Console) -> Answer:
    """Generates, serves and invokes one function, and keeps its answer. Raises UserError."""
    console.print(f"generate, serve, invoke {case.name}")
    call([*case.generate, "--force"])
    with running(Path(case.folder)) as server:
        (function,) = server.functions
        printed = call([*case.invoke(server.dashboard_url), "--name", function.name, "--json"])
    Path(case.picture).with_suffix(".json").write_text(printed)
    answer: Answer = json.loads(printed)
    if answer["error"]:
        raise UserError(f"CVAT would fail on {case.name}'s answer", why=str(answer["error"]))
    return answer


def run(cases: Sequence[Case], console: Console) -> Table:
    """What was found, by function, and how long a call took."""
    rows = Table("function", "kind", "found", "ms a call", "picture")
    for column in rows.columns:
        column.overflow = "fold"
    rows.columns[3].justify = "right"
    for case in cases:
        answer = ask(case, console)
        took = f"{statistics.median(answer['milliseconds']):.0f}"
        rows.add_row(case.name, case.kind, case.asked.tell(answer), took, case.picture)
    return rows


def show_commands(cases: Sequence[Case], console: Console) -> None:
    """Each step as it can be repeated by hand, from the checkout's root."""
    for case in cases:
        console.print(f"\n[bold]{case.name}[/bold]")
        for command in (case.generate, case.invoke(case.folder)):
            console.print(shown(command), soft_wrap=True, highlight=False, markup=False)


def serve(cases: Sequence[Case], console: Console) -> None:
    """Says how to serve all; where somebody sits before it, does so until Ctrl-C, and `serve` prints the address."""
    words = ["serve", *(case.folder for case in cases)]
    console.print("\n[bold]all four, for a CVAT to call, and on a page to try them with your own pictures[/bold]")
    console.print(shown([*words, "--open"]), soft_wrap=True, highlight=False, markup=False)
    if sys.stdin.isatty() and sys.stdout.isatty():
        console.print("\nThey are served now; the page's address is below. Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            subprocess.run([sys.executable, "-m", "cvat_nuclio", *words, "--dashboard-port", "0"])


def main() -> int:
    """Runs the demo and returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--torch", action="store_true", help="the functions that need weights, over random ones")
    is_random = parser.parse_args().torch
    os.chdir(ROOT)
    # A log is not as narrow as rich believes.
    console = Console(width=None if sys.stdout.isatty() else 120)
    start = time.monotonic()
    try:
        DEMO.mkdir(parents=True, exist_ok=True)
        prepare(DEMO)
        if is_random:
            console.print("[bold]The weights are random: what the functions find means nothing.[/bold]")
        cases = lay() if is_random else list(without_weights())
        console.print(run(cases, console))
    except UserError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.exit_status
    console.print(f"The answers are beside the pictures, as .json. {time.monotonic() - start:.0f} s in all.")
    for name, (_, _, licence) in {**PHOTOS, "frames": CLIP}.items():
        console.print(f"{name}: {licence}", highlight=False)
    show_commands(cases, console)
    if is_random:
        variables = " ".join(f"{name}={value}" for name, value in random_weights.environment(WEIGHTS).items())
        console.print(f"\nwith {variables}; each function's README says where real weights are", soft_wrap=True)
    else:
        serve(cases, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
