"""What an image is made of, for those who get it from others: its labels, and a bill of materials (CycloneDX)."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs

from .. import __version__
from ..nuclio.image_name import image_name
from .bundle_options import PARTS, key_of
from .description import Description
from .forms import Pinned
from .weights import Weights

#: https://github.com/opencontainers/image-spec/blob/main/annotations.md
_BASE: Final = "org.opencontainers.image.base"
#: Of this machine; and what is added with the sums that were seen.
_LEFT_OUT: Final = ("folder", "python", "working_directory", "weights")


def labels(bundle: Description, *, gpu: bool) -> dict[str, str]:
    """The image's labels: whose it is, of which options and tool, on what it stands, which weights it is for."""
    reference, _, digest = bundle.form(gpu=gpu).image.reference.partition("@")
    found = {
        "cvat-nuclio.function": bundle.function.name,
        "cvat-nuclio.form": "gpu" if gpu else "cpu",
        "cvat-nuclio.options": f"sha256:{options_sum(bundle)}",
        "cvat-nuclio.version": __version__,
        f"{_BASE}.name": reference,
        f"{_BASE}.digest": digest,
        "cvat-nuclio.weights": ",".join(one.text.replace(" ", "+") for one in bundle.weights),
    }
    return {name: value for name, value in found.items() if value}


def options_sum(bundle: Description) -> str:
    """SHA-256 of the options that differ from their defaults, without what belongs to this machine, and without those
    of the service: the image runs under any."""
    chosen = {
        key_of(field.name): value
        for part, kind in PARTS.items()
        if part != "service"
        for field in attrs.fields(kind)
        if field.name not in _LEFT_OUT
        and (value := getattr(getattr(bundle, part), field.name)) not in (None, "", (), {})
        and value != field.default
    }
    chosen["weights"] = [f"{one.file} {one.text}" for one in bundle.weights]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True, default=_plain).encode()).hexdigest()


def bill_of_materials(bundle: Description, *, gpu: bool) -> str:
    """CycloneDX 1.5 as JSON (https://cyclonedx.org/docs/1.5/json); the same bundle gives the same text."""
    own = {"type": "application", "bom-ref": "function", "name": bundle.function.name, "description": bundle.text}
    form, models = bundle.form(gpu=gpu), map(_model, bundle.weights)
    parts = [_image(form.image.reference), *_packages(form.pinned, bundle.image.apt), *models]
    content = {
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "cvat-nuclio", "version": __version__}]},
            "component": {**own, "properties": [{"name": "cvat-nuclio.options", "value": options_sum(bundle)}]},
        },
        "components": parts,
        "dependencies": [{"ref": "function", "dependsOn": [part["bom-ref"] for part in parts]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return json.dumps({**head, **content}, indent=2, ensure_ascii=False) + "\n"


def _image(reference: str) -> dict[str, Any]:
    name, tag, digest = image_name(reference)
    found: dict[str, Any] = {"type": "container", "bom-ref": f"image:{reference}", "name": name}
    found["version"] = tag or "latest"
    if digest:
        found["hashes"] = [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
    return found


def _packages(pinned: Pinned, apt: Iterable[str]) -> Iterator[dict[str, Any]]:
    pins = pinned.constraints or {line.name: line.version for line in pinned.requirements.lines if line.version}
    # A local version (`+cpu`) is part of it.
    yield from (_library("pypi", name, version) for name, version in sorted(pins.items()))
    for package in sorted(apt):
        name, _, version = package.partition("=")
        yield _library("deb/debian", name, version)


def _library(kind: str, name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:{kind}/{quote(name.lower())}" + (f"@{quote(version)}" if version else "")
    versioned = {"version": version} if version else {}
    return {"type": "library", "bom-ref": purl, "name": name, **versioned, "purl": purl}


def _model(weights: Weights) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"weights:{weights.file}",
        "name": weights.name,
        "version": weights.revision,
    }
    if weights.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": weights.sha256}]
    return found


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
