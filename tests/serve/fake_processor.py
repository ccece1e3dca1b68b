"""Stands in for Nuclio's processor: takes its options and files, answers its ports, ends on SIGTERM."""

import http.server
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import yaml


def option(name: Any) -> Any:
    """The value of a command-line option."""
    return sys.argv[sys.argv.index(name) + 1]


class Handler(http.server.BaseHTTPRequestHandler):
    """Tells what the processor was started with."""

    def do_GET(self) -> None:
        """Answers any GET."""
        body = json.dumps(
            {"config": CONFIG, "env": dict(os.environ), "cwd": str(Path.cwd()), "socket": str(SOCKET)}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


def serve(address: Any) -> None:
    """Serves on an address in a thread."""
    host, _, port = address.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


CONFIG = yaml.safe_load(Path(option("--config")).read_text())
PLATFORM = yaml.safe_load(Path(option("--platform-config")).read_text())
SOCKET = Path(f"/tmp/nuclio-rpc-fake{os.getpid()}.sock")
if os.environ.get("FAKE_FAILS"):
    print("panic: Wrapper process for worker 0 exited unexpectedly with: exit status 1", file=sys.stderr)
    print("\ngoroutine 1 [running]:\nmain.main()", file=sys.stderr)
    sys.exit(2)
SOCKET.touch()
line = {"level": "debug", "time": 1, "name": "processor", "message": "Creating listener socket", "path": str(SOCKET)}
print(json.dumps(line), flush=True)
serve(PLATFORM["healthCheck"]["listenAddress"])
serve(next(iter(CONFIG["spec"]["triggers"].values()))["url"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    signal.pause()
