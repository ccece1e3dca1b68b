"""CN30x to CN320: what nuctl, Docker and Kubernetes refuse or pass over."""

import itertools
import re
from collections.abc import Iterator

import yaml

from ...nuclio.quantity import NANO
from ...nuclio.quantity import parse as parse_quantity
from ..config import Config
from ..finding import Edit, Finding
from ..near import near
from ..rule import ERROR, NOTE, WARNING, ConfigRule
from ..textplace import key_at, node_at

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,53}[a-z0-9])?")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_RESERVED = ("dashboard", "controller", "dlx", "scaler")
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?/)?[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
    r"(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@\w+:[0-9a-f]{32,})?"
)
_DIRECTIVES = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip


class NameMissing(ConfigRule):
    """The file gives the function no name: `nuctl deploy` refuses it, unless its command line gives one."""

    id, name, severity = "CN301", "name-missing", WARNING
    cvat = True
    source = "Nuclio: recording name-empty"
    remedy = "write metadata.name, such as onnx-yolo"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.has("spec") and config.config and not config.name:
            yield self.found(config.file, "the file gives the function no name", config.key("metadata", "name"))


class NameForm(ConfigRule):
    """The name cannot serve as a container's or a service's name.

    A slash is worst: it breaks every later listing of functions, CVAT's model list included, until the store is mended
    by hand. Kubernetes wants lower case, digits and hyphens, at most 55 characters.
    """

    id, name, severity = "CN302", "name-form", ERROR
    source = "Nuclio: recordings name-slash, name-space, name-upper-case-no-build-image, name-dot, create-bad-name"
    remedy = "write lower-case letters, digits and hyphens, beginning with a letter"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.name
        if not text or _NAME.fullmatch(text):
            return
        place = config.value("metadata", "name")
        if not _QUALIFIED.fullmatch(text):
            broken = "; every later listing of functions fails" if "/" in text else ""
            message = f"{text!r} cannot name a container{broken}"
            yield self.found(config.file, message, place, length=len(text))
        elif text != text.lower() and config.builds and not config.build.get("image"):
            message = f"nuctl names the image after the function, and {text!r} is not lower case"
            yield self.found(config.file, message, place, length=len(text))
        else:
            message = f"Kubernetes takes no service named nuclio-{text}"
            yield self.found(config.file, message, place, severity=NOTE, length=len(text))


class NameReserved(ConfigRule):
    """The name belongs to one of Nuclio's own services: nuctl refuses it."""

    id, name, severity = "CN303", "name-reserved", ERROR
    source = "Nuclio: recording name-reserved"
    remedy = "choose another name"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.name in _RESERVED:
            place = config.value("metadata", "name")
            yield self.found(config.file, f"Nuclio reserves the name {config.name}", place, length=len(config.name))


class ImageName(ConfigRule):
    """An image's name that Docker does not accept: nuctl refuses it."""

    id, name, severity = "CN304", "image-name", ERROR
    source = "Nuclio: recording build-image-upper-case; abstract/platform.go ValidateFunctionConfig"
    remedy = "write lower case: registry/team/name:tag"

    def check(self, config: Config) -> Iterator[Finding]:
        for path in (("spec", "build", "image"), ("spec", "build", "onbuildImage"), ("spec", "image")):
            holder = config.build if "build" in path else config.spec
            text = holder.get(path[-1], "")
            if text and not _IMAGE.fullmatch(text):
                message = f"{'.'.join(path)}: {text!r} names no image"
                yield self.found(config.file, message, config.value(*path), length=len(text))


class TriggerName(ConfigRule):
    """A trigger's `name` differs from its key: nuctl refuses it."""

    id, name, severity = "CN305", "trigger-name", ERROR
    source = "Nuclio: recording trigger-name-differs"
    remedy = "remove `name`: nuctl takes the key"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in (config.spec.get("triggers") or {}).items():
            if trigger.get("name") and trigger["name"] != name:
                place = config.value("spec", "triggers", name, "name")
                message = f"trigger {name} calls itself {trigger['name']}"
                yield self.found(config.file, message, place, length=len(trigger["name"]))


