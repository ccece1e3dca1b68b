"""CN1xx: how Nuclio reads the file."""

import difflib
from collections.abc import Iterator

import yaml

from ...nuclio.document import Node, next_document
from ...nuclio.model import Dropped, dotted
from ...nuclio.structs import NEWEST, element, places, struct, underlying
from ..config import Config
from ..finding import Edit, Finding
from ..rule import ERROR, NOTE, WARNING, ConfigRule
from ..textplace import key_at, node_at

TWO_TRIGGERS = "cannot have more than 1 http trigger"
# Keys that Nuclio's structs do not show, with the place where Nuclio's code or CVAT's looks for them.
_ELSEWHERE = {
    **dict.fromkeys(
        ("maxRequestBodySize", "readBufferSize", "port", "ingresses", "cors"), "spec.triggers.*.attributes"
    ),
    **dict.fromkeys(("restartPolicy", "network", "healthCheckInterval"), "spec.platform.attributes"),
    **dict.fromkeys(
        (
            "supported_shape_types", "min_pos_points", "min_neg_points", "startswith_box", "startswith_box_optional",
            "help_message", "animated_gif", "framework",
        ),
        "metadata.annotations",
    ),
    "baseImage": "spec.build",
    "limits": "spec.resources",
    "requests": "spec.resources",
    "preCopy": "spec.build.directives",
    "postCopy": "spec.build.directives",
}  # fmt: skip
_NOWHERE = {
    "gpus": "Nuclio has no such key; a GPU is `spec.resources.limits` with `nvidia.com/gpu: 1`",
    "shmsize": "Nuclio has no such key; on Kubernetes mount an emptyDir with medium Memory at /dev/shm",
    "runtimeclassname": "Nuclio has no such key; on Kubernetes set it in the platform's functionAugmentedConfigs",
    "minreadyseconds": "Nuclio has no such key",
}
_HARMLESS = {"apiVersion", "kind"}
_PREFIXES = ("error unmarshaling JSON: while decoding JSON: ", "error converting YAML to JSON: ", "yaml: ", "json: ")


class Refused(ConfigRule):
    """nuctl refuses the file.

    It is not YAML, or a value has a type that its place cannot hold. nuctl's own message is often only "Input is
    neither json nor yaml", without a line.
    """

    id, name, severity = "CN101", "refused", ERROR
    source = (
        "Nuclio: sigs.k8s.io/yaml and encoding/json; recordings yaml-tab, annotation-map, trigger-numworkers-string"
    )
    remedy = "write a value of the type that the message names"

    def check(self, config: Config) -> Iterator[Finding]:
        refused = config.built.refused
        if refused is None or TWO_TRIGGERS in refused.message:
            return
        message = refused.message
        for prefix in _PREFIXES:
            message = message.removeprefix(prefix)
        if refused.path:
            message = f"{refused.path}: {message}"
        place = (refused.line, refused.column)
        yield self.found(config.file, f"nuctl refuses the file: {message}", place, remedy=self._remedy(config))

    def _remedy(self, config: Config) -> str:
        refused = config.built.refused
        lines = config.text.splitlines()
        if not refused:
            return ""
        if refused.path.startswith("metadata.annotations"):
            return "annotations are strings: quote the value, or write it as a block (`spec: |`)"
        if "quantities" in refused.message:
            return "write 500m, 2, 512Mi or 4Gi"
        if 0 < refused.line <= len(lines) and lines[refused.line - 1].lstrip(" ").startswith("\t"):
            return "indent with spaces: YAML allows no tab there"
        return "" if refused.path else "mend the YAML at this place"


class NotAString(ConfigRule):
    """A number, boolean or float stands where Nuclio wants a string.

    nuctl turns it into one: 1.10 becomes "1.1", yes becomes "true", 010 becomes "8". The function processor, given the
    same file, refuses to start. It is a note where the text stays the same (2 becomes "2").
    """

    id, name, severity, fixes = "CN102", "not-a-string", WARNING, True
    source = "Nuclio: vectors meta-annotation-float, meta-annotation-yes, spec-env-value-int, spec-description-int"
    remedy = "quote it"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.built.refused:
            return
        for path, node, text in config.conversions():
            written = node_at(config.text, path)
            if not isinstance(written, yaml.ScalarNode):
                continue
            same = written.value == text
            edit = Edit(written.start_mark.index, written.end_mark.index, f'"{text}"')
            yield self.found(
                config.file,
                f'{dotted(path)} wants a string; nuctl makes "{text}" of {written.value}',
                (node.line, node.column),
                severity=NOTE if same else None,
                length=len(written.value),
                remedy=f'write "{text}"' if same else f'write "{written.value}" if that is meant, "{text}" if not',
                edit=edit,
            )


