"""The body of a request → a JSON object, and its fields → Python values. Everything raises RequestError.

CVAT sends `application/json`, which Nuclio parses to a dict; with any other content type, and for JSON that
it cannot parse, the body arrives as bytes. Nulls mean absent, as they do in CVAT.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import NoReturn

from aa_runtime import contract
from aa_runtime.errors import RequestError


def parse_body(body: object) -> Mapping[str, object]:
    """The JSON object in an event's body: dict, str or bytes."""
    if isinstance(body, Mapping):
        return body
    if body is None or (isinstance(body, (str, bytes, bytearray, memoryview)) and not len(body)):
        raise RequestError("empty body: a JSON object is expected")
    if isinstance(body, (bytearray, memoryview)):
        body = bytes(body)
    if not isinstance(body, (str, bytes)):
        raise RequestError(f"a JSON object is expected, not {json_type(body)}")
    parsed = _loads(body)
    if not isinstance(parsed, dict):
        raise RequestError(f"a JSON object is expected, not {json_type(parsed)}")
    return parsed


def optional_number(body: Mapping[str, object], field: str, *, most: float = math.inf) -> float | None:
    """A number from 0 to `most`, or None when absent. A numeric string passes: CVAT 2.54 sends what its
    caller wrote."""
    value = body.get(field)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise RequestError("a number is expected, not this string", field=field) from None
    found = number(value, field)
    if not 0 <= found <= most:
        limits = f"from 0 to {most:g}" if most < math.inf else "of at least 0"
        raise RequestError(f"a number {limits} is expected", field=field)
    return found


def array(body: Mapping[str, object], field: str, most: int) -> Sequence[object]:
    """The array in `body[field]`, of at most `most` entries; empty when absent."""
    value = body.get(field)
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise RequestError(f"an array is expected, not {json_type(value)}", field=field)
    if len(value) > most:
        raise RequestError(f"{len(value)} entries; at most {most} are accepted", field=field, status=413)
    return value


def number(value: object, field: str) -> float:
    """A finite number of a pixel's size, as float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RequestError(f"a number is expected, not {json_type(value)}", field=field)
    if not _is_sensible(value):
        raise RequestError("a finite number of sensible size is expected", field=field)
    return float(value)


def numbers(value: object, field: str, most: int) -> list[float]:
    """An array of at most `most` such numbers."""
    if not isinstance(value, (list, tuple)):
        raise RequestError(f"an array of numbers is expected, not {json_type(value)}", field=field)
    if len(value) > most:
        raise RequestError(f"{len(value)} numbers; at most {most} are accepted", field=field, status=413)
    if all(type(entry) in (int, float) and _is_sensible(entry) for entry in value):
        return list(map(float, value))
    return [number(entry, f"{field}[{i}]") for i, entry in enumerate(value)]  # raises, and names the entry


def json_type(value: object) -> str:
    """What JSON calls the type of a parsed value, for error texts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, (list, tuple)) else "an object"


def _loads(body: str | bytes) -> object:
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise RequestError("JSON nested too deeply") from None
    except ValueError as fault:  # JSONDecodeError, UnicodeDecodeError, integers of thousands of digits
        raise RequestError(f"not JSON: {str(fault)[:120]}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise RequestError(f"{name} is not JSON")


def _is_sensible(value: float) -> bool:
    return -contract.MAX_COORDINATE <= value <= contract.MAX_COORDINATE  # false for NaN, safe for huge integers