class Replicas(ConfigRule):
    """Numbers of replicas that exclude each other: Nuclio refuses them on Kubernetes."""

    id, name, severity = "CN306", "replicas", ERROR
    source = "Nuclio: abstract/platform.go ValidateFunctionConfig"
    remedy = "write 0 ≤ minReplicas ≤ maxReplicas, maxReplicas at least 1"

    def check(self, config: Config) -> Iterator[Finding]:
        least, most = config.spec.get("minReplicas"), config.spec.get("maxReplicas")
        message, key = "", "minReplicas"
        if most == 0:
            message, key = "maxReplicas is 0", "maxReplicas"
        elif least is not None and most is not None and least > most:
            message = f"minReplicas {least} is more than maxReplicas {most}"
        elif least == 0 and most is None:
            message = "minReplicas 0 needs maxReplicas"
        if message:
            yield self.found(config.file, message, config.key("spec", key), length=len(key))


class ConfigSize(ConfigRule):
    """The configuration is too big for the local platform.

    nuctl passes it to Docker in one argument of a shell command, base64 and JSON; Linux allows 128 KiB. 80 KB pass,
    100 KB fail with "argument list too long", 1.14 only after the build. Long lists of labels get there.
    """

    id, name, severity = "CN307", "config-size", ERROR
    source = "Nuclio: recordings annotation-80kb, annotation-100kb; nuclio#3261, #3617"
    remedy = "shorten the labels' list or the drawings"

    def check(self, config: Config) -> Iterator[Finding]:
        import json

        size = (
            len(json.dumps(config.config, separators=(",", ":"), ensure_ascii=False).encode()) if config.config else 0
        )
        if size <= 82_000:
            return
        annotations = {name: len(value) for name, value in config.annotations.items()}
        biggest = max(annotations, key=lambda name: annotations[name], default="")
        place = config.key("metadata", "annotations", biggest) if biggest else (1, 1)
        verdict = "fails" if size > 95_000 else "may fail"
        message = f"the configuration has {size // 1000} KB; above about 95 KB the deploy on local Docker {verdict}"
        yield self.found(config.file, message, place, severity=ERROR if size > 95_000 else WARNING)


class EnvQuote(ConfigRule):
    """A single quote in an environment variable: nuctl pastes it into a shell command, which breaks.

    What follows the quote would run as a command.
    """

    id, name, severity = "CN308", "env-quote", ERROR
    source = "Nuclio: recording env-single-quote"
    remedy = "say it without the quote, or read it from a file"

    def check(self, config: Config) -> Iterator[Finding]:
        for i, variable in enumerate(config.spec.get("env") or []):
            for key in ("name", "value"):
                if "'" in str(variable.get(key, "")):
                    place = config.value("spec", "env", i, key)
                    message = f"env {variable.get('name', '')}: a single quote ends nuctl's shell argument"
                    yield self.found(config.file, message, place)


class EnvName(ConfigRule):
    """An environment variable without a name."""

    id, name, severity = "CN309", "env-name", ERROR
    source = "Nuclio: vector spec-env-name-absent; `docker run --env =value` is refused"
    remedy = 'write `- name: NAME` and `value: "…"`'

    def check(self, config: Config) -> Iterator[Finding]:
        for i, variable in enumerate(config.spec.get("env") or []):
            if not variable.get("name"):
                place = config.value("spec", "env", i)
                yield self.found(config.file, "an environment variable has no name: Docker refuses it", place)


class Port(ConfigRule):
    """The host port is no whole number from 1 to 65535; Nuclio drops a string without a word."""

    id, name, severity = "CN310", "port", WARNING
    source = "Nuclio: recordings port-string, port-privileged-float; vector attr-port-str"
    remedy = "write a number such as 32001, without quotes; leave it out and Docker chooses a free one"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in config.triggers.items():
            port = (trigger.get("attributes") or {}).get("port")
            if port is None or port == 0:
                continue
            place = config.value("spec", "triggers", name, "attributes", "port")
            length = len(str(port))
            if isinstance(port, float) and not isinstance(port, bool):
                yield self.found(config.file, f"port {port} is cut to {int(port)}", place, length=length)
            elif not isinstance(port, int) or isinstance(port, bool):
                message = f"port {port!r} is no number: Nuclio drops it and Docker chooses one"
                yield self.found(config.file, message, place, length=length)
            elif not 0 < port < 65536:
                message = f"there is no port {port}"
                yield self.found(config.file, message, place, severity=ERROR, length=length)


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


class MemoryLimit(ConfigRule):
    """A memory limit below Docker's least, 6 MB: often `m`, which is a thousandth of a byte."""

    id, name, severity = "CN316", "memory-limit", ERROR
    source = "Nuclio: recording resource-memory-too-small; vector spec-resources-mem-m"
    remedy = "write Mi or Gi"

    def check(self, config: Config) -> Iterator[Finding]:
        text = _limits(config).get("memory")
        if text is None:
            return
        value = parse_quantity(text)[0] / NANO
        if 0 < value < 6 * 1024 * 1024 or value < 0:
            place = config.value("spec", "resources", "limits", "memory")
            written = node_at(config.text, ("spec", "resources", "limits", "memory"))
            shown = written.value if isinstance(written, yaml.ScalarNode) else text
            number = f"{value:g}"
            yield self.found(config.file, f"a memory limit of {shown} is {number} bytes", place, length=len(str(shown)))


