"""CN43x and CN44x: the annotation `spec`, a JSON text with the model's labels."""

from collections.abc import Iterator
from typing import Any

from ..config import Config
from ..finding import Finding
from ..labels import Labels
from ..near import near
from ..rule import ERROR, WARNING, ConfigRule

_BREAKS = "CVAT's list of models fails for everybody"


class LabelsRule(ConfigRule):
    """A rule about the parsed labels."""

    def check(self, config: Config) -> Iterator[Finding]:
        if config.annotations and config.labels.error is None:
            yield from self.look(config, config.labels)

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        """Yields what is wrong."""
        raise NotImplementedError

    def at(self, config: Config, message: str, *path: str | int, **options: Any) -> Finding:
        """A finding at a place in the JSON."""
        return self.found(config.file, message, config.labels.place(*path), **options)


class SpecJSON(ConfigRule):
    """The annotation `spec` is no JSON: CVAT's whole list of models fails, for every user.

    A trailing comma, single quotes or a comment is enough.
    """

    id, name, severity = "CN431", "spec-json", ERROR
    cvat = True
    source = "CVAT: vectors listing.spec.python_quotes, .trailing_comma (JSONDecodeError, 500); cvat#9067"
    remedy = "write JSON: double quotes, no comma after the last item, no comments"

    def check(self, config: Config) -> Iterator[Finding]:
        error = config.labels.error
        if error is None:
            return
        before = error.doc[: error.pos].rstrip()
        trailing = before.endswith(",") and error.doc[error.pos : error.pos + 1] in ("]", "}")
        # Python 3.13 points at the comma itself.
        trailing = trailing or "trailing comma" in error.msg
        place = config.labels.at(len(before) - 1 if trailing and before.endswith(",") else error.pos)
        what = "a comma after the last item" if trailing else error.msg[0].lower() + error.msg[1:]
        yield self.found(config.file, f"spec is no JSON ({what}): {_BREAKS}", place)


class SpecShape(LabelsRule):
    """`spec` is no list of labels with names: CVAT's whole list of models fails, for every user."""

    id, name, severity = "CN432", "spec-shape", ERROR
    cvat = True
    source = "CVAT: vectors listing.spec.object, .null, listing.label.no_name (KeyError, TypeError, 500)"
    remedy = 'write [{"name": "cat", "type": "rectangle"}]'

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        if labels.text and not _is_list(labels.data) and labels.data not in ("", {}):
            yield self.at(config, f"spec is {kind_of(labels.data)}, not a list: {_BREAKS}")
            return
        yield from self._items(config, labels.data if isinstance(labels.data, list) else [], ())
        for label in labels.all():
            if label.data.get("type") == "skeleton" and _is_list(label.data.get("sublabels")):
                yield from self._items(config, label.data["sublabels"], (*label.path, "sublabels"))

    def _items(self, config: Config, items: list[Any], path: tuple[str | int, ...]) -> Iterator[Finding]:
        for i, item in enumerate(items):
            if not isinstance(item, dict):
                yield self.at(config, f"label {i + 1} is {kind_of(item)}, not an object: {_BREAKS}", *path, i)
            elif "name" not in item:
                close = next((key for key in item if near(key, ["name"])), "")
                said = f" (there is {close!r})" if close else ""
                yield self.at(config, f"label {i + 1} has no name{said}: {_BREAKS}", *path, i)
            elif isinstance(item["name"], (list, dict)):
                yield self.at(
                    config, f"the name of label {i + 1} is {kind_of(item['name'])}: {_BREAKS}", *path, i, "name"
                )


