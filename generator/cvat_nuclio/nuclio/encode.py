"""Go's `json.Marshal` of Nuclio's structs: which empty values are written and which are left out."""

from typing import Any

from .decode import zero
from .structs import Version, element, struct, underlying


def encode(value: Any, go_type: str, version: Version) -> Any:
    """The JSON of a decoded value."""
    declared = struct(go_type)
    if declared:
        written: dict[str, Any] = {}
        for field in declared.fields.values():
            if field.since > version:
                continue
            inner = (value or {}).get(field.name)
            if inner is None and not underlying(field.type).startswith(("*", "[]", "map")):
                inner = zero(field.type)
            if not (field.omitempty and _empty(inner, field.type)):
                written[field.name] = encode(inner, field.type, version)
        return written
    if isinstance(value, dict) and underlying(go_type).startswith("map"):
        return {key: encode(item, element(go_type) or "", version) for key, item in value.items()}
    if isinstance(value, list) and underlying(go_type).startswith("[]"):
        return [encode(item, element(go_type) or "", version) for item in value]
    if value is not None and underlying(go_type).startswith("*"):
        return encode(value, element(go_type) or "", version)
    return value


def _empty(value: Any, go_type: str) -> bool:
    """Whether `omitempty` leaves it out: structs never, pointers only when nil."""
    bare = underlying(go_type)
    if struct(go_type) or bare in ("v1.Time", "v1.MicroTime", "resource.Quantity", "intstr.IntOrString"):
        return False
    if bare.startswith("*") or bare == "interface {}":
        return value is None
    return not value