class GPULimit(ConfigRule):
    """A GPU limit that nothing understands.

    The resource is `nvidia.com/gpu`, a whole number. On local Docker any number above zero gives all GPUs.
    """

    id, name, severity = "CN317", "gpu-limit", WARNING
    source = "Nuclio: vectors spec-resources-gpu-bare, spec-resources-gpu-float; nuclio#1788"
    remedy = "write `nvidia.com/gpu: 1`"

    def check(self, config: Config) -> Iterator[Finding]:
        for key, text in _limits(config).items():
            place = config.key("spec", "resources", "limits", key)
            if key.lower() in ("gpu", "gpus", "nvidia/gpu", "nvidia.gpu", "nvidia.com/gpus"):
                message = f"{key} is no resource; the GPU's is nvidia.com/gpu"
                yield self.found(config.file, message, place, length=len(key))
            elif key == "nvidia.com/gpu":
                value, _ = parse_quantity(text)
                if value < 0 or value % NANO:
                    yield self.found(config.file, f"{value / NANO:g} GPUs cannot be had", place, length=len(key))


class PlatformAttribute(ConfigRule):
    """A platform attribute that nobody reads.

    The published guide's `platform.attributes.resources` is one: the function gets no GPU and no limit.
    """

    id, name, severity, fixes = "CN318", "platform-attribute", WARNING, True
    source = "Nuclio: recording gpu-in-wrong-place; local/types.go; mountMode is read nowhere since 1.13"
    remedy = "remove it"

    def check(self, config: Config) -> Iterator[Finding]:
        for key in (config.spec.get("platform") or {}).get("attributes") or {}:
            path = ("spec", "platform", "attributes", key)
            if key.lower() in ("network", "restartpolicy", "healthcheckinterval", "processormountmode"):
                continue
            if key == "mountMode":
                message = "Nuclio reads mountMode nowhere"
                edit = _line_removed(config, path)
                place = config.key(*path)
                yield self.found(config.file, message, place, severity=NOTE, length=len(key), edit=edit)
                continue
            known = config.spec.get(key) is None and key in ("resources", "env", "volumes", "devices")
            remedy = f"move it to spec.{key}" if known else ""
            message = f"nobody reads the platform attribute {key}"
            yield self.found(config.file, message, config.key(*path), length=len(key), remedy=remedy)


class RestartPolicy(ConfigRule):
    """A restart policy that is not what it looks like.

    Docker counts retries for `on-failure` only. With `always` a function that cannot start restarts for ever: nuctl
    waits the whole readiness timeout and prints up to 276 KB of log.
    """

    id, name, severity, fixes = "CN319", "restart-policy", NOTE, True
    source = "Nuclio: recordings init-context-raises-always, init-context-raises-on-failure-3; dockerclient/shell.go"
    remedy = "write `name: on-failure` and `maximumRetryCount: 3`"

    def check(self, config: Config) -> Iterator[Finding]:
        policy = ((config.spec.get("platform") or {}).get("attributes") or {}).get("restartPolicy")
        if policy is None:
            return
        path = ("spec", "platform", "attributes", "restartPolicy")
        if not isinstance(policy, dict):
            yield self.found(config.file, "restartPolicy is a map with `name`", config.key(*path), severity=WARNING)
            return
        name = policy.get("name", "")
        if name not in ("always", "on-failure", "unless-stopped", "no", ""):
            message = f"Docker knows no restart policy {name!r}: the container does not start"
            yield self.found(config.file, message, config.value(*path, "name"), severity=ERROR, length=len(str(name)))
        elif policy.get("maximumRetryCount") and name != "on-failure":
            message = f"maximumRetryCount counts only with on-failure, not with {name or 'no policy'}"
            edit = _line_removed(config, (*path, "maximumRetryCount"))
            place = config.key(*path, "maximumRetryCount")
            yield self.found(config.file, message, place, length=len("maximumRetryCount"), edit=edit)


