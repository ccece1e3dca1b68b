"""What an image says of itself: labels, a bill of materials, digests of its bases, the weights that it is for."""

import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cvat_nuclio import __version__
from cvat_nuclio.errors import UserError
from cvat_nuclio.generate import digests

DIGEST = "sha256:" + "5" * 64


def label_of(folder: Path, file: str = "function.yaml") -> dict[str, str]:
    steps = yaml.safe_load((folder / "nuclio" / file).read_text("utf-8"))["spec"]["build"]["directives"]["preCopy"]
    assert steps[-1]["kind"] == "LABEL", "last, so that nothing is built again for it"
    return dict(word.split("=", 1) for word in steps[-1]["value"].replace('"', "").split(" "))


def options_of(folder: Path) -> dict[str, Any]:
    options: dict[str, Any] = yaml.safe_load((folder / "cvat-nuclio.yaml").read_text("utf-8"))
    return options


def test_an_image_names_its_function_options_tool_and_base(workshop: Any) -> None:
    folder = workshop.generate("detector", "--prebuilt", "example/image:1")
    labels = label_of(folder)
    assert labels["cvat-nuclio.function"] == folder.name
    assert labels["cvat-nuclio.version"] == __version__
    assert labels["org.opencontainers.image.base.name"] == "python:3.11-slim"
    assert "org.opencontainers.image.base.digest" not in labels
    line = next(text for text in (folder / "nuclio" / "Dockerfile").read_text("utf-8").splitlines() if "LABEL" in text)
    assert labels["cvat-nuclio.options"] in line
    assert workshop.run(folder, "--workers", "3").status == 0
    assert label_of(folder)["cvat-nuclio.options"] == labels["cvat-nuclio.options"]
    assert workshop.run(folder, "--apt", "git").status == 0
    assert label_of(folder)["cvat-nuclio.options"] != labels["cvat-nuclio.options"]
    before = label_of(folder)["cvat-nuclio.options"]
    assert workshop.run(folder).status == 0
    assert label_of(folder)["cvat-nuclio.options"] == before


def test_the_form_for_a_gpu_says_so(workshop: Any, packages: Callable[..., Path]) -> None:
    packages({"torch": "2.15.0+cpu", "torchvision": "0.29.2"})
    folder = workshop.generate("on_torch")
    assert label_of(folder, "function-gpu.yaml")["cvat-nuclio.form"] == "gpu"
    assert label_of(folder)["cvat-nuclio.form"] == "cpu"


def test_weights_are_kept_with_their_sum_and_others_are_refused(workshop: Any) -> None:
    folder = workshop.generate("detector")
    file = folder / "nuclio" / "model.onnx"
    named = "model.onnx=org/model@4f2a"
    assert workshop.run(folder, "--weights", named).status == 0
    assert options_of(folder)["weights"] == {"model.onnx": "org/model@4f2a"}
    file.write_bytes(b"the weights")
    digest = hashlib.sha256(b"the weights").hexdigest()
    assert workshop.run(folder).status == 0
    assert options_of(folder)["weights"] == {"model.onnx": f"org/model@4f2a sha256:{digest}"}
    assert label_of(folder)["cvat-nuclio.weights"] == f"org/model@4f2a+sha256:{digest}"
    file.write_bytes(b"other weights")
    refused = workshop.run(folder)
    assert refused.status == 2
    assert "holds other weights than org/model@4f2a" in refused.err
    assert workshop.run(folder, "--weights", "model.onnx=org/model@5").status == 0
    file.unlink()
    assert workshop.run(folder).status == 0
    assert options_of(folder)["weights"]["model.onnx"].startswith("org/model@5 sha256:")


def test_a_bill_lists_image_packages_and_weights_and_is_the_same_again(workshop: Any) -> None:
    folder = workshop.generate("detector", "--sbom", "--apt", "libgomp1", "--weights", "m.onnx=org/m@1")
    file = folder / "nuclio" / "bom.cdx.json"
    first = file.read_bytes()
    bill = json.loads(first)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    parts = {part["bom-ref"]: part for part in bill["components"]}
    assert len(parts) == len(bill["components"])
    assert set(bill["dependencies"][0]["dependsOn"]) == set(parts)
    assert parts["image:python:3.11-slim"]["version"] == "3.11-slim"
    assert parts["pkg:deb/debian/libgomp1"]["type"] == "library"
    assert parts["weights:m.onnx"] == {
        "type": "machine-learning-model", "bom-ref": "weights:m.onnx", "name": "org/m", "version": "1",
    }  # fmt: skip
    packages = [part for part in parts if part.startswith("pkg:pypi/")]
    assert any(part.startswith("pkg:pypi/nuclio-sdk@") for part in packages)
    assert workshop.run(folder, "--force").status == 0
    assert file.read_bytes() == first
    assert workshop.run(folder, "--no-sbom").status == 0
    assert options_of(folder)["sbom"] is False


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    """A registry that wants a pass of strangers, as Docker's own does: its address, and what it was asked."""
    asked: list[str] = []

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')}")
            known = self.path == "/v2/team/base/manifests/1"
            if self.headers.get("Authorization") != "Bearer pass":
                self.send_response(401)
                realm = f"http://{self.headers['Host']}/token"
                self.send_header(
                    "WWW-Authenticate", f'Bearer realm="{realm}",service="s",scope="repository:team/base:pull"'
                )
            else:
                self.send_response(200 if known else 404)
                self.send_header("Docker-Content-Digest", DIGEST if known else "")
            self.end_headers()

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"token": "pass"}')

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


def test_a_registry_is_asked_for_a_digest_with_a_stranger_s_pass(hub: tuple[str, list[str]]) -> None:
    host, asked = hub
    assert digests.pinned(f"{host}/team/base:1", scheme="http") == f"{host}/team/base:1@{DIGEST}"
    assert asked == [
        "/v2/team/base/manifests/1 ",
        "/token?service=s&scope=repository%3Ateam%2Fbase%3Apull",
        "/v2/team/base/manifests/1 Bearer pass",
    ]
    with pytest.raises(UserError, match=r"gives no digest of .*:2") as caught:
        digests.pinned(f"{host}/team/base:2", scheme="http")
    assert "HTTP 404" in caught.value.why
    with pytest.raises(UserError, match="cannot be asked"):
        digests.pinned("127.0.0.1:1/a:1", scheme="http")


def test_images_are_pinned_once_and_again_when_asked_again(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([DIGEST, "sha256:" + "6" * 64])
    monkeypatch.setattr(digests, "pinned", lambda name: f"{name}@{next(found)}")
    folder = workshop.generate("detector", "--pin-digests")
    build = yaml.safe_load((folder / "nuclio" / "function.yaml").read_text("utf-8"))["spec"]["build"]
    assert build["baseImage"] == f"python:3.11-slim@{DIGEST}"
    assert label_of(folder)["org.opencontainers.image.base.digest"] == DIGEST
    assert workshop.run(folder, "--workers", "2").status == 0
    assert options_of(folder)["digests"] == {"python:3.11-slim": DIGEST}
    assert workshop.run(folder, "--pin-digests").status == 0
    assert options_of(folder)["digests"] == {"python:3.11-slim": "sha256:" + "6" * 64}
