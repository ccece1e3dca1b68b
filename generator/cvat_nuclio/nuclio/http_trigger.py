"""What an http trigger's settings come to in the processor: defaults, and attributes decoded as Nuclio decodes them."""

from dataclasses import dataclass
from typing import Any

from . import duration

DEFAULT_READ_BUFFER = 16 * 1024
DEFAULT_BODY_LIMIT = 4 * 1024 * 1024
DEFAULT_AVAILABILITY_MS = 10_000
DEFAULT_TERMINATION = "10s"
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
# The processor's own attributes; the platforms read the others.
PROCESSOR_ATTRIBUTES = {
    "readBufferSize": int,
    "maxRequestBodySize": int,
    "reduceMemoryUsage": bool,
    "cors": dict,
    "disablePortPublishing": bool,
    "mode": str,
}
PLATFORM_ATTRIBUTES = ("port", "serviceType", "ingresses")
_CORS: dict[str, tuple[str, type, Any]] = {
    "Enabled": ("bool", bool, False),
    "AllowOrigins": ("slice", list, ["*"]),
    "AllowMethods": ("slice", list, ["HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    "AllowHeaders": (
        "slice",
        list,
        ["Accept", "Content-Length", "Content-Type", "Authorization", "X-Nuclio-Log-Level"],
    ),
    "AllowCredentials": ("bool", bool, False),
    "ExposeHeaders": ("slice", list, []),
    "PreflightRequestMethod": ("string", str, "OPTIONS"),
    "PreflightMaxAgeSeconds": ("int64", int, 5),
}


def is_number(value: Any) -> bool:
    """Whether a value is a number to Go; Python alone counts true and false among them."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


class BadAttribute(ValueError):
    """An attribute of a type that the processor refuses at start; the message is Nuclio's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class HTTPTrigger:
    """An http trigger as it is in force.

    `body_limit` and `read_buffer` are bytes, `availability_ms` milliseconds (0 never waits), `termination` seconds.
    `raw_body_limit` is the number that the processor logs, which may be zero or less (then the default holds).
    `port` is the host's port as the platform reads it: 0 leaves the choice to it.
    """

    name: str
    url: str
    num_workers: int
    read_buffer: int
    raw_body_limit: int
    reduce_memory: bool
    cors: dict[str, Any] | None
    availability_ms: int
    termination: float
    port: int = 0

    @property
    def body_limit(self) -> int:
        """The largest body that is accepted, in bytes."""
        return self.raw_body_limit if self.raw_body_limit > 0 else DEFAULT_BODY_LIMIT

    @property
    def cors_enabled(self) -> bool:
        """Whether requests without an Origin get an empty 200."""
        return bool(self.cors and self.cors["Enabled"])


def http_trigger(name: str, trigger: dict[str, Any]) -> HTTPTrigger:
    """The settings of one trigger as `Reading.config` has it.

    Raises:
        BadAttribute: an attribute of the wrong type.
        duration.BadDuration: a bad `workerTerminationTimeout`.
    """
    given = trigger.get("attributes") or {}
    attributes = decode_attributes(given)
    availability = trigger.get("workerAvailabilityTimeoutMilliseconds")
    return HTTPTrigger(
        name=name,
        url=trigger.get("url") or ":8080",
        num_workers=trigger.get("numWorkers") or 1,
        read_buffer=attributes.get("readBufferSize") or DEFAULT_READ_BUFFER,
        raw_body_limit=attributes.get("maxRequestBodySize") or DEFAULT_BODY_LIMIT,
        reduce_memory=attributes.get("reduceMemoryUsage") or False,
        cors=attributes.get("cors"),
        availability_ms=DEFAULT_AVAILABILITY_MS if availability is None else availability,
        termination=duration.seconds(trigger.get("workerTerminationTimeout") or DEFAULT_TERMINATION),
        port=int(given["port"]) if is_number(given.get("port")) else 0,
    )


def decode_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """The processor's attributes by their canonical names; others are ignored.

    Raises:
        BadAttribute: wrong type.
    """
    decoded: dict[str, Any] = {}
    for name, kind in PROCESSOR_ATTRIBUTES.items():
        value = _find(attributes, name)
        if value is None:
            continue
        field = "CORS" if name == "cors" else name[0].upper() + name[1:]
        decoded[name] = _cors(value) if kind is dict else _typed(name, field, value, kind, kind.__name__)
    return decoded


def _find(attributes: dict[str, Any], name: str) -> Any:
    if name in attributes:
        return attributes[name]
    return next((value for key, value in attributes.items() if key.lower() == name.lower()), None)


def _typed(name: str, field: str, value: Any, kind: type, go_kind: str) -> Any:
    if kind is int and is_number(value):
        # Go's conversion of a float64 that is out of range ends at the smallest int64 on amd64.
        return int(value) if _INT64_MIN <= value <= _INT64_MAX else _INT64_MIN
    if kind is not int and isinstance(value, kind):
        return value
    if kind is list:
        message = f"'{field}': source data must be an array or slice, got {_go_type(value)}"
        raise BadAttribute(name, message)
    go_kind = {"str": "string"}.get(go_kind, go_kind)
    got = f"got unconvertible type '{_go_type(value)}', value: '{_go_text(value)}'"
    raise BadAttribute(name, f"'{field}' expected type '{go_kind}', {got}")


def _cors(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadAttribute("cors", f"'CORS' expected a map, got '{_go_type(value)}'")
    given = {}
    for field, (go_kind, kind, _) in _CORS.items():
        inner = _find(value, field)
        if inner is not None:
            given[field] = _typed("cors", f"CORS.{field}", inner, kind, go_kind)
    return {field: given.get(field) or default for field, (_, _, default) in _CORS.items()}


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {int: "float64", float: "float64", str: "string", list: "[]interface {}", dict: "map[string]interface {}"}
    return names[type(value)]


def _go_text(value: Any) -> str:
    """Go's `%v`."""
    if isinstance(value, list):
        return f"[{' '.join(map(_go_text, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go_text(inner)}' for key, inner in sorted(value.items()))}]"
    return "<nil>" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
