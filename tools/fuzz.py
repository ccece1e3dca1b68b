"""Sends hostile requests to each kind of function, in process: `python -m tools.fuzz --cases 1000000`.

Each process is one worker for ever: one that dies is a finding. A finding is printed with the request, shrunk, and
the batch that repeats it: `python -m tools.fuzz --kinds KIND --start BATCH --cases 1000`. Exit status 1 when there
was one.
"""

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cvat_nuclio.bench.worker_memory import resident_mib
from cvat_nuclio.limits import KINDS
from tools.fuzzing import resident_memory
from tools.fuzzing.batches import BATCH, Batches

LOGS = Path("build/fuzz")


def main() -> int:
    """Runs the batches, each share of them in a process, and prints what became of them."""
    args = arguments()
    context = multiprocessing.get_context("spawn")
    shares = [(kind, part) for kind in args.kinds for part in range(args.processes)]
    batches = max(1, -(-args.cases // BATCH // len(shares)))
    sent, findings, started = context.Value("q"), context.Value("q"), time.monotonic()

    def run(share: tuple[str, int]) -> None:
        kind, part = share
        numbers = range(args.start + part, args.start + part + batches * args.processes, args.processes)
        process = context.Process(target=work, args=(kind, numbers, sent, findings))
        process.start()
        process.join()
        if process.exitcode:
            tell(findings, f"the {kind} worker died, exit code {process.exitcode}; see {LOGS}")

    with ThreadPoolExecutor(args.processes) as threads:
        list(threads.map(run, shares))
    seconds = time.monotonic() - started
    print(f"{sent.value} cases in {seconds:.0f} s, {sent.value / seconds:.0f} a second; {findings.value} findings")
    return 1 if findings.value else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000, help="requests over all kinds (1000000)")
    parser.add_argument("--start", type=int, default=0, help="the first batch, to go on from an earlier run (0)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="workers at once (all cores)")
    return parser.parse_args()


def work(kind: str, numbers: range, sent: Any, findings: Any) -> None:
    """One worker: sends its batches and tells after each."""
    # libtiff writes of every broken file there; it is kept for the case that a process dies.
    LOGS.mkdir(parents=True, exist_ok=True)
    os.dup2(os.open(LOGS / f"{kind}-{numbers.start}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
    batches = Batches(kind)
    readings: list[float] = []
    for number in numbers:
        before = batches.sent
        try:
            batches.run(number)
        except BaseException as fault:  # a finding; or a fault of the fuzzer's own, which is one too
            told = "".join(traceback.format_exception(fault, limit=-4, chain=False))[-6000:]
            notes = "\n".join(getattr(fault, "__notes__", []))[-6000:]
            tell(findings, f"{kind}, batch {number}\n{told}{notes}")
        with sent.get_lock():
            sent.value += batches.sent - before
        resident_memory.settle()
        readings.append(resident_mib(os.getpid()))
        if number % 20 == 0:
            statuses = dict(sorted(batches.target.statuses.items()))
            print(f"{sent.value:>8} cases; {kind} batch {number}, {readings[-1]:.0f} MiB, {statuses}", flush=True)
    if len(readings) >= 10 and not resident_memory.is_flat(readings):
        tell(findings, f"{kind}: memory grew by {resident_memory.growth(readings):.0f} MiB")


def tell(findings: Any, what: str) -> None:
    with findings.get_lock():
        findings.value += 1
    print(f"FINDING: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
