"""function.yaml: what Nuclio shall read, each key with what is worth saying of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from ..errors import UserError
from ..limits import CONFIG_PASSES
from ..nuclio.duration import nanoseconds
from ..nuclio.image_name import image_name
from .commented_yaml import plain, said, wrapped
from .description import Description
from .forms import Form
from .placement import placement, reach, secret_variables
from .steps import Step

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


def variants(bundle: Description) -> list[Variant]:
    """The forms of function.yaml that the bundle has. Raises UserError."""
    gpus = (False, True) if bundle.forms.gpu else (False,)
    built = [Variant(gpu=gpu) for gpu in gpus]
    image = bundle.image.prebuilt
    return built + [Variant(gpu=gpu, image=_prebuilt_image(image, gpu=gpu)) for gpu in gpus if image]


def _prebuilt_image(reference: str, *, gpu: bool) -> str:
    """`IMAGE:TAG`; the GPU form's tag ends in `-gpu`. Raises UserError for a digest, which no build can promise."""
    name, tag, digest = image_name(reference)
    if digest:
        raise UserError(f"--prebuilt {reference} names a digest", why="a build cannot promise one", remedy="give a tag")
    if not gpu:
        return f"{name}:{tag or 'latest'}"
    return f"{name}:{tag + '-' if tag else ''}gpu"


def function_config(bundle: Description, variant: Variant, steps: Sequence[Step]) -> dict[str, Any]:
    """The whole file, for `commented_yaml`. Raises UserError."""
    service, name = bundle.service, bundle.function.name
    about = "The same name as the CPU form's: deploying one replaces the other."
    if not variant.gpu:
        about = "The function's id in CVAT, and a part of the container's and the service's names."
    metadata = {
        "name": said(name, about),
        "labels": {"nuclio.io/project-name": said("cvat", "CVAT lists only the functions of this project.")},
        "annotations": bundle.annotations,
    }
    spec: dict[str, Any] = {
        "description": said(bundle.text, "CVAT cannot list any function while one has no description."),
        "image": said(
            variant.image,
            f"Built beforehand from {variant.dockerfile}. Without a section `build` nuctl builds nothing.",
        ),
        "runtime": said(
            RUNTIME,
            "Names the wheels that Nuclio looks for in its own image. The image's Python may be another one: the "
            "wheels that fit it are among the requirements.",
        ),
        "handler": "main:handler",
        "eventTimeout": said(
            service.event_timeout,
            "A worker that works longer is stopped and loads the model anew, at some time between this and twice this. "
            "CVAT itself gives up after 120 s.",
        ),
        "readinessTimeoutSeconds": said(
            service.readiness_timeout, "How long `nuctl deploy` waits until the model is loaded."
        ),
        "env": _variables(bundle, variant),
        **placement(service, in_memory=bundle.in_memory, gpu=variant.gpu),
        "triggers": {TRIGGER: _trigger(bundle, variant)},
        "build": _build(bundle, variant, steps),
        "platform": {"attributes": {"restartPolicy": _restart_policy()}},
    }
    if variant.image:
        del spec["build"]
    else:
        del spec["image"]
    return {"metadata": metadata, "spec": {key: value for key, value in spec.items() if value not in (None, [], {})}}


def _variables(bundle: Description, variant: Variant) -> list[dict[str, Any]]:
    form = {FORM: "gpu"} if variant.gpu and bundle.function.gpu_parameters else {}
    told = [{"name": name, "value": value} for name, value in {**bundle.service.env, **form}.items()]
    return [*told, *secret_variables(bundle.service)]


def _trigger(bundle: Description, variant: Variant) -> dict[str, Any]:
    service, about = bundle.service, "Processes, each with its own copy of the model."
    workers = service.workers or 1
    if bundle.in_memory:
        workers, about = 1, f"{about} One: the states of what is tracked live in it."
    elif variant.gpu:
        workers, about = 1, f"{about} One: a second would need as much GPU memory again."
    return {
        "name": TRIGGER,
        "kind": "http",
        "numWorkers": said(workers, about),
        "workerAvailabilityTimeoutMilliseconds": said(
            nanoseconds(service.event_timeout) // 10**6, "A request waits this long for a worker before it gets 503."
        ),
        "attributes": {
            "maxRequestBodySize": said(
                service.body_bytes(bundle.kind),
                "In bytes; a frame grows by a third on its way. A larger request is refused with 400. Nuclio's default "
                "is 4 MiB.",
            ),
            **reach(service),
        },
    }


def _build(bundle: Description, variant: Variant, steps: Sequence[Step]) -> dict[str, Any]:
    form = bundle.form(gpu=variant.gpu)
    return {
        "image": said(
            f"cvat-nuclio/{bundle.function.name}{'-gpu' if variant.gpu else ''}",
            "An image of its own: a tag shared with another function, or with the other form, would move between them.",
        ),
        "baseImage": said(form.image.reference, *image_comment(form)),
        "directives": {
            "preCopy": said(
                [said(step.directive(), *wrapped(step.why)) for step in steps],
                "Before the bundle is copied, so that Docker's cache keeps these while only the code changes.",
            )
        },
    }


def _restart_policy() -> dict[str, Any]:
    about = 'With "always" a model that cannot be loaded would restart until the readiness timeout, without an error.'
    return {"name": said("on-failure", about), "maximumRetryCount": 3}


def image_comment(form: Form) -> list[str]:
    """What to say about the base image, line by line."""
    return [*wrapped(form.image.reason), *(wrapped(f"the host {form.driver}") if form.driver else ())]


def check_size(config: Mapping[str, Any]) -> str:
    """A warning where nuctl would fail: on one machine the whole file travels in one argument of a command."""
    size = len(json.dumps(plain(config)).encode())
    if size <= CONFIG_PASSES:
        return ""
    return (
        f"function.yaml comes to {size // 1000} KB; above about 90 KB nuctl on one machine fails with "
        '"argument list too long": use fewer labels or smaller skeletons'
    )
