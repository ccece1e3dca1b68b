"""CN316 to CN324: resources, the platform's attributes, and what nuctl overwrites or forgets."""

from collections.abc import Iterator

import yaml

from ...nuclio.quantity import NANO
from ...nuclio.quantity import parse as parse_quantity
from ..config import Config
from ..finding import Edit, Finding
from ..rule import ERROR, NOTE, WARNING, ConfigRule
from ..textplace import key_at, node_at


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
