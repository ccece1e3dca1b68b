"""P6: requests a second of the same function behind other servers, 2 workers, 16 clients, the same payload.

Each competitor is installed from the package index into an environment of its own under build/bench/, and serves the
same AA function with the least code that its own documentation asks for: parse, decode, detect, encode.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import urllib3

from cvat_nuclio.bench.load import Load, run_load
from cvat_nuclio.serve import running

from .row import Result, Samples, at_most
from .scenes import detector_body, generated_bundle, jpeg

ROOT = Path(__file__).resolve().parents[2]
SERVERS = Path(__file__).parent / "servers"
WORKERS, CLIENTS, REQUESTS, ROUNDS = 2, 16, 250, 8


@attrs.frozen
class Other:
    """One competitor: its requirement, its command (with {port} and {bin}), and its path."""

    name: str
    requirements: Sequence[str]
    command: Sequence[str]
    path: str = "/"


OTHERS = (
    Other(
        "functions-framework",
        ["functions-framework", "cvat-sdk", "pillow", "numpy"],
        ["{bin}/functions-framework", "--source", f"{SERVERS}/functions_framework_app.py", "--target", "detect",
         "--port", "{port}", "--host", "127.0.0.1"],
    ),
    Other(
        "LitServe",
        ["litserve", "cvat-sdk", "pillow", "numpy"],
        ["{bin}/python", f"{SERVERS}/litserve_app.py", "{port}", str(WORKERS)],
        "/predict",
    ),
    Other(
        "BentoML",
        ["bentoml", "cvat-sdk", "pillow", "numpy"],
        ["{bin}/bentoml", "serve", "bentoml_app:Detector", "--working-dir", str(SERVERS), "--port", "{port}",
         "--host", "127.0.0.1"],
        "/detect",
    ),
)  # fmt: skip


def run(folder: Path) -> Iterator[Result]:
    """Ours and each of theirs in turn, several rounds."""
    body = detector_body(jpeg(1280, 720))
    bundle = generated_bundle(folder, "one_box")
    for other in OTHERS:
        with running(bundle, workers=WORKERS) as server, serving(other) as url:
            ours, theirs = _rounds(server.url, url, body)
        yield from _rows(other.name, ours, theirs)


def _rounds(ours: str, theirs: str, body: bytes) -> tuple[list[Load], list[Load]]:
    """In turn, the first of each round last in the next; one round before them is not counted."""
    loads: dict[str, list[Load]] = {ours: [], theirs: []}
    for number in range(ROUNDS + 1):
        for url in (ours, theirs) if number % 2 else (theirs, ours):
            loads[url].append(_load(url, body))
    return loads[ours][1:], loads[theirs][1:]


def _load(url: str, body: bytes) -> Load:
    return run_load(url, body, requests=REQUESTS, clients=CLIENTS)


def _rows(name: str, ours: Sequence[Load], theirs: Sequence[Load]) -> Iterator[Result]:
    a, b = (Samples(who, [load.throughput for load in side]) for who, side in (("bundle", ours), (name, theirs)))
    ratio = a.median / b.median
    what = f"{WORKERS} workers, {CLIENTS} clients, 720p"
    yield Result(
        row="P6", work=f"requests/s, {what}; against {name}", ours=a, theirs=b, unit="requests/s",
        target="≥ 1.2 ×", met=ratio >= 1.2, ratio=ratio,
    )  # fmt: skip
    a, b = (Samples(who, [load.percentile(99) for load in side]) for who, side in (("bundle", ours), (name, theirs)))
    yield at_most(1, "P6", f"p99 latency, {what}; against {name}", a, b, "ms")


@contextmanager
def serving(other: Other) -> Iterator[str]:
    """Runs the competitor on a free port until the block ends."""
    home = ROOT / "build" / "bench" / other.name
    if not (home / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "-q", *other.requirements], check=True)
    port = _free_port()
    words = [word.format(bin=home / "bin", port=port) for word in other.command]
    env = {**os.environ, "WORKERS": str(WORKERS), "BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": str(SERVERS)}
    log = (home / "log").open("w")
    process = subprocess.Popen(words, env=env, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}{other.path}"
        _wait(url, process, home / "log")
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        log.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    body = detector_body(jpeg(320, 240))
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            headers = {"Content-Type": "application/json"}
            if urllib3.request("POST", url, body=body, headers=headers, retries=False, timeout=20).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer; see {log}")
