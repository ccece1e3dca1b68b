"""CN307, CN312 and CN313: what nuctl passes on as it stands, to a shell and to the image's build."""

import itertools
import json
from collections.abc import Iterator

from ...limits import CONFIG_FAILS, CONFIG_PASSES
from ..bundle import Bundle
from ..near import did_you_mean, near
from ..rule import ERROR, WARNING, Fault, rule

_DIRECTIVES = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip


@rule(
    "CN307", "config-size", ERROR,
    source="Nuclio: recordings annotation-80kb, annotation-100kb; nuclio#3261, #3617",
    remedy="shorten the labels' list or the drawings",
)  # fmt: skip
def config_size(bundle: Bundle) -> Iterator[Fault]:
    """The configuration is too big for the local platform.

    nuctl passes it to Docker in one argument of a shell command, base64 and JSON; Linux allows 128 KiB. 80 KB pass,
    100 KB fail with "argument list too long", 1.14 only after the build. Long lists of labels get there.
    """
    size = len(json.dumps(bundle.config, separators=(",", ":"), ensure_ascii=False).encode())
    if size <= CONFIG_PASSES:
        return
    biggest = max(bundle.annotations, key=lambda name: len(bundle.annotations[name]), default="")
    place = bundle.places.key("metadata", "annotations", biggest) if biggest else (1, 1)
    fails = size > CONFIG_FAILS
    message = (
        f"the configuration has {size // 1000} KB; above about {CONFIG_FAILS // 1000} KB the deploy on local Docker "
        + ("fails" if fails else "may fail")
    )
    yield Fault(message, place, severity=ERROR if fails else WARNING)


@rule(
    "CN312", "directive-kind", ERROR,
    source="Nuclio: recording directive-unknown", remedy="write RUN, ENV, COPY, ADD, USER, WORKDIR …",
)  # fmt: skip
def directive_kind(bundle: Bundle) -> Iterator[Fault]:
    """A directive that no Dockerfile has: the build fails."""
    for step in bundle.directives:
        parent = step.path[:-1]
        if step.kind not in _DIRECTIVES:
            close = near(step.kind, _DIRECTIVES)
            message = f"no Dockerfile has the instruction {step.kind!r}{did_you_mean(close)}"
            place = bundle.places.value(*parent, "kind")
            yield Fault(message, place, len(step.kind), remedy=f"write {close}" if close else "")
        elif step.phase != "commands" and not step.value.strip():
            yield Fault(f"{step.kind} has no value", bundle.places.value(*parent), remedy="write `value`")


@rule(
    "CN313", "directive-lines", ERROR,
    source="Nuclio: the value is pasted into the Dockerfile as it is (build/builder.go)",
    remedy="end each line but the last with a backslash, or use a here-document",
)  # fmt: skip
def directive_lines(bundle: Bundle) -> Iterator[Fault]:
    """A directive of several lines without backslashes: Docker takes the second line for an instruction."""
    for step in bundle.directives:
        if word := _taken_for_instruction(step.value):
            place = bundle.places.value(*step.path)
            yield Fault(f"{step.kind}: Docker takes {word!r} for an instruction", place)


def _taken_for_instruction(value: str) -> str:
    lines = value.strip("\n").splitlines()
    for before, after in itertools.pairwise(lines if "<<" not in value else []):
        words = after.split()
        goes_on = not before.strip() or before.rstrip().endswith("\\")
        comment = before.lstrip().startswith("#") or after.lstrip().startswith("#")
        if words and not goes_on and not comment and words[0].upper() not in _DIRECTIVES:
            return words[0]
    return ""
