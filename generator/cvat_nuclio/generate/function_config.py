"""function.yaml as an object: what Nuclio shall read. The template's text is compared with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..limits import CONFIG_PASSES
from ..nuclio.duration import nanoseconds
from .description import Description
from .kubernetes import placement, reach, resources, secret_variables
from .provenance import labels
from .steps import Step, label_step, steps

#: The oldest runtime whose wheels every Nuclio from 1.13 to 1.16 has and that is new enough for cvat-sdk.
RUNTIME = "python:3.11"
TRIGGER = "myHttpTrigger"
#: The variable that tells model_handler.py, which both forms share, that it is the GPU's.
FORM = "AA_FORM"


@attrs.frozen(kw_only=True)
class Variant:
    """One of the files that can be deployed."""

    gpu: bool = False
    image: str = ""
    """The image to run; empty: nuctl builds one."""

    @property
    def file(self) -> str:
        """Its name in the bundle: `function-prebuilt-gpu.yaml`."""
        return f"function{'-prebuilt' if self.image else ''}{'-gpu' if self.gpu else ''}.yaml"

    @property
    def dockerfile(self) -> str:
        """What builds its image, where nuctl does not."""
        return "Dockerfile-gpu" if self.gpu else "Dockerfile"


def build_steps(bundle: Description, variant: Variant, requirements: Sequence[str]) -> list[Step]:
    """How this variant's image is built; `requirements` are the files that pip reads, by their names in the bundle."""
    image = bundle.images.gpu.image if variant.gpu and bundle.images.gpu else bundle.images.cpu
    pin = ""
    if bundle.probe.drags_opencv:
        name = "opencv-python-headless"
        pin = f"{name}=={bundle.requirements.version(name)}" if bundle.requirements.version(name) else name
    git = ["git"] if any("git+" in line.text for line in bundle.requirements.lines) else []
    made = steps(
        image, requirements=requirements, apt=[*bundle.image.apt, *git], gpu=variant.gpu, replace_opencv=pin,
        bake=bundle.bake_files, secrets=bundle.image.build_secret,
    )  # fmt: skip
    return [*made, label_step(labels(bundle, image, gpu=variant.gpu))]


def function_config(bundle: Description, variant: Variant, build: list[Step]) -> dict[str, Any]:
    """The whole file as Nuclio reads it. Raises UserError."""
    service = bundle.service
    image = bundle.images.gpu.image if variant.gpu and bundle.images.gpu else bundle.images.cpu
    spec: dict[str, Any] = {
        "description": bundle.text,
        "runtime": RUNTIME,
        "handler": "main:handler",
        "eventTimeout": service.event_timeout,
        "readinessTimeoutSeconds": service.readiness_timeout,
        "triggers": {TRIGGER: _trigger(bundle, variant)},
        "platform": {"attributes": {"restartPolicy": {"name": "on-failure", "maximumRetryCount": 3}}},
        **placement(service, in_memory=bundle.in_memory),
    }
    env = {**service.env, **({FORM: "gpu"} if variant.gpu and bundle.function.gpu_parameters else {})}
    variables = [*({"name": name, "value": value} for name, value in env.items()), *secret_variables(service)]
    if variables:
        spec["env"] = variables
    if found := resources(service, gpu=variant.gpu):
        spec["resources"] = found
    if variant.image:
        spec["image"] = variant.image
    else:
        spec["build"] = {
            "image": f"cvat-nuclio/{bundle.function.name}{'-gpu' if variant.gpu else ''}",
            "baseImage": image.reference,
            "directives": {"preCopy": [step.directive() for step in build]},
        }
    metadata = {
        "name": bundle.function.name,
        "labels": {"nuclio.io/project-name": "cvat"},
        "annotations": dict(bundle.annotations),
    }
    return {"metadata": metadata, "spec": spec}


def workers_reason(bundle: Description, variant: Variant) -> str:
    """Why there is only one, where the user has no say."""
    if bundle.in_memory:
        return "One: the states of what is tracked live in it."
    return "One: a second would need as much GPU memory again." if variant.gpu else ""


def _trigger(bundle: Description, variant: Variant) -> dict[str, Any]:
    service = bundle.service
    workers = 1 if variant.gpu or bundle.in_memory else service.workers or 1
    return {
        "name": TRIGGER,
        "kind": "http",
        "numWorkers": workers,
        "workerAvailabilityTimeoutMilliseconds": nanoseconds(service.event_timeout) // 10**6,
        "attributes": {"maxRequestBodySize": service.body_bytes(bundle.kind), **reach(service)},
    }


def image_comment(bundle: Description, variant: Variant) -> list[str]:
    """What to say about the base image."""
    gpu = bundle.images.gpu if variant.gpu else None
    image = gpu.image if gpu else bundle.images.cpu
    lines = [f"{image.reason}."]
    if gpu and gpu.driver:
        lines.append(f"The host {gpu.driver}.")
    return lines


def check_size(config: Mapping[str, Any]) -> str:
    """A warning where nuctl would fail: on one machine the whole file travels in one argument of a command."""
    import json

    size = len(json.dumps(config).encode())
    if size <= CONFIG_PASSES:
        return ""
    return (
        f"function.yaml comes to {size // 1000} KB; above about 90 KB nuctl on one machine fails with "
        '"argument list too long": use fewer labels or smaller skeletons'
    )  # fmt: skip