class AttributeKeys(LabelsRule):
    """An attribute without `name`, `input_type` or `values`: CVAT's whole list of models fails, for every user."""

    id, name, severity = "CN433", "attribute-keys", ERROR
    cvat = True
    source = "CVAT: vectors listing.attribute.no_name, .no_values, .no_input_type (KeyError, 500)"
    remedy = 'write {"name": …, "input_type": "text", "values": []}'

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        for label in labels.all():
            attributes = label.data.get("attributes", [])
            if not isinstance(attributes, list):
                if isinstance(attributes, dict) and not attributes:
                    continue
                message = f"attributes of {label.name!r} are {kind_of(attributes)}, not a list: {_BREAKS}"
                yield self.at(config, message, *label.path, "attributes")
                continue
            for i, attribute in enumerate(attributes):
                path = (*label.path, "attributes", i)
                if not isinstance(attribute, dict):
                    yield self.at(config, f"an attribute of {label.name!r} is {kind_of(attribute)}: {_BREAKS}", *path)
                    continue
                missing = [key for key in ("name", "input_type", "values") if key not in attribute]
                if missing:
                    named = attribute.get("name", f"number {i + 1}")
                    message = f"attribute {named} of {label.name!r} has no {' and no '.join(missing)}: {_BREAKS}"
                    yield self.at(config, message, *path)
                elif isinstance(attribute["name"], (list, dict)):
                    message = f"the name of an attribute of {label.name!r} is {kind_of(attribute['name'])}: {_BREAKS}"
                    yield self.at(config, message, *path, "name")


class SkeletonKeys(LabelsRule):
    """A skeleton without `sublabels` or `svg`: CVAT's whole list of models fails, for every user.

    An empty `svg` keeps detection working.
    """

    id, name, severity = "CN434", "skeleton-keys", ERROR
    cvat = True
    source = "CVAT: vectors listing.skeleton.no_sublabels, .no_svg (KeyError, 500)"
    remedy = 'write "sublabels": [{"name": …}] and "svg": ""'

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        for label in labels.all():
            if label.data.get("type") != "skeleton":
                continue
            missing = [key for key in ("sublabels", "svg") if key not in label.data]
            if missing:
                message = f"skeleton {label.name!r} has no {' and no '.join(missing)}: {_BREAKS}"
                yield self.at(config, message, *label.path)
            elif not _is_list(label.data["sublabels"]) and label.data["sublabels"] not in ("", {}):
                message = f"sublabels of {label.name!r} are {kind_of(label.data['sublabels'])}, not a list: {_BREAKS}"
                yield self.at(config, message, *label.path, "sublabels")


class DuplicateNames(LabelsRule):
    """A name occurs twice among labels, sublabels of a skeleton or attributes of a label: CVAT hides the function.

    Older servers (G1) fail the whole list of models.
    """

    id, name, severity = "CN435", "duplicate-names", ERROR
    cvat = True
    source = "CVAT: vectors listing.label.duplicate, listing.attribute.duplicate, listing.skeleton.sublabel_duplicate"
    remedy = "give each a name of its own"

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        yield from self._twice(config, labels.data, (), "label_")
        for label in labels.all():
            attributes = label.data.get("attributes")
            yield from self._twice(config, attributes, (*label.path, "attributes"), f"attribute_ of {label.name!r}")
            if label.data.get("type") == "skeleton":
                sublabels = label.data.get("sublabels")
                yield from self._twice(config, sublabels, (*label.path, "sublabels"), f"sublabel_ of {label.name!r}")

    def _twice(self, config: Config, items: Any, path: tuple[str | int, ...], what: str) -> Iterator[Finding]:
        seen: list[Any] = []
        for i, item in enumerate(items if isinstance(items, list) else []):
            name = item.get("name") if isinstance(item, dict) else None
            if name is None or isinstance(name, (list, dict)):
                continue
            if name in seen:
                whole = config.settings.cvat == "G1"
                effect = _BREAKS if whole else "CVAT hides the function"
                message = f"two {what.replace('_', 's', 1)} are called {name!r}: {effect}"
                yield self.at(config, message, *path, i, "name")
            seen.append(name)


class NoLabels(LabelsRule):
    """A detector without labels: nothing that it finds can be mapped, every answer is dropped."""

    id, name, severity = "CN436", "no-labels", WARNING
    cvat = True
    source = "CVAT: labels that are not in the mapping are dropped silently"
    remedy = "write the annotation `spec`"

    def look(self, config: Config, labels: Labels) -> Iterator[Finding]:
        if config.kind == "detector" and not labels.data and labels.data is not False:
            place = config.key("metadata", "annotations", "spec")
            yield self.found(config.file, "the detector has no labels", place)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def kind_of(value: Any) -> str:
    """What a JSON value is, in a message."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
