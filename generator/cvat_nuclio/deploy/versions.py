"""A tag for each version of a function's image, and the last good version, kept where whoever uses Nuclio finds it.

nuctl names an image `NAME:latest`, and the next build takes that name away: there is nothing to go back to. Here the
tag is a hash of what goes into the image. What ran before travels with the function itself, packed, in an annotation:
so another user, or another machine, can go back as well. CVAT reads the annotations that it knows alone.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from ..limits import CONFIG_PASSES
from ..nuclio.function_yaml import FunctionYaml
from ..nuclio.image_name import image_name
from ..state_keys import VARIABLE, file_with
from .deploy_options import DeployOptions

ANNOTATION: Final = "cvat-nuclio.last-good"
_TAG_CHARS = 12
_ANNOTATIONS_PASS = 200_000
"""Bytes; Kubernetes takes 256 KiB of annotations, and the function's whole configuration is one of them."""
_LONGEST = 1 << 20
"""Bytes of an unpacked configuration: an annotation can be written by others."""
_OF_ONE_DEPLOY = ("build", "imageHash", "version", "alias")
"""Keys of spec that belong to the deploy that wrote them: the image is there already."""


def image_of(function: FunctionYaml, nuctl_version: str, arguments: Mapping[str, str] = {}) -> str:
    """The name, with a tag of its own, of the image that nuctl makes of the bundle as it lies there.

    `arguments` are the build's. A tag in the file stays, as the tag's beginning.
    """
    name, tag, _ = image_name(str(function.build.get("image") or f"nuclio/processor-{function.name}"))
    return f"{name}:{'-'.join(filter(None, [tag, _content(function, [nuctl_version, arguments])]))}"


def with_image(config: Mapping[str, Any], image: str) -> dict[str, Any]:
    """`config` of a function whose image nuctl makes, under that name: nuctl's own --image loses to the file."""
    spec = config["spec"]
    return {**config, "spec": {**spec, "build": {**(spec.get("build") or {}), "image": image}}}


def superseded(found: Iterable[str], current: str, kept: Mapping[str, Any]) -> list[str]:
    """Of images on this machine those of earlier versions that nothing goes back to: tags of ours beside `current`.

    `kept` is the configuration that runs now, which names the last good version.
    """
    last = (last_good(kept) or {"spec": {}})["spec"].get("image")
    name = image_name(current).name
    of_ours = re.compile(rf"{re.escape(name)}:(?:[\w.-]+-)?[0-9a-f]{{{_TAG_CHARS}}}")
    return [image for image in found if of_ours.fullmatch(image) and image not in (current, last)]


def has_own_tag(image: str) -> bool:
    """Whether the name says which version it is."""
    _, tag, digest = image_name(image)
    return bool(digest) or tag not in ("", "latest")


def _content(function: FunctionYaml, told: Sequence[Any]) -> str:
    """Of all files of the bundle, of the build's steps, and of what else it is `told`: nuctl adds its processor."""
    digest = hashlib.sha256(json.dumps([*told, function.spec.get("runtime"), function.build]).encode())
    for file in _files(function.folder):
        digest.update(f"\0{file.relative_to(function.folder).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:_TAG_CHARS]


def _files(folder: Path) -> Iterator[Path]:
    found = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    yield from sorted(found)


def with_last_good(
    config: Mapping[str, Any], before: Mapping[str, Any], *, serves: bool, platform: str = "local"
) -> dict[str, Any]:
    """`config` with what to go back to if it fails: what runs `before`, or, where that does not serve, what that one
    went back to. Nothing is kept where the whole would be too long for the platform."""
    metadata = config.get("metadata") or {}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION}
    kept = _packed(before) if serves else _annotation(before)
    longer = {
        **config,
        "metadata": {**metadata, "annotations": {**annotations, **({ANNOTATION: kept} if kept else {})}},
    }
    if len(json.dumps(longer)) <= (CONFIG_PASSES if platform == "local" else _ANNOTATIONS_PASS):
        return longer
    return {**config, "metadata": {**metadata, "annotations": annotations}}


def last_good(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration to go back to from `config`, which is Nuclio's; None where none is known.

    It runs an image that is there already, with the tracker's key of now.
    """
    found = _unpacked(_annotation(config))
    if found is None:
        return None
    env = (config.get("spec") or {}).get("env") or []
    keys = [entry for entry in env if entry.get("name") == VARIABLE]
    others = [entry for entry in found["spec"].get("env") or [] if entry.get("name") != VARIABLE]
    return {**found, "spec": {**found["spec"], "env": [*others, *keys]}}


@contextmanager
def opened(config: Mapping[str, Any], options: DeployOptions) -> Iterator[tuple[FunctionYaml, DeployOptions]]:
    """A kept configuration as a file for nuctl, gone again afterwards, and the options to deploy it with.

    Raises UserError where Nuclio refuses it.
    """
    project = (config["metadata"].get("labels") or {}).get("nuclio.io/project-name") or options.project
    with file_with({}, config) as file:
        yield FunctionYaml.open(file), attrs.evolve(options.of_rollback, project=project)


def keeps_last_good(config: Mapping[str, Any]) -> bool:
    """Whether there is something to go back to in it."""
    return bool(_annotation(config))


def _annotation(config: Mapping[str, Any]) -> str:
    return str(((config.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION) or "")


def _packed(config: Mapping[str, Any]) -> str:
    metadata, spec = config.get("metadata") or {}, config.get("spec") or {}
    if not spec.get("image"):
        return ""
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != ANNOTATION}
    labels = metadata.get("labels") or {}
    env = [entry for entry in spec.get("env") or [] if entry.get("name") != VARIABLE]
    lasting = {key: value for key, value in spec.items() if key not in _OF_ONE_DEPLOY}
    kept = {
        "metadata": {"name": metadata.get("name"), "labels": labels, "annotations": annotations},
        "spec": {**lasting, "env": env},
    }
    return base64.b64encode(zlib.compress(json.dumps(kept).encode(), 9)).decode()


def _unpacked(text: str) -> dict[str, Any] | None:
    try:
        packed = base64.b64decode(text, validate=True)
        found = json.loads(zlib.decompressobj().decompress(packed, _LONGEST))
    except (binascii.Error, zlib.error, ValueError):
        return None
    sound = isinstance(found, dict) and isinstance(found.get("metadata"), dict) and isinstance(found.get("spec"), dict)
    return found if sound and found["spec"].get("image") else None
