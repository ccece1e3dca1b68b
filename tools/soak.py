"""Serves a bundle of each kind and sends mixed requests for an hour: `python -m tools.soak --minutes 60`.

Prints the resident memory of each worker every minute. Exit status 1 when that is not flat after warm-up, when a
worker was restarted, when a sound request was not answered with 200, or any with a 5xx.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import urllib3

from cvat_nuclio.bench.worker_memory import resident_mib
from cvat_nuclio.serve import FunctionReport, Server, running
from tools.fuzzing import resident_memory
from tools.fuzzing.traffic import Traffic

ROOT = Path(__file__).resolve().parent.parent
BUNDLES = (
    "serverless/onnx/text-detection",
    "serverless/opencv/grabcut",
    "serverless/opencv/correlation-tracker",
    "serverless/opencv/appearance-reid",
)
_LEAST_READINGS = 10


class Client(threading.Thread):
    """Sends to one function until told to stop. `faults` holds what must not have been, each once."""

    def __init__(self, function: FunctionReport, seed: int, stop: threading.Event) -> None:
        super().__init__(name=function.name, daemon=True)
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self._traffic = Traffic(function.kind, seed)
        self._pool = urllib3.connection_from_url(function.url, maxsize=1)
        self._stop_event = stop

    def run(self) -> None:
        for body, is_sound in self._traffic:
            if self._stop_event.is_set():
                return
            self._send(body, is_sound)

    def _send(self, body: bytes, is_sound: bool) -> None:
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._pool.request("POST", "/", body=body, headers=headers, timeout=120, retries=False)
        except urllib3.exceptions.HTTPError as fault:
            self.faults[f"no answer: {type(fault).__name__}"] += 1
            return
        self.statuses[answer.status] += 1
        if answer.status >= 500 or (is_sound and answer.status != 200):
            self.faults[f"{answer.status} {answer.data[:200]!r}"] += 1
        elif is_sound:
            self._traffic.seen(answer.json())


def main() -> int:
    """Serves, sends, watches, and says whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long (60)")
    parser.add_argument("--workers", type=int, default=1, help="of each function (1)")
    parser.add_argument("bundles", nargs="*", default=list(BUNDLES), help="folders (one of each kind)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        bundles = [prepared(ROOT / bundle, Path(folder)) for bundle in args.bundles]
        with running(*bundles, workers=args.workers) as server:
            return soak(server, args.minutes * 60)


def prepared(bundle: Path, folder: Path) -> Path:
    """A copy of a bundle, made whole."""
    copy = Path(shutil.copytree(bundle, folder / bundle.name))
    subprocess.run([sys.executable, "-m", "cvat_nuclio", "generate", str(copy)], check=True, stdout=subprocess.DEVNULL)
    return copy


def soak(server: Server, seconds: float) -> int:
    """Sends to all functions at once for so long; the exit status."""
    stop = threading.Event()
    clients = [Client(function, 10 * number, stop) for number, function in enumerate(server.functions)]
    names = {pid: function.name for function in server.functions for pid in function.pids}
    readings: dict[int, list[float]] = {pid: [] for pid in names}
    for client in clients:
        client.start()
    watch(readings, names, clients, seconds)
    stop.set()
    for client in clients:
        client.join(130)
    return report(server, clients, readings, names)


def watch(readings: dict[int, list[float]], names: dict[int, str], clients: list[Client], seconds: float) -> None:
    """Reads every worker's memory some hundreds of times, and prints it every minute."""
    started = time.monotonic()
    pause, told = min(10.0, max(seconds / 100, 0.1)), 0
    while (spent := time.monotonic() - started) < seconds:
        time.sleep(pause)
        for pid in readings:
            size = resident_mib(pid)
            if not size:  # it ended
                return
            readings[pid].append(size)
        if spent // 60 >= told:
            told += 1
            sizes = ", ".join(f"{names[pid]} {pid}: {values[-1]:.1f} MiB" for pid, values in readings.items())
            print(f"{spent / 60:5.1f} min, {sum(c.statuses.total() for c in clients)} requests; {sizes}", flush=True)


def report(server: Server, clients: list[Client], readings: dict[int, list[float]], names: dict[int, str]) -> int:
    failed = False
    for client in clients:
        print(f"{client.name}: {dict(sorted(client.statuses.items()))}")
        for fault, count in client.faults.items():
            failed = True
            print(f"FAULT: {client.name}: {count} × {fault}")
        if not client.statuses[200]:
            failed = True
            print(f"FAULT: {client.name}: nothing was answered with 200")
    if set(server.worker_pids) != set(readings):
        failed = True
        print(f"FAULT: workers were restarted: {sorted(readings)} became {sorted(server.worker_pids)}")
    for pid, values in readings.items():
        flat = len(values) >= _LEAST_READINGS and resident_memory.is_flat(values)
        failed |= not flat
        word = "flat" if flat else "FAULT: not flat"
        print(f"{names[pid]} {pid}: {values[0]:.1f} → {values[-1]:.1f} MiB, "
              f"{resident_memory.growth(values):+.1f} after warm-up: {word}")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
