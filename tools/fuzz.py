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
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cvat_nuclio.bench.worker_memory import resident_mib
from cvat_nuclio.limits import KINDS
from tools.fuzzing import resident_memory
from tools.fuzzing.batches import BATCH, Batches

LOGS = Path("build/fuzz")


def main() -> int:
    """Runs the batches and prints what became of them."""
    args = arguments()
    context = multiprocessing.get_context("spawn")
    shares = [(kind, part) for kind in args.kinds for part in range(args.processes)]
    batches = max(1, -(-args.cases // BATCH // len(shares)))
    started, findings, sent = time.monotonic(), 0, 0
    running: dict[Any, Any] = {}
    waiting = list(shares)
    while waiting or running:
        while waiting and len(running) < args.processes:
            kind, part = waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            numbers = range(args.start + part, args.start + part + batches * args.processes, args.processes)
            process = context.Process(target=work, args=(kind, numbers, theirs))
            process.start()
            theirs.close()
            running[ours] = (process, kind)
        for ready in wait(list(running)):
            assert isinstance(ready, Connection)  # noqa: S101
            report = receive(ready)
            process, kind = running[ready]
            if report is None:
                process.join()
                del running[ready]
                if process.exitcode:
                    findings += 1
                    print(f"FINDING: the {kind} worker died, exit code {process.exitcode}; see {LOGS}", flush=True)
                continue
            sent += report["sent"]
            findings += bool(report["finding"])
            tell(kind, report, sent, time.monotonic() - started)
    seconds = time.monotonic() - started
    print(f"{sent} cases in {seconds:.0f} s, {sent / seconds:.0f} a second; {findings} findings")
    return 1 if findings else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000, help="requests over all kinds (1000000)")
    parser.add_argument("--start", type=int, default=0, help="the first batch, to go on from an earlier run (0)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="workers at once (all cores)")
    return parser.parse_args()


def work(kind: str, numbers: range, connection: Connection) -> None:
    """One worker: sends its batches and tells after each."""
    # libtiff writes of every broken file there; it is kept for the case that a process dies.
    LOGS.mkdir(parents=True, exist_ok=True)
    os.dup2(os.open(LOGS / f"{kind}-{numbers.start}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
    batches = Batches(kind)
    readings: list[float] = []
    for number in numbers:
        before, finding = batches.sent, ""
        try:
            batches.run(number)
        except BaseException as fault:  # a finding; or a fault of the fuzzer's own, which is one too
            finding = "".join(traceback.format_exception(fault, limit=-4, chain=False))[-6000:]
            finding += "\n".join(getattr(fault, "__notes__", []))[-6000:]
        resident_memory.settle()
        readings.append(resident_mib(os.getpid()))
        if number == numbers[-1] and len(readings) >= 10 and not resident_memory.is_flat(readings):
            finding += f"memory grew by {resident_memory.growth(readings):.0f} MiB"
        report: dict[str, Any] = {
            "batch": number,
            "sent": batches.sent - before,
            "finding": finding,
            "resident": readings[-1],
            "statuses": dict(sorted(batches.target.statuses.items())),
        }
        connection.send(report)


def receive(connection: Connection) -> dict[str, Any] | None:
    try:
        report: dict[str, Any] = connection.recv()
    except EOFError:
        return None
    return report


def tell(kind: str, report: dict[str, Any], sent: int, seconds: float) -> None:
    if report["finding"]:
        print(f"FINDING: {kind}, batch {report['batch']}\n{report['finding']}", flush=True)
    elif report["batch"] % 20 == 0:
        print(
            f"{sent:>8} cases, {sent / seconds:5.0f} a second; {kind} batch {report['batch']}, "
            f"{report['resident']:.0f} MiB, {report['statuses']}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
