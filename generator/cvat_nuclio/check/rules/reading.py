"""CN1xx: how Nuclio reads the file."""

from collections.abc import Iterator

import yaml

from ...nuclio.document import Entries, Node, next_document
from ...nuclio.model import Dropped, Path, Refusal, dotted
from ...nuclio.structs import NEWEST, Struct, element, places, struct, underlying
from ..bundle import Bundle
from ..finding import Edit
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, WARNING, Fault, rule

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
    **dict.fromkeys(("environment", "envs", "envvars"), "write `spec.env`, a list of `{name: NAME, value: VALUE}`"),
    "volumemounts": "write each volume with its mount under `spec.volumes`: `{volume: {…}, volumeMount: {…}}`",
    "copy": "write a directive: `kind: COPY`, `value: handler/NAME PLACE`; the bundle itself is copied to /opt/nuclio",
    "baseimagename": "write `spec.build.baseImage` with the image's own name",
    "project": "write `metadata.labels` with `nuclio.io/project-name: NAME`, or give nuctl `--project-name`",
}
_HARMLESS = {"apiVersion", "kind"}
_PREFIXES = ("error unmarshaling JSON: while decoding JSON: ", "error converting YAML to JSON: ", "yaml: ", "json: ")


@rule(
    "CN101", "refused", ERROR,
    source="Nuclio: sigs.k8s.io/yaml and encoding/json; "
    "recordings yaml-tab, annotation-map, trigger-numworkers-string",
    remedy="write a value of the type that the message names",
)  # fmt: skip
def refused(bundle: Bundle) -> Iterator[Fault]:
    """nuctl refuses the file.

    It is not YAML, or a value has a type that its place cannot hold. nuctl's own message is often only "Input is
    neither json nor yaml", without a line.
    """
    refusal = bundle.reading.refused
    if refusal is None or TWO_TRIGGERS in refusal.message:
        return
    message = refusal.message
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    if refusal.path:
        message = f"{refusal.path}: {message}"
    remedy = _remedy_of(refusal, bundle.text.splitlines())
    yield Fault(f"nuctl refuses the file: {message}", (refusal.line, refusal.column), remedy=remedy)


def _remedy_of(refusal: Refusal, lines: list[str]) -> str:
    if refusal.path.startswith("metadata.annotations"):
        return "annotations are strings: quote the value, or write it as a block (`spec: |`)"
    if "quantities" in refusal.message:
        return "write 500m, 2, 512Mi or 4Gi"
    if 0 < refusal.line <= len(lines) and lines[refusal.line - 1].lstrip(" ").startswith("\t"):
        return "indent with spaces: YAML allows no tab there"
    return "" if refusal.path else "mend the YAML at this place"


@rule(
    "CN102", "not-a-string", WARNING, fixes=True,
    source="Nuclio: vectors meta-annotation-float, meta-annotation-yes, spec-env-value-int, spec-description-int",
    remedy="quote it",
)  # fmt: skip
def not_a_string(bundle: Bundle) -> Iterator[Fault]:
    """A number, boolean or float stands where Nuclio wants a string.

    nuctl turns it into one: 1.10 becomes "1.1", yes becomes "true", 010 becomes "8". The function processor, given the
    same file, refuses to start. It is a note where the text stays the same (2 becomes "2").
    """
    for path, node, text in bundle.places.converted() if not bundle.reading.refused else ():
        written = node.written
        if isinstance(written, yaml.ScalarNode):
            same = written.value == text
            remedy = f'write "{text}"' if same else f'write "{written.value}" if that is meant, "{text}" if not'
            yield Fault(
                f'{dotted(path)} wants a string; nuctl makes "{text}" of {written.value}',
                node.place, len(written.value), severity=NOTE if same else None, remedy=remedy,
                edit=Edit.of(written, f'"{text}"'),
            )  # fmt: skip


@rule(
    "CN103", "unknown-key", WARNING,
    source="Nuclio: vectors unknown-top, spec-unknown, trigger-unknown, spec-env-unknown-key", remedy="remove it",
)  # fmt: skip
def unknown_key(bundle: Bundle) -> Iterator[Fault]:
    """Nuclio knows no such key and drops it without a word."""
    for dropped in _unknown(bundle):
        if not _belongs(dropped):
            special = _NOWHERE.get(dropped.key.lower().replace("_", ""))
            close = "" if special else near(dropped.key, dropped.known, 0.84)
            message = f"Nuclio drops {dropped.path}: no such key{did_you_mean(close)}"
            yield _at(dropped, message, special or (f"write {close}" if close else ""))


@rule(
    "CN104", "misplaced-key", WARNING,
    source="Nuclio: vectors misplaced-top-resources, trigger-misplaced-eventTimeout, spec-misplaced-numWorkers; "
    "cvat#9302",
    remedy="move it",
)  # fmt: skip
def misplaced_key(bundle: Bundle) -> Iterator[Fault]:
    """A key that Nuclio or CVAT looks for in another place; here it is dropped without a word."""
    for dropped in _unknown(bundle):
        if where := _belongs(dropped):
            yield _at(dropped, f"{dropped.path} is dropped; {dropped.key} belongs to {where}", f"move it to {where}")


