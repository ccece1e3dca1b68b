"""Changes the runtime in thousands of small ways and tells which of them no test notices.

`python -m tools.mutants` runs mutmut over what `[tool.mutmut]` in pyproject.toml names and prints the table of
docs/testing.md. A name or a pattern of mutants runs those again: `python -m tools.mutants 'aa_runtime.masks.*'`;
`--survivors` runs all that survived. `mutmut show NAME` in build/mutants shows one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
#: mutmut writes beside its configuration and calls a module by its path below `src`: links put all in place.
WORK = REPOSITORY / "build" / "mutants"
LINKS = {"src": "serverless", "tests": "tests", "pyproject.toml": "pyproject.toml"}
MEMORY = 8 * 2**30
NOTICED = ("killed", "timeout", "segfault")


def main() -> int:
    """Runs the mutants and prints what became of all; exit status 1 when mutmut failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these mutants, again (all that have not run yet)")
    parser.add_argument("--survivors", action="store_true", help="those that survived, again")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="mutants at once (all cores)")
    args = parser.parse_args()
    prepare()
    names = list(args.names)
    if args.survivors:
        names += [name for name, status in results() if status not in NOTICED]
    done = mutmut("run", "--max-children", str(args.processes), *names)
    print(table(results()))
    return done


def prepare() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    for name, target in LINKS.items():
        link = WORK / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(REPOSITORY / target, WORK))
    # A mutant without its limit could take all memory of the machine.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def mutmut(*words: str) -> int:
    return subprocess.run([Path(sys.executable).with_name("mutmut"), *words], cwd=WORK, check=False).returncode


def results() -> list[tuple[str, str]]:
    """Each mutant's name and what became of it."""
    from mutmut.stats import status_by_exit_code

    found = []
    for file in sorted((WORK / "mutants").rglob("*.meta")):
        codes = json.loads(file.read_text())["exit_code_by_key"]
        found += [(name, status_by_exit_code[code]) for name, code in codes.items()]
    return found


def table(results: list[tuple[str, str]]) -> str:
    """Markdown: a module a row."""
    every, noticed = Counter[str](), Counter[str]()
    for name, status in results:
        module = name.rpartition(".")[0].removeprefix("aa_runtime.")
        for row in (module, "all"):
            every[row] += 1
            noticed[row] += status in NOTICED
    rows = [f"| `{row}` | {every[row]} | {noticed[row]} | {noticed[row] / every[row]:.1%} |" for row in every]
    return "\n".join(["| module | mutants | killed | |", "|---|---|---|---|", *sorted(rows)])


if __name__ == "__main__":
    sys.exit(main())
