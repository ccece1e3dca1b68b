"""Secrets that steps of an image's build ask for by name: `RUN --mount=type=secret,id=NAME`.

Docker takes each from the variable of that name in its own environment, which is nuctl's. Unlike a build argument it is
in no layer and in no history: https://docs.docker.com/build/building/secrets
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..errors import UserError
from .build_arguments import refuse_pods

#: Only this builder of Docker's knows secrets; before Docker 23 it had to be asked for.
BUILDER: Final = {"DOCKER_BUILDKIT": "1"}
_MOUNT: Final = "--mount="


def asked_secrets(config: Mapping[str, Any]) -> dict[str, bool]:
    """Whether the step fails without it, by the secret's name, of all steps of a function's build."""
    directives = (config["spec"].get("build") or {}).get("directives") or {}
    steps = [str(step.get("value")) for each in directives.values() for step in each or () if step.get("kind") == "RUN"]
    asked: dict[str, bool] = {}
    for mount in (mount for step in steps for mount in _mounts(step)):
        if mount.get("type") == "secret" and (name := mount.get("id")):
            asked[name] = asked.get(name, False) or mount.get("required", "false") in ("", "true")
    return asked


def with_secrets(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """`config` of a function with a flag of `docker build` for each secret that this environment has.

    Raises UserError for one that a step cannot do without, and where no Docker of this machine builds.
    """
    asked = asked_secrets(config)
    build = config["spec"].get("build") or {}
    flags = list(build.get("flags") or ())
    asked = {name: needed for name, needed in asked.items() if not any(f"id={name}" in str(flag) for flag in flags)}
    if missing := next((name for name, needed in asked.items() if needed and not os.environ.get(name)), None):
        raise UserError(
            f"the image's build asks for the secret {missing}",
            why=f"there is no variable {missing} in the environment",
            remedy=f"export {missing}, and deploy again",
        )
    given = [name for name in asked if os.environ.get(name)]
    if not given:
        return config
    refuse_pods(f"the secret {given[0]} reaches")
    flags += [f"--secret=id={name},env={name}" for name in given]
    return {**config, "spec": {**config["spec"], "build": {**build, "flags": flags}}}


def _mounts(step: str) -> Iterator[dict[str, str]]:
    """The fields of each mount; flags come before the command."""
    for word in step.split():
        if not word.startswith("--"):
            return
        if word.startswith(_MOUNT):
            yield {key: value for key, _, value in (field.partition("=") for field in word[len(_MOUNT) :].split(","))}