@rule(
    "CN105", "duplicate-key", WARNING,
    source="Nuclio: vectors yaml-dup-handler, yaml-dup-spec, json-dup", remedy="keep one of the two",
)  # fmt: skip
def duplicate_key(bundle: Bundle) -> Iterator[Fault]:
    """A key is written twice in one map; the last one wins.

    Go's YAML reader says nothing about it.
    """
    for dropped in bundle.reading.dropped:
        if dropped.why.startswith("written twice"):
            yield _at(dropped, f"{dropped.path} is {dropped.why}")
    for path, _, entries in _structs(bundle.places.root, (), "functionconfig.Config"):
        by_name: dict[str, list[str]] = {}
        for key in sorted(entries):
            by_name.setdefault(key.lower(), []).append(key)
        for *lost, winner in by_name.values():
            for key in lost:
                message = f"{dotted((*path, key))} is written twice: {winner} wins"
                yield Fault(message, entries[key].place, len(key))


@rule(
    "CN106", "second-document", WARNING,
    source="Nuclio: vectors yaml-two-docs, yaml-second-only",
    remedy="put the second function into a file of its own",
)  # fmt: skip
def second_document(bundle: Bundle) -> Iterator[Fault]:
    """The file holds several YAML documents; Nuclio reads the first only."""
    if bundle.reading.refused is None and b"---" in bundle.data and (place := next_document(bundle.data)):
        yield Fault("Nuclio reads the first document only", place)


@rule(
    "CN107", "key-case", NOTE, fixes=True,
    source="Nuclio: vectors yaml-case-keys, trigger-numWorkers-case", remedy="use Nuclio's spelling",
)  # fmt: skip
def key_case(bundle: Bundle) -> Iterator[Fault]:
    """A key in another case than Nuclio's own.

    Nuclio matches keys whatever their case, other programs that read the file (CVAT's own handlers, editors) do not.
    """
    for path, declared, entries in _structs(bundle.places.root, (), "functionconfig.Config"):
        for key, entry in entries.items():
            field = declared.field(key, NEWEST)
            if field is None or field.name in (key, *entries) or entry.merged:
                continue
            plain = isinstance(entry.key, yaml.ScalarNode) and not entry.key.style
            edit = Edit.of(entry.key, field.name) if plain else None
            message = f"{dotted((*path, key))}: Nuclio spells it {field.name}"
            yield Fault(message, entry.place, len(key), remedy=f"write {field.name}", edit=edit)


@rule(
    "CN108", "newer-key", WARNING,
    source="Nuclio: vectors trigger-batch, trigger-mode-async", remedy="upgrade Nuclio or remove the key",
)  # fmt: skip
def newer_key(bundle: Bundle) -> Iterator[Fault]:
    """A key that only a newer Nuclio knows; the chosen version drops it."""
    for dropped in bundle.reading.dropped:
        if dropped.why.startswith("known from"):
            yield _at(dropped, f"Nuclio {bundle.settings.nuclio_text} drops {dropped.path}: {dropped.why}")


@rule(
    "CN109", "empty-file", ERROR,
    source="Nuclio: vectors yaml-empty, yaml-second-only, spec-absent; recording yaml-empty",
    remedy="write metadata and spec",
)  # fmt: skip
def empty_file(bundle: Bundle) -> Iterator[Fault]:
    """The file says nothing: nuctl refuses it, a processor starts and serves nothing."""
    if bundle.reading.refused is None and not bundle.places.has("spec"):
        what = "has no spec" if bundle.places.root.data else "is empty"
        yield Fault(f"the configuration {what}", (1, 1))


def _at(dropped: Dropped, message: str, remedy: str = "") -> Fault:
    return Fault(message, (dropped.line, dropped.column), len(dropped.key), remedy=remedy)


def _unknown(bundle: Bundle) -> list[Dropped]:
    """What is dropped because it is not known, without what people write on purpose: apiVersion, kind, x-anchors."""
    top = {d.key for d in bundle.reading.dropped if d.path == d.key and (d.key in _HARMLESS or d.key.startswith("x-"))}
    return [d for d in bundle.reading.dropped if d.known and not (d.path == d.key and d.key in top)]


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


def _structs(node: Node, path: Path, go_type: str) -> Iterator[tuple[Path, Struct, Entries]]:
    """Every map of the file that is read into a struct: its path, the struct, what is written there."""
    while underlying(go_type).startswith("*"):
        go_type = element(go_type)
    data, declared, inner = node.data, struct(go_type), element(go_type)
    if isinstance(data, list):
        for i, item in enumerate(data):
            yield from _structs(item, (*path, i), inner)
    elif isinstance(data, dict):
        if declared:
            yield path, declared, data
        for key, entry in data.items():
            field = declared.field(key, NEWEST) if declared else None
            yield from _structs(entry.value, (*path, key), field.type if field else inner)
