"""From CVAT's error to what is wrong with the answer."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..cvat import CvatError
from ..nuclio.http_trigger import http_trigger

# (exception's name, pattern of its message) → cause
_CAUSES = [
    ("KeyError", "'label'", "an item of the answer has no 'label'"),
    ("KeyError", "'type'", "an item of the answer, or an element of a skeleton, has no 'type'"),
    ("KeyError", "'sublabels'", "an item has 'elements', but its label is no skeleton in the function's spec"),
    ("KeyError", "'elements'", "an item of type skeleton has no 'elements'"),
    ("KeyError", "'value'", "an attribute has no 'value'"),
    ("KeyError", "'name'", "an attribute has no 'name'"),
    ("KeyError", "'states'", "the answer of a tracker has no 'states'"),
    ("KeyError", "'path_id'", "the matching names one box of the second frame twice"),
    ("TypeError", "string indices", "the answer is no list of objects: an object around it, or a JSON text in JSON"),
    ("TypeError", "not iterable", "a list is missing: null or a number is in its place"),
    ("TypeError", "requires string as left operand", "the value of a select or radio attribute is no string"),
    ("TypeError", r"int\(\) argument", "the value of a number attribute is null"),
    ("TypeError", "list indices must be integers", "an index of the matching is no whole number"),
    ("TypeError", "'>=' not supported", "the matching holds something that is no number"),
    ("AttributeError", "isnumeric", "the value of a number attribute is no string"),
    ("AttributeError", "attributespec_set", "a CVAT before 2.16.2 needs a mapping for labels with attributes"),
    ("ValueError", "expected 4, got", "a mask has no flat crop followed by its box in the key 'mask'"),
    ("ValueError", "not JSON compliant", "the answer holds NaN or Infinity"),
    ("IndexError", "list index", "an element of a skeleton has no point, or an index of the matching is too large"),
    ("ValidationError", "not a valid choice", "a type is unknown: CVAT takes the lower-case names only"),
    ("ValidationError", "invalid length", "a shape has another number of coordinates than its type needs"),
    ("ValidationError", "float or an integer", "a coordinate is no JSON number"),
    ("ValidationError", "'rotation'", "a rotation is outside of 0 to 360 degrees"),
    ("JSONDecodeError", "", "the answer is not JSON"),
    ("HTTPError", r"^4\d\d", "the function refused the request; its own words are below, CVAT throws them away"),
    ("HTTPError", r"^5\d\d", "the function failed; its own words are below, CVAT throws them away"),
    ("ConnectionError", "", "nothing listens there, or the worker ended during the call"),
    ("ReadTimeout", "", "the function took longer than CVAT waits (120 s)"),
]


def causes(error: CvatError) -> list[str]:
    """The likely cause, then the function's own words."""
    message = error.message or ""
    found = [cause for name, pattern, cause in _CAUSES if name == error.name and re.search(pattern, message)]
    return found[:1] + list(getattr(error, "__notes__", ()))


def refused_by_nuclio(told: Sequence[str], function: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """Where Nuclio itself refused or cut the last call: its limit, and the key and the option that move it.

    `told`: the causes so far, with Nuclio's own words among them. `function`: Nuclio's object. `sent`: the last body.
    """
    spec, words = function.get("spec", {}), "\n".join(told)
    if "handler timed out" in words:
        length = spec.get("eventTimeout", "")
        return [f"it was Nuclio: eventTimeout {length} cut the call short; a longer one: generate DIR --event-timeout"]
    limit = _body_limit(spec)
    size = len(json.dumps(sent)) if sent else 0
    if limit is not None and size > limit and "Error when parsing request" in words:
        over = f"a body of {size / 2**20:.1f} MiB is over maxRequestBodySize {limit}"
        return [f"it was Nuclio, not the function: {over}; a higher one: generate DIR --max-body {_next(size)}Mi"]
    return []


def _body_limit(spec: Mapping[str, Any]) -> int | None:
    """None where nothing is known of the function's triggers."""
    triggers = [(name, each) for name, each in (spec.get("triggers") or {}).items() if each.get("kind") == "http"]
    return http_trigger(*triggers[0]).body_limit if triggers else None


def _next(size: int) -> int:
    """Mebibytes, the next power of two."""
    return 1 << (size // 2**20).bit_length()
