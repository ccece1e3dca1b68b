"""The Go types that function.yaml is read into, from `data/nuclio_keys.json`."""

import functools
import json
import pkgutil
from dataclasses import dataclass, replace

Version = tuple[int, int]
NEWEST: Version = (1, 16)
#: Types that read and write their JSON themselves.
OPAQUE = frozenset({"resource.Quantity", "intstr.IntOrString", "v1.Time", "v1.MicroTime", "v1.FieldsV1"})


def version_of(text: str) -> Version:
    """`1.13`, `1.14.1` or `1.16.3` as a pair.

    Raises:
        ValueError: no major and minor number in it.
    """
    major, minor, *_ = text.removeprefix("v").split(".")
    return int(major), int(minor)


@dataclass(frozen=True, slots=True)
class Field:
    """A json field. `embedded` names the embedded structs on the way to it, outermost first."""

    name: str
    type: str
    omitempty: bool
    since: Version
    embedded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct; `folded` finds a field by its lower-case name."""

    name: str
    fields: dict[str, Field]
    folded: dict[str, Field]

    def field(self, key: str, version: Version) -> Field | None:
        """The field that Go's JSON picks for a key: the exact name, else the first that differs in case only."""
        found = self.fields.get(key) or self.folded.get(key.lower())
        return found if found and found.since <= version else None


@functools.cache
def _types() -> dict[str, str | dict[str, dict[str, str | bool]]]:
    types = json.loads(pkgutil.get_data("cvat_nuclio.data", "nuclio_keys.json") or b"{}")["types"]
    # The processor's own root embeds the function's configuration.
    types["processor.Configuration"] = {"<Config>": {"type": "functionconfig.Config"}}
    return types  # type: ignore[no-any-return]


@functools.cache
def struct(name: str) -> Struct | None:
    """The struct of that printed name (`functionconfig.Spec`), or None when the type is no struct."""
    declared = _types().get(name)
    if not isinstance(declared, dict):
        return None
    fields: dict[str, Field] = {}
    for key, raw in declared.items():
        go_type, since = str(raw["type"]), version_of(str(raw.get("since", "1.13")))
        if not key.startswith("<"):
            fields[key] = Field(key, go_type, bool(raw.get("omitempty")), since)
            continue
        inner = struct(go_type)
        for field in inner.fields.values() if inner else ():
            promoted = replace(field, embedded=(go_type, *field.embedded), since=max(since, field.since))
            fields.setdefault(field.name, promoted)
    folded: dict[str, Field] = {}
    for field in fields.values():
        folded.setdefault(field.name.lower(), field)
    return Struct(name, fields, folded)


@functools.cache
def underlying(go_type: str) -> str:
    """A named type without its name: `v1.ServiceType` is `string`; structs and opaque types stay."""
    declared = _types().get(go_type)
    return underlying(declared) if isinstance(declared, str) else go_type


def element(go_type: str) -> str:
    """The type of the values of a map or slice, or what a pointer points to; empty for other types."""
    bare = underlying(go_type)
    for prefix in ("map[string]", "[]", "*"):
        if bare.startswith(prefix):
            return bare.removeprefix(prefix)
    return ""


def places(key: str) -> list[str]:
    """Where a key is known, as dotted paths from the root, shallow ones first; slices and maps as `*`.

    Case is ignored. Only Nuclio's own structs are searched: the pod's inner parts would match by accident.
    """
    found: list[str] = []
    queue = [("", "functionconfig.Config")]
    seen: set[str] = set()
    while queue:
        path, go_type = queue.pop(0)
        declared = struct(go_type)
        if declared is None or go_type in seen:
            continue
        seen.add(go_type)
        for field in declared.fields.values():
            here = f"{path}.{field.name}".lstrip(".")
            if field.name.lower() == key.lower():
                found.append(here)
            inner, steps = field.type, ""
            while deeper := element(inner):
                steps += "" if underlying(inner).startswith("*") else ".*"
                inner = deeper
            if inner.startswith("functionconfig.") or inner == "v1.ResourceRequirements":
                queue.append((here + steps, inner))
    return found
