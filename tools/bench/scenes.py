"""The bundles, images and the client that several rows use."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cvat_nuclio.bench.load import Client
from cvat_nuclio.bench.sample_picture import photograph as jpeg

__all__ = ["FUNCTIONS", "client", "detector_body", "generated_bundle", "jpeg", "pictures", "plain_bundle"]

FUNCTIONS = Path(__file__).parent / "functions"

_PLAIN = """\
metadata:
  name: "{name}"
  annotations:
    name: "{name}"
    type: "detector"
    spec: '[{{"name": "box", "type": "rectangle"}}]'
spec:
  description: "{name}"
  runtime: "python:3.11"
  handler: "main:handler"
  eventTimeout: "60s"
  triggers:
    http:
      kind: "http"
      numWorkers: 1
      workerAvailabilityTimeoutMilliseconds: 60000
      attributes:
        maxRequestBodySize: 67108864
"""


def client(url: str, body: bytes) -> Callable[[], bytes]:
    """Posts the same body again and again to one function, over one connection."""
    return partial(Client(url).send, body)


def pictures(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Photographs of one size, each with other bytes."""
    folder.mkdir()
    files = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, file in enumerate(files):
        file.write_bytes(jpeg(*size) + bytes(number + 1))
    return files


def detector_body(image: bytes) -> bytes:
    """What CVAT posts to a detector."""
    return json.dumps({"image": base64.b64encode(image).decode("ascii")}).encode()


def plain_bundle(folder: Path, name: str, more: str = "") -> Path:
    """A hand-written bundle around one of `functions/`, with `more` lines of Python at its end."""
    bundle = folder / name
    bundle.mkdir(parents=True)
    (bundle / "function.yaml").write_text(_PLAIN.format(name=name), "utf-8")
    (bundle / "main.py").write_text((FUNCTIONS / f"{name}.py").read_text("utf-8") + more, "utf-8")
    return bundle


def generated_bundle(folder: Path, name: str) -> Path:
    """A bundle that `cvat-nuclio generate` makes of one of `functions/`."""
    output = folder / name
    words = ["generate", "--function-file", str(FUNCTIONS / f"{name}.py"), "--output", str(output)]
    words += ["--name", name.replace("_", "-"), "--description", "benchmark"]
    subprocess.run([sys.executable, "-m", "cvat_nuclio", *words], check=True, stdout=subprocess.DEVNULL)
    return output / "nuclio"