class UnknownKey(ConfigRule):
    """Nuclio knows no such key and drops it without a word."""

    id, name, severity = "CN103", "unknown-key", WARNING
    source = "Nuclio: vectors unknown-top, spec-unknown, trigger-unknown, spec-env-unknown-key"
    remedy = "remove it"

    def check(self, config: Config) -> Iterator[Finding]:
        for dropped in _unknown(config):
            if _belongs(dropped):
                continue
            special = _NOWHERE.get(dropped.key.lower().replace("_", ""))
            near = _near(dropped)
            said = f"; did you mean {near}?" if near and not special else ""
            message = f"Nuclio drops {dropped.path}: no such key{said}"
            remedy = special or (f"write {near}" if near else "")
            yield self.found(
                config.file, message, (dropped.line, dropped.column), length=len(dropped.key), remedy=remedy
            )


class MisplacedKey(ConfigRule):
    """A key that Nuclio or CVAT looks for in another place; here it is dropped without a word."""

    id, name, severity = "CN104", "misplaced-key", WARNING
    source = (
        "Nuclio: vectors misplaced-top-resources, trigger-misplaced-eventTimeout, spec-misplaced-numWorkers; cvat#9302"
    )
    remedy = "move it"

    def check(self, config: Config) -> Iterator[Finding]:
        for dropped in _unknown(config):
            where = _belongs(dropped)
            if where:
                message = f"{dropped.path} is dropped; {dropped.key} belongs to {where}"
                place = (dropped.line, dropped.column)
                yield self.found(config.file, message, place, length=len(dropped.key), remedy=f"move it to {where}")


class DuplicateKey(ConfigRule):
    """A key is written twice in one map; the last one wins.

    Go's YAML reader says nothing about it.
    """

    id, name, severity = "CN105", "duplicate-key", WARNING
    source = "Nuclio: vectors yaml-dup-handler, yaml-dup-spec, json-dup"
    remedy = "keep one of the two"

    def check(self, config: Config) -> Iterator[Finding]:
        for dropped in config.replaced:
            place = (dropped.line, dropped.column)
            yield self.found(config.file, f"{dropped.path} is {dropped.why}", place, length=len(dropped.key))
        yield from self._spellings(config)

    def _spellings(self, config: Config) -> Iterator[Finding]:
        for path, node in _maps(config.node, (), "functionconfig.Config"):
            if not isinstance(node.data, dict) or struct(path[1]) is None:
                continue
            by_name: dict[str, list[str]] = {}
            for key in sorted(node.data):
                by_name.setdefault(key.lower(), []).append(key)
            for keys in by_name.values():
                for key in keys[:-1]:
                    entry = node.data[key]
                    message = f"{dotted((*path[0], key))} is written twice: {keys[-1]} wins"
                    yield self.found(config.file, message, (entry.line, entry.column), length=len(key))


class SecondDocument(ConfigRule):
    """The file holds several YAML documents; Nuclio reads the first only."""

    id, name, severity = "CN106", "second-document", WARNING
    source = "Nuclio: vectors yaml-two-docs, yaml-second-only"
    remedy = "put the second function into a file of its own"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.built.refused is None and b"---" in config.data and (place := next_document(config.data)):
            yield self.found(config.file, "Nuclio reads the first document only", place)


