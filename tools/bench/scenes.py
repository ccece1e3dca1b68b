"""The bundles, handlers and images that several rows use."""

import base64
import json
import subprocess
import sys
from pathlib import Path

from cvat_nuclio.bench.sample_picture import photograph as jpeg

__all__ = ["FUNCTIONS", "detector_body", "generated_bundle", "jpeg", "plain_bundle"]

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


def detector_body(image: bytes) -> bytes:
    """What CVAT posts to a detector."""
    return json.dumps({"image": base64.b64encode(image).decode("ascii")}).encode()


def plain_bundle(folder: Path, name: str) -> Path:
    """A hand-written bundle around one of `functions/`."""
    bundle = folder / name
    bundle.mkdir(parents=True)
    (bundle / "function.yaml").write_text(_PLAIN.format(name=name), "utf-8")
    (bundle / "main.py").write_text((FUNCTIONS / f"{name}.py").read_text("utf-8"), "utf-8")
    return bundle


def generated_bundle(folder: Path, name: str) -> Path:
    """A bundle that `cvat-nuclio generate` makes of one of `functions/`."""
    output = folder / name
    words = ["generate", "--function-file", str(FUNCTIONS / f"{name}.py"), "--output", str(output)]
    words += ["--name", name.replace("_", "-"), "--description", "benchmark"]
    subprocess.run([sys.executable, "-m", "cvat_nuclio", *words], check=True, stdout=subprocess.DEVNULL)
    return output / "nuclio"
