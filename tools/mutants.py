"""Changes the runtime in thousands of small ways and tells which of them no test notices.

`python -m tools.mutants [GROUP...]` runs mutmut over the modules of each group with the tests nearest to them, and
prints the table of docs/testing.md. What has run is kept in build/mutants: a second call runs what is new.
`--survivors` runs those that survived again, `--show` prints what each changes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
RUNTIME = Path("src") / "aa_runtime"
#: mutmut writes beside its configuration and calls a module by its path below `src`: links put all in place.
LINKS = {"src": "serverless", "tests": "tests", "pyproject.toml": "pyproject.toml"}
MEMORY = 8 * 2**30
NOTICED = ("killed", "timeout", "segfault")


class Group(NamedTuple):
    """Modules, and the tests nearest to them: none that starts another process."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


GROUPS = {
    "request": Group(("fields.py", "request.py"), ("tests/aa_runtime/test_request.py",)),
    "items": Group(
        ("items.py", "geometry.py", "masks.py"),
        ("tests/aa_runtime/test_detector.py", "tests/aa_runtime/test_geometry.py", "tests/aa_runtime/test_masks.py"),
    ),
    "images": Group(
        ("images.py", "formats/*.py"),
        ("tests/aa_runtime/test_images.py", "tests/aa_runtime/test_formats.py", "tests/aa_runtime/test_jpeg2000.py"),
    ),
    "tracker": Group(
        ("tracker.py", "state/setup.py"), ("tests/tracker/test_tracker.py", "tests/tracker/test_states.py")
    ),
    "state": Group(
        ("state/[!s]*.py", "state/store.py"),
        (
            "tests/state",
            "tests/models/pytorch/test_state_tensors.py",
            # The first takes longer than all others, the second starts a process.
            "--deselect=tests/state/test_codec.py::test_nested_values_survive",
            "--deselect=tests/state/test_classes.py::test_libraries_are_imported_only_for_states_that_hold_their_values",
        ),
    ),
}

# Fork: no interpreter starts for a mutant. The same random numbers for every mutant; no time for small counterexamples
# and for explanations (`mutants` is a profile in tests/conftest.py).
CONFIGURATION = """\
[mutmut]
source_paths = {runtime}
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args =
    --hypothesis-seed=0
    --hypothesis-profile=mutants
    --assert=plain
    --tb=no
    -p
    no:cacheprovider
    -p
    no:unraisableexception
process_isolation = fork
timeout_constant = 2.0
timeout_multiplier = 8.0
"""


def main() -> int:
    """Runs the mutants and prints what became of all; exit status 1 when mutmut failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)} (all)")
    parser.add_argument("--survivors", action="store_true", help="only those that survived, again")
    parser.add_argument("--show", action="store_true", help="runs nothing; prints what each survivor changes")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="mutants at once (all cores)")
    args = parser.parse_args()
    # A mutant without its limit could take all memory of the machine.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    mutmut = Path(sys.executable).with_name("mutmut")
    groups = [name for name in GROUPS if not args.groups or name in args.groups]
    for group in groups:
        if args.show:
            for name in survivors(group):
                subprocess.run([mutmut, "show", name], cwd=folder(group), check=True)
        elif not run(group, args.survivors, args.processes):
            return 1
    print(table(result for group in groups for result in results(group)))
    return 0


def run(group: str, only_survivors: bool, processes: int) -> bool:
    """Runs the mutants of one group; whether mutmut could."""
    prepare(group)
    names = survivors(group) if only_survivors else []
    if only_survivors and not names:
        return True
    runner = [sys.executable, "-P", str(REPOSITORY / "tools" / "collected_mutmut.py")]
    words = [*runner, "--max-children", str(processes), *names]
    return subprocess.run(words, cwd=folder(group), check=False).returncode == 0


def prepare(group: str) -> None:
    work = folder(group)
    work.mkdir(parents=True, exist_ok=True)
    for name, target in LINKS.items():
        link = work / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(REPOSITORY / target, work))
    (work / "setup.cfg").write_text(
        CONFIGURATION.format(
            runtime=RUNTIME,
            modules=lines(RUNTIME / module for module in GROUPS[group].modules),
            tests=lines(GROUPS[group].tests),
        )
    )


def folder(group: str) -> Path:
    return REPOSITORY / "build" / "mutants" / group


def lines(values: Iterable[object]) -> str:
    return "".join(f"\n    {value}" for value in values)


def survivors(group: str) -> list[str]:
    return [name for name, status in results(group) if status not in NOTICED]


def results(group: str) -> Iterator[tuple[str, str]]:
    from mutmut.stats import status_by_exit_code

    for file in sorted((folder(group) / "mutants").rglob("*.meta")):
        for name, code in json.loads(file.read_text())["exit_code_by_key"].items():
            # 255: not a lack of time, as mutmut calls it, but pytest that could not run.
            yield name, "not run" if code == 255 else status_by_exit_code[code]


def table(results: Iterable[tuple[str, str]]) -> str:
    """Markdown: a module a row."""
    every, noticed = Counter[str](), Counter[str]()
    for name, status in results:
        module = name.rpartition(".")[0].removeprefix("aa_runtime.")
        for row in (f"`{module}`", "all"):
            every[row] += 1
            noticed[row] += status in NOTICED
    rows = [f"| {row} | {every[row]} | {noticed[row]} | {noticed[row] / every[row]:.1%} |" for row in sorted(every)]
    return "\n".join(["| module | mutants | killed | |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    sys.exit(main())
