"""CN431 to CN436: the annotation `spec`, a JSON text with the model's labels."""

from collections.abc import Iterator
from typing import Any

from ...nuclio.model import Path
from ..bundle import Bundle
from ..near import near
from ..rule import ERROR, WARNING, Fault, rule
from ..spec_text import Label, Labels

_BREAKS = "CVAT's list of models fails for everybody"


@rule(
    "CN431", "spec-json", ERROR, cvat=True,
    source="CVAT: vectors listing.spec.python_quotes, .trailing_comma (JSONDecodeError, 500); cvat#9067",
    remedy="write JSON: double quotes, no comma after the last item, no comments",
)  # fmt: skip
def spec_json(bundle: Bundle) -> Iterator[Fault]:
    """The annotation `spec` is no JSON: CVAT's whole list of models fails, for every user.

    A trailing comma, single quotes or a comment is enough.
    """
    error = bundle.marked_labels.error
    if error is None:
        return
    before = error.doc[: error.pos].rstrip()
    trailing = before.endswith(",") and error.doc[error.pos : error.pos + 1] in ("]", "}")
    # Python 3.13 points at the comma itself.
    trailing = trailing or "trailing comma" in error.msg
    place = bundle.marked_labels.at(len(before) - 1 if trailing and before.endswith(",") else error.pos)
    what = "a comma after the last item" if trailing else error.msg[0].lower() + error.msg[1:]
    yield Fault(f"spec is no JSON ({what}): {_BREAKS}", place)


@rule(
    "CN432", "spec-shape", ERROR, cvat=True,
    source="CVAT: vectors listing.spec.object, .null, listing.label.no_name (KeyError, TypeError, 500)",
    remedy='write [{"name": "cat", "type": "rectangle"}]',
)  # fmt: skip
def spec_shape(labels: Labels) -> Iterator[Fault]:
    """`spec` is no list of labels with names: CVAT's whole list of models fails, for every user."""
    if labels.text and not isinstance(labels.data, list) and labels.data not in ("", {}):
        yield labels.fault(f"spec is {kind_of(labels.data)}, not a list: {_BREAKS}")
    yield from _items(labels, labels.data if isinstance(labels.data, list) else [], ())
    for label in labels.all():
        yield from _items(labels, label.sublabels, (*label.path, "sublabels"))


def _items(labels: Labels, items: list[Any], path: Path) -> Iterator[Fault]:
    for i, item in enumerate(items):
        if not isinstance(item, dict):
            yield labels.fault(f"label {i + 1} is {kind_of(item)}, not an object: {_BREAKS}", *path, i)
        elif "name" not in item:
            close = next((key for key in item if near(key, ["name"])), "")
            said = f" (there is {close!r})" if close else ""
            yield labels.fault(f"label {i + 1} has no name{said}: {_BREAKS}", *path, i)
        elif isinstance(item["name"], (list, dict)):
            yield labels.fault(f"the name of label {i + 1} is {kind_of(item['name'])}: {_BREAKS}", *path, i, "name")


@rule(
    "CN433", "attribute-keys", ERROR, cvat=True,
    source="CVAT: vectors listing.attribute.no_name, .no_values, .no_input_type (KeyError, 500)",
    remedy='write {"name": …, "input_type": "text", "values": []}',
)  # fmt: skip
def attribute_keys(label: Label) -> Iterator[Fault]:
    """An attribute without `name`, `input_type` or `values`: CVAT's whole list of models fails, for every user."""
    given = label.data.get("attributes", [])
    if not isinstance(given, list) and given != {}:
        yield label.fault(f"attributes of {label.name!r} are {kind_of(given)}, not a list: {_BREAKS}", "attributes")
    for i, attribute in enumerate(label.attributes):
        if not isinstance(attribute, dict):
            yield label.fault(f"an attribute of {label.name!r} is {kind_of(attribute)}: {_BREAKS}", "attributes", i)
        elif missing := [key for key in ("name", "input_type", "values") if key not in attribute]:
            named = attribute.get("name", f"number {i + 1}")
            message = f"attribute {named} of {label.name!r} has no {' and no '.join(missing)}: {_BREAKS}"
            yield label.fault(message, "attributes", i)
        elif isinstance(attribute["name"], (list, dict)):
            message = f"the name of an attribute of {label.name!r} is {kind_of(attribute['name'])}: {_BREAKS}"
            yield label.fault(message, "attributes", i, "name")


@rule(
    "CN434", "skeleton-keys", ERROR, cvat=True,
    source="CVAT: vectors listing.skeleton.no_sublabels, .no_svg (KeyError, 500)",
    remedy='write "sublabels": [{"name": …}] and "svg": ""',
)  # fmt: skip
def skeleton_keys(label: Label) -> Iterator[Fault]:
    """A skeleton without `sublabels` or `svg`: CVAT's whole list of models fails, for every user.

    An empty `svg` keeps detection working.
    """
    if label.data.get("type") != "skeleton":
        return
    if missing := [key for key in ("sublabels", "svg") if key not in label.data]:
        yield label.fault(f"skeleton {label.name!r} has no {' and no '.join(missing)}: {_BREAKS}")
    elif not isinstance(label.data["sublabels"], list) and label.data["sublabels"] not in ("", {}):
        message = f"sublabels of {label.name!r} are {kind_of(label.data['sublabels'])}, not a list: {_BREAKS}"
        yield label.fault(message, "sublabels")


@rule(
    "CN435", "duplicate-names", ERROR, cvat=True,
    source="CVAT: vectors listing.label.duplicate, listing.attribute.duplicate, listing.skeleton.sublabel_duplicate",
    remedy="give each a name of its own",
)  # fmt: skip
def duplicate_names(labels: Labels) -> Iterator[Fault]:
    """A name occurs twice among labels, sublabels of a skeleton or attributes of a label: CVAT hides the function.

    Older servers (G1) fail the whole list of models.
    """
    yield from _twice(labels, labels.data, (), "labels")
    for label in labels.all():
        yield from _twice(labels, label.attributes, (*label.path, "attributes"), f"attributes of {label.name!r}")
        yield from _twice(labels, label.sublabels, (*label.path, "sublabels"), f"sublabels of {label.name!r}")


def _twice(labels: Labels, items: Any, path: Path, what: str) -> Iterator[Fault]:
    effect = _BREAKS if labels.generation == "G1" else "CVAT hides the function"
    seen: list[Any] = []
    for i, item in enumerate(items if isinstance(items, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if name is None or isinstance(name, (list, dict)):
            continue
        if name in seen:
            yield labels.fault(f"two {what} are called {name!r}: {effect}", *path, i, "name")
        seen.append(name)


@rule(
    "CN436", "no-labels", WARNING,
    source="CVAT: labels that are not in the mapping are dropped silently", remedy="write the annotation `spec`",
)  # fmt: skip
def no_labels(labels: Labels) -> Iterator[Fault]:
    """A detector without labels: nothing that it finds can be mapped, every answer is dropped."""
    if labels.function.kind == "detector" and not labels.data and labels.data is not False:
        yield Fault("the detector has no labels", labels.function.places.key("metadata", "annotations", "spec"))


def kind_of(value: Any) -> str:
    """What a JSON value is, in a message."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