class Volume(ConfigRule):
    """A volume and its mount that do not fit together: Nuclio refuses names that differ."""

    id, name, severity = "CN320", "volume", ERROR
    source = "Nuclio: abstract/platform.go ValidateFunctionConfig; local/platform.go reads hostPath only"
    remedy = "give both the same name, the volume a hostPath, the mount a mountPath"

    def check(self, config: Config) -> Iterator[Finding]:
        for i, item in enumerate(config.spec.get("volumes") or []):
            volume, mount = item.get("volume") or {}, item.get("volumeMount") or {}
            names = {volume.get("name") or "", mount.get("name") or ""} - {""}
            place = config.value("spec", "volumes", i)
            if len(names) > 1:
                yield self.found(config.file, f"volume {volume['name']} is mounted as {mount['name']}", place)
            elif not mount.get("mountPath"):
                yield self.found(config.file, "a volume has no mountPath", place)


class Namespace(ConfigRule):
    """`metadata.namespace` is always overwritten by nuctl: by --namespace, or `nuclio`.

    CVAT looks in `nuclio` unless its server is told otherwise; what stands in the file is without effect.
    """

    id, name, severity, fixes = "CN321", "namespace", NOTE, True
    source = "Nuclio: deploy.go enrichConfigMetadata; recording namespace-cvat"
    remedy = "remove it"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.config and config.has("metadata", "namespace"):
            place = config.key("metadata", "namespace")
            edit = _line_removed(config, ("metadata", "namespace"))
            yield self.found(config.file, "nuctl overwrites the namespace", place, length=len("namespace"), edit=edit)


class MaxWorkers(ConfigRule):
    """`maxWorkers` is `numWorkers`'s old name.

    nuctl still translates it; a processor that is given the file as it is ignores it. Its removal is announced.
    """

    id, name, severity, fixes = "CN322", "max-workers", WARNING, True
    source = "Nuclio: vectors trigger-maxWorkers-2, trigger-maxWorkers-and-numWorkers; cvat#9029"
    remedy = "write numWorkers"

    def check(self, config: Config) -> Iterator[Finding]:
        for name, trigger in (config.spec.get("triggers") or {}).items():
            path = ("spec", "triggers", name, "maxWorkers")
            if not trigger.get("maxWorkers"):
                continue
            both = bool(trigger.get("numWorkers"))
            message = "numWorkers wins over maxWorkers" if both else "maxWorkers is numWorkers's old name"
            edit = None
            key = key_at(config.text, path)
            if isinstance(key, yaml.ScalarNode):
                edit = Edit(key.start_mark.index, key.end_mark.index, "numWorkers")
            yield self.found(
                config.file, message, config.key(*path), length=len("maxWorkers"), edit=None if both else edit,
                remedy="remove maxWorkers" if both else "",
            )  # fmt: skip


class Disabled(ConfigRule):
    """`disable: true`: the function is listed as ready and never runs."""

    id, name, severity = "CN323", "disabled", WARNING
    source = "Nuclio: recording get-disabled-json"
    remedy = "remove it"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.spec.get("disable"):
            yield self.found(
                config.file, "the function is disabled", config.key("spec", "disable"), length=len("disable")
            )


class Project(ConfigRule):
    """A project label other than `cvat`: CVAT lists the functions of project cvat only."""

    id, name, severity = "CN324", "project", WARNING
    source = "CVAT: header x-nuclio-project-name: cvat; recordings project-none, same-name-other-project"
    remedy = "write `nuclio.io/project-name: cvat`, or leave it to nuctl's --project-name cvat"

    def check(self, config: Config) -> Iterator[Finding]:
        label = (config.metadata.get("labels") or {}).get("nuclio.io/project-name")
        if label and label != "cvat":
            place = config.value("metadata", "labels", "nuclio.io/project-name")
            yield self.found(config.file, f"CVAT does not see project {label}", place, length=len(label))


def _limits(config: Config) -> dict[str, str]:
    return (config.spec.get("resources") or {}).get("limits") or {}


def _line_removed(config: Config, path: tuple[str | int, ...]) -> Edit | None:
    """The removal of a one-line entry of a block map, with its own comment; None where it is written otherwise."""
    key, value = key_at(config.text, path), node_at(config.text, path)
    parent = node_at(config.text, path[:-1])
    if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
        return None
    if not isinstance(parent, yaml.MappingNode) or parent.flow_style or len(parent.value) < 2:
        return None
    start = config.text.rfind("\n", 0, key.start_mark.index) + 1
    end = config.text.find("\n", value.end_mark.index) + 1
    alone = not config.text[start : key.start_mark.index].strip() and value.end_mark.line == key.start_mark.line
    return Edit(start, end, "") if alone and end else None
