"""What the build of an image is told beside its files: pip's indexes, proxies, arguments of one's own.

Docker takes the value of a `--build-arg NAME` from its own environment, and nuctl hands its environment on to Docker.
So a value stands in no file, in no configuration that Nuclio keeps or shows the function, and on no command line of
nuctl's or Docker's; the names alone do. `spec.build.args` would write it into the function's configuration, and cut it
at the first blank.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ..errors import UserError

INDEX: Final = "PIP_INDEX_URL"
EXTRA_INDEX: Final = "PIP_EXTRA_INDEX_URL"
# Docker knows these without an ARG, and leaves them out of the image's history and of the cache's keys:
# https://docs.docker.com/reference/dockerfile/#predefined-args
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@attrs.frozen
class BuildArguments:
    """`values` by name. Every one is told to the build, and to nothing else."""

    values: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @classmethod
    def given(
        cls, words: Sequence[str], index: str | None = None, extra_indexes: Sequence[str] = ()
    ) -> "BuildArguments":
        """From `NAME=VALUE` and `NAME`, whose value is this process's, and from pip's indexes.

        Raises UserError.
        """
        values = dict(map(_argument, words))
        if index:
            values[INDEX] = index
        if extra_indexes:
            values[EXTRA_INDEX] = " ".join(extra_indexes)
        return cls({spelling: value for name, value in values.items() for spelling in _spellings(name, values)})

    def refuse_other_builders(self, builds_none: str) -> None:
        """Raises UserError where no Docker of this machine builds, which alone would be told. `builds_none`: the option
        with which nothing is built, if there is one."""
        if self.values and builds_none:
            raise UserError(
                f"{builds_none} builds no image, so there is nothing to tell build arguments",
                remedy="give them to the `docker build --build-arg NAME` that makes the image",
            )
        if self.values:
            refuse_pods("build arguments reach", ", or write spec.build.args, which Nuclio keeps")

    @property
    def environment(self) -> dict[str, str]:
        """This process's, with the values: nuctl's, from which Docker takes them."""
        return {**os.environ, **self.values}

    @property
    def kept_passwords(self) -> list[str]:
        """The names whose value holds a login that the image's history will show."""
        return [name for name, value in self.values.items() if _is_declared(name) and any(map(_login, value.split()))]

    def applied(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """`config` of a function with the names in it: flags of `docker build`, declared before every other step.

        Raises UserError where nothing can declare them.
        """
        if not self.values:
            return config
        build = dict(config["spec"].get("build") or {})
        declared = [{"kind": "ARG", "value": name} for name in self.values if _is_declared(name)]
        if declared and build.get("commands"):
            raise UserError(
                f"the build of {config['metadata'].get('name')} cannot be told {declared[0]['value']}",
                why="spec.build.commands replaces the directives, and no command of it can be an ARG",
                remedy="write its commands as directives of kind RUN",
            )
        directives = build.get("directives") or {}
        build["directives"] = {**directives, "preCopy": [*declared, *(directives.get("preCopy") or ())]}
        # One word each: nuctl quotes a flag that holds a blank.
        build["flags"] = [*(build.get("flags") or ()), *(f"--build-arg={name}" for name in self.values)]
        return {**config, "spec": {**config["spec"], "build": build}}

    def hidden(self, line: str) -> str:
        """`line` of nuctl's output with names in place of values that hold a login."""
        for name, value in self.values.items():
            if any(map(_login, value.split())):
                line = line.replace(value, f"({name})")
        return line


def refuse_pods(what: str, otherwise: str = "") -> None:
    """Raises UserError where a pod builds and not this machine's Docker, which alone sees this environment."""
    if os.environ.get("NUCLIO_CONTAINER_BUILDER_KIND", "docker") != "docker":
        raise UserError(
            f"{what} no build in the cluster",
            why="NUCLIO_CONTAINER_BUILDER_KIND has a pod build the image, which does not see this environment",
            remedy=f"unset it, so that this machine's Docker builds{otherwise}",
        )


def _argument(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not _NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of a build argument", remedy="give --build-arg NAME or NAME=VALUE")
    if not equals and name not in os.environ:
        raise UserError(
            f"--build-arg {name}: there is no variable {name} in the environment",
            remedy=f"export it, or give --build-arg {name}=VALUE",
        )
    return name, value if equals else os.environ[name]


def _spellings(name: str, given: Mapping[str, str]) -> list[str]:
    """A proxy in both spellings, unless each is given: apt reads the lower one alone, other programs the upper one."""
    other = name.lower() if name.isupper() else name.upper()
    return [name, other] if name.upper() in _PROXIES and other not in given else [name]


def _is_declared(name: str) -> bool:
    return name.upper() not in _PROXIES


def _login(word: str) -> bool:
    try:
        return bool(urlsplit(word).password or urlsplit(word).username)
    except ValueError:
        return False