class KeyCase(ConfigRule):
    """A key in another case than Nuclio's own.

    Nuclio matches keys whatever their case, other programs that read the file (CVAT's own handlers, editors) do not.
    """

    id, name, severity, fixes = "CN107", "key-case", NOTE, True
    source = "Nuclio: vectors yaml-case-keys, trigger-numWorkers-case"
    remedy = "use Nuclio's spelling"

    def check(self, config: Config) -> Iterator[Finding]:
        for (path, go_type), node in _maps(config.node, (), "functionconfig.Config"):
            declared = struct(go_type)
            if declared is None or not isinstance(node.data, dict):
                continue
            for key, entry in node.data.items():
                field = declared.field(key, NEWEST)
                if field is None or field.name == key or field.name in node.data or entry.merged:
                    continue
                written = key_at(config.text, (*path, key))
                edit = None
                if isinstance(written, yaml.ScalarNode) and not written.style:
                    edit = Edit(written.start_mark.index, written.end_mark.index, field.name)
                message = f"{dotted((*path, key))}: Nuclio spells it {field.name}"
                remedy = f"write {field.name}"
                place = (entry.line, entry.column)
                yield self.found(config.file, message, place, length=len(key), remedy=remedy, edit=edit)


class NewerKey(ConfigRule):
    """A key that only a newer Nuclio knows; the chosen version drops it."""

    id, name, severity = "CN108", "newer-key", WARNING
    source = "Nuclio: vectors trigger-batch, trigger-mode-async"
    remedy = "upgrade Nuclio or remove the key"

    def check(self, config: Config) -> Iterator[Finding]:
        for dropped in config.built.dropped:
            if dropped.why.startswith("known from"):
                message = f"Nuclio {config.settings.nuclio_text} drops {dropped.path}: {dropped.why}"
                place = (dropped.line, dropped.column)
                yield self.found(config.file, message, place, length=len(dropped.key))


class EmptyFile(ConfigRule):
    """The file says nothing: nuctl refuses it, a processor starts and serves nothing."""

    id, name, severity = "CN109", "empty-file", ERROR
    source = "Nuclio: vectors yaml-empty, yaml-second-only, spec-absent; recording yaml-empty"
    remedy = "write metadata and spec"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.built.refused is None and not config.has("spec"):
            what = "has no spec" if config.node.data else "is empty"
            yield self.found(config.file, f"the configuration {what}", (1, 1))


def _unknown(config: Config) -> list[Dropped]:
    """What is dropped because it is not known, without what people write on purpose: apiVersion, kind, x-anchors."""
    top = {d.key for d in config.built.dropped if d.path == d.key and (d.key in _HARMLESS or d.key.startswith("x-"))}
    return [d for d in config.built.dropped if d.known and not (d.path == d.key and d.key in top)]


def _belongs(dropped: Dropped) -> str:
    """The place of a key that is known elsewhere; empty when it is known nowhere."""
    exact = {name.lower(): where for name, where in _ELSEWHERE.items()}.get(dropped.key.lower())
    if exact:
        return exact
    if dropped.key.lower() in _COMMON:
        return ""
    found = [place for place in places(dropped.key) if place.count(".")]
    top = [place for place in found if place.rpartition(".")[0] in _LIKELY]
    return top[0].rpartition(".")[0] if top else ""


# Words that many structs have: no place is the likely one.
_COMMON = {"kind", "name", "class", "url", "secret", "path", "paths", "args", "mode", "flags", "registry", "version"}
_LIKELY = ("metadata", "spec", "spec.triggers.*", "spec.build", "spec.resources")


def _near(dropped: Dropped) -> str:
    by_case = {name.lower(): name for name in dropped.known}
    plain = dropped.key.lower().replace("_", "").replace("-", "")
    if plain in by_case:
        return by_case[plain]
    close = difflib.get_close_matches(plain, by_case, 1, 0.84)
    return by_case[close[0]] if close else ""


def _maps(
    node: Node, path: tuple[str | int, ...], go_type: str
) -> Iterator[tuple[tuple[tuple[str | int, ...], str], Node]]:
    """Every map of the file that is read into a typed place."""
    while underlying(go_type).startswith("*"):
        go_type = element(go_type) or ""
    data = node.data
    if isinstance(data, list):
        for i, item in enumerate(data):
            yield from _maps(item, (*path, i), element(go_type) or "")
    if not isinstance(data, dict):
        return
    yield (path, go_type), node
    declared = struct(go_type)
    for key, entry in data.items():
        field = declared.field(key, NEWEST) if declared else None
        inner = field.type if field else (element(go_type) or "" if declared is None else "")
        if inner:
            yield from _maps(entry.value, (*path, key), inner)
