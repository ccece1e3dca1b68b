"""CN311 to CN315: what is said to the image's build, and how nuctl reads it."""

import itertools
import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..near import near
from ..rule import ERROR, WARNING, ConfigRule

_DIRECTIVES = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip


class DirectivePhase(ConfigRule):
    """A list of directives under another key than `preCopy` and `postCopy`: nobody reads it.

    Of all keys these two are matched with their case.
    """

    id, name, severity = "CN311", "directive-phase", WARNING
    source = (
        "Nuclio: recordings directive-bad-place, directive-bad-place-history; vector spec-build-directive-other-key"
    )
    remedy = "write preCopy or postCopy"

    def check(self, config: Config) -> Iterator[Finding]:
        for phase in config.build.get("directives") or {}:
            if phase not in ("preCopy", "postCopy"):
                found = near(phase, ("preCopy", "postCopy"))
                message = f"nobody reads the directives under {phase}" + (f"; did you mean {found}?" if found else "")
                place = config.key("spec", "build", "directives", phase)
                remedy = f"write {found}" if found else ""
                yield self.found(config.file, message, place, length=len(phase), remedy=remedy)


class DirectiveKind(ConfigRule):
    """A directive that no Dockerfile has: the build fails."""

    id, name, severity = "CN312", "directive-kind", ERROR
    source = "Nuclio: recording directive-unknown"
    remedy = "write RUN, ENV, COPY, ADD, USER, WORKDIR …"

    def check(self, config: Config) -> Iterator[Finding]:
        for phase, i, kind, value in config.directives:
            if phase == "commands":
                continue
            path = ("spec", "build", "directives", phase, i)
            if kind not in _DIRECTIVES:
                found = near(kind, _DIRECTIVES)
                message = f"no Dockerfile has the instruction {kind!r}" + (f"; did you mean {found}?" if found else "")
                remedy = f"write {found}" if found else ""
                yield self.found(config.file, message, config.value(*path, "kind"), length=len(kind), remedy=remedy)
            elif not value.strip():
                yield self.found(config.file, f"{kind} has no value", config.value(*path), remedy="write `value`")


class DirectiveLines(ConfigRule):
    """A directive of several lines without backslashes: Docker takes the second line for an instruction."""

    id, name, severity = "CN313", "directive-lines", ERROR
    source = "Nuclio: the value is pasted into the Dockerfile as it is (build/builder.go)"
    remedy = "end each line but the last with a backslash, or use a here-document"

    def check(self, config: Config) -> Iterator[Finding]:
        for phase, i, kind, value in config.directives:
            lines = value.strip("\n").splitlines()
            if len(lines) < 2 or "<<" in value:
                continue
            for before, after in itertools.pairwise(lines):
                words = after.split()
                starts = bool(words) and words[0].upper() in _DIRECTIVES
                if before.strip() and not before.rstrip().endswith("\\") and words and not starts:
                    if before.lstrip().startswith("#") or after.lstrip().startswith("#"):
                        continue
                    where = ("commands", i) if phase == "commands" else ("directives", phase, i, "value")
                    place = config.value("spec", "build", *where)
                    yield self.found(config.file, f"{kind}: Docker takes {words[0]!r} for an instruction", place)
                    break


class CommandsReplaceDirectives(ConfigRule):
    """`commands` and `directives` together: nuctl forgets the directives."""

    id, name, severity = "CN314", "commands-replace-directives", WARNING
    source = "Nuclio: recording build-commands-and-directives"
    remedy = "write the commands as RUN directives"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.build.get("commands") and any((config.build.get("directives") or {}).values()):
            place = config.key("spec", "build", "directives")
            message = "nuctl forgets the directives, because there are commands"
            yield self.found(config.file, message, place, length=len("directives"))


class BuildArgument(ConfigRule):
    """A build argument with a blank is cut there; an empty one is left out."""

    id, name, severity = "CN315", "build-argument", WARNING
    source = "Nuclio: recordings build-args-space, build-args-seen-in-image"
    remedy = "write an ENV or ARG directive instead"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, value in (config.build.get("args") or {}).items():
            if re.search(r"\s", value) or not value:
                message = f"the build argument {name} arrives as {value.split()[0]!r}" if value.split() else ""
                place = config.value("spec", "build", "args", name)
                yield self.found(config.file, message or f"the empty build argument {name} is left out", place)
