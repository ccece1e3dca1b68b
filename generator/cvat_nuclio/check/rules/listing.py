"""CN40x and CN42x: what CVAT's server needs to list a function. Some mistakes hide the function, some hide all."""

import re
from collections.abc import Iterator

from ..config import Config
from ..finding import Finding
from ..near import near
from ..rule import ERROR, NOTE, WARNING, ConfigRule, TreeRule

KINDS = ("detector", "interactor", "reid", "tracker")
ANNOTATIONS = (
    "name", "type", "framework", "spec", "version", "min_pos_points", "min_neg_points", "startswith_box",
    "startswith_box_optional", "help_message", "animated_gif", "supported_shape_types",
)  # fmt: skip
_SHAPES = ("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton")
_SAM = "pth-facebookresearch-sam-vit-h"


class NoAnnotations(ConfigRule):
    """The function has no annotations: CVAT's whole list of models fails, for every user."""

    id, name, severity = "CN401", "no-annotations", ERROR
    cvat = True
    source = "CVAT: vectors listing.annotations.missing (KeyError, 500)"
    remedy = "write metadata.annotations with `type` and `spec`"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.config and config.has("spec") and not config.annotations:
            message = "no annotations: CVAT's list of models fails for everybody"
            yield self.found(config.file, message, config.key("metadata", "annotations"))


class NoDescription(ConfigRule):
    """The description is missing or empty: CVAT's whole list of models fails, for every user.

    Nuclio leaves an empty string out, and CVAT reads `spec.description` without a default.
    """

    id, name, severity = "CN402", "no-description", ERROR
    cvat = True
    source = "CVAT: vectors listing.description.missing (KeyError, 500); Nuclio: vector spec-description-empty"
    remedy = "write spec.description"

    def check(self, config: Config) -> Iterator[Finding]:
        if config.config and config.has("spec") and not config.spec.get("description"):
            what = "the description is empty" if config.has("spec", "description") else "no description"
            place = config.key("spec", "description")
            yield self.found(config.file, f"{what}: CVAT's list of models fails for everybody", place)


class Kind(ConfigRule):
    """The annotation `type` is none of CVAT's kinds: CVAT hides the function.

    There is no kind for classifiers: they are detectors whose labels are tags. Older servers (G1) list it as unknown.
    """

    id, name, severity = "CN403", "kind", ERROR
    cvat = True
    source = "CVAT: vectors listing.type.missing, listing.type.unknown, listing.type.uppercase; cvat#9816, #6220"
    remedy = "write `type: detector`, interactor, tracker or reid"

    def check(self, config: Config) -> Iterator[Finding]:
        if not config.annotations or config.kind in KINDS:
            return
        kind = config.kind
        present = config.has("metadata", "annotations", "type")
        path = ("metadata", "annotations", "type")
        place = config.value(*path) if present else config.key(*path)
        severity = WARNING if config.settings.cvat == "G1" else ERROR
        if not kind:
            message, remedy = "no annotation `type`: CVAT hides the function", ""
        else:
            message = f"CVAT knows no kind {kind!r} and hides the function"
            guess = "detector" if kind.lower() in ("classifier", "tag", "segmentation") else near(kind, KINDS)
            remedy = f"write `type: {guess}`" if guess else ""
        yield self.found(config.file, message, place, severity=severity, length=max(1, len(kind)), remedy=remedy)


class NumberAnnotation(ConfigRule):
    """An annotation that CVAT reads as a whole number is none: CVAT's whole list of models fails, for every user."""

    id, name, severity = "CN404", "number-annotation", ERROR
    cvat = True
    source = "CVAT: vectors listing.version.1.5, listing.min_pos_points.abc, .empty, .1.0 (ValueError, 500)"
    remedy = 'write a whole number in quotes, such as "2"'

    def check(self, config: Config) -> Iterator[Finding]:
        for name in ("version", "min_pos_points", "min_neg_points"):
            text = config.annotations.get(name)
            if text is None:
                continue
            try:
                int(text)
            except ValueError:
                place = config.value("metadata", "annotations", name)
                message = f"{name}: {text!r} is no whole number: CVAT's list of models fails for everybody"
                yield self.found(config.file, message, place, length=max(1, len(text)))


class InteractorVersion(ConfigRule):
    """An interactor of version 1: CVAT's UI calls it outdated and disables its button."""

    id, name, severity = "CN405", "interactor-version", WARNING
    cvat = True
    source = "CVAT: UI of 2024 and 2025 (version < 2)"
    remedy = 'write `version: "2"`'

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.annotations.get("version", "1")
        if config.kind == "interactor" and re.fullmatch(r"\s*[+-]?\d+\s*", text) and int(text) < 2:
            path = ("metadata", "annotations", "version")
            place = config.value(*path) if config.has(*path) else config.key(*path)
            message = f"interactor of version {int(text)}: CVAT disables the Interact button"
            yield self.found(config.file, message, place, length=len(text))


class FalseFlag(ConfigRule):
    """A flag that says no, and that CVAT takes for yes: any text is true to it, "false" too."""

    id, name, severity = "CN406", "false-flag", WARNING
    cvat = True
    source = "CVAT: vectors listing.startswith_box.false, .0, .no (listed as true)"
    remedy = "remove it to mean no"

    def check(self, config: Config) -> Iterator[Finding]:
        for name in ("startswith_box", "startswith_box_optional"):
            text = config.annotations.get(name, "")
            if text.strip().lower() in ("false", "no", "off", "0", "n", "none", "null") or (text and not text.strip()):
                place = config.value("metadata", "annotations", name)
                yield self.found(config.file, f"{name}: CVAT takes {text!r} for true", place, length=max(1, len(text)))


class BothFlags(ConfigRule):
    """Both box flags at once: the UI then always asks for a box."""

    id, name, severity = "CN407", "both-flags", WARNING
    cvat = True
    source = "CVAT: UI of 2025"
    remedy = "keep startswith_box if a box is needed, startswith_box_optional if it only helps"

    def check(self, config: Config) -> Iterator[Finding]:
        both = [config.annotations.get(name) for name in ("startswith_box", "startswith_box_optional")]
        if all(both):
            place = config.key("metadata", "annotations", "startswith_box_optional")
            message = "startswith_box wins over startswith_box_optional"
            yield self.found(config.file, message, place, length=len("startswith_box_optional"))


class ShapeTypes(ConfigRule):
    """`supported_shape_types` is empty (CVAT hides the function), or names what no tracker gets.

    It is one comma-separated string. The UI offers only trackers that know `rectangle`.
    """

    id, name, severity = "CN408", "shape-types", WARNING
    cvat = True
    source = "CVAT: vectors listing.supported_shape_types.empty, .comma, .unknown, .json_text"
    remedy = "write `supported_shape_types: rectangle`"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.annotations.get("supported_shape_types")
        if text is None or config.settings.cvat == "G1":
            return
        place = config.value("metadata", "annotations", "supported_shape_types")
        types = [word.strip() for word in text.split(",") if word.strip()]
        if not types:
            message = "supported_shape_types is empty: CVAT hides the function"
            yield self.found(config.file, message, place, severity=ERROR)
        for word in types:
            if word not in _SHAPES:
                close = near(word, _SHAPES)
                said = f"; did you mean {close}?" if close else ""
                message = f"CVAT knows no shape type {word!r}{said}"
                yield self.found(config.file, message, place, length=len(text))
        if config.kind == "tracker" and types and all(t in _SHAPES for t in types) and "rectangle" not in types:
            yield self.found(config.file, "CVAT's UI offers only trackers of rectangles", place, length=len(text))
        if config.kind in ("detector", "interactor", "reid") and types:
            message = f"supported_shape_types means nothing on a {config.kind}"
            yield self.found(config.file, message, place, severity=NOTE, length=len(text), remedy="remove it")


class URLName(ConfigRule):
    """A name that CVAT's URLs cannot hold: the function is listed, and every call answers 404."""

    id, name, severity = "CN409", "url-name", ERROR
    cvat = True
    source = "CVAT: vectors listing.id.*; lambda_manager/urls.py [a-zA-Z0-9_.-]+"
    remedy = "write letters, digits, dots, hyphens and underscores"

    def check(self, config: Config) -> Iterator[Finding]:
        text = config.name
        if text and not re.fullmatch(r"[a-zA-Z0-9_.-]+", text):
            place = config.value("metadata", "name")
            yield self.found(config.file, f"CVAT cannot call {text!r}: no such URL", place, length=len(text))


class SAMName(ConfigRule):
    """The id of CVAT's own SAM function: the UI's plugin takes over every function of that name.

    The plugin expects an image embedding (`blob`) and decodes the prompts in the browser.
    """

    id, name, severity = "CN410", "sam-name", ERROR
    cvat = True
    source = "CVAT: cvat-ui/plugins/sam"
    remedy = "choose another name"

    def check(self, config: Config) -> Iterator[Finding]:
        answers_blob = any("blob" in file.read_text("utf-8", "replace") for file in config.folder.glob("*.py"))
        if config.name == _SAM and not answers_blob:
            place = config.value("metadata", "name")
            yield self.found(config.file, f"CVAT's SAM plugin takes over {_SAM}", place, length=len(_SAM))


class AnnotationTypo(ConfigRule):
    """An annotation that looks like one of CVAT's, and is none: CVAT does not read it."""

    id, name, severity = "CN411", "annotation-typo", WARNING
    cvat = True
    source = "CVAT: lambda_manager reads exact names"
    remedy = "write CVAT's name"

    def check(self, config: Config) -> Iterator[Finding]:
        for key in config.annotations:
            if key in ANNOTATIONS or "/" in key:
                continue
            close = near(key, ANNOTATIONS, 0.8)
            if close and close not in config.annotations:
                place = config.key("metadata", "annotations", key)
                message = f"CVAT reads no annotation {key}; did you mean {close}?"
                yield self.found(config.file, message, place, length=len(key), remedy=f"write {close}")


class ShapeTypesMissing(ConfigRule):
    """A tracker without `supported_shape_types`: CVAT sends and expects flat arrays, as older servers did."""

    id, name, severity = "CN412", "legacy-tracker", NOTE
    cvat = True
    source = "CVAT: vectors tracker.legacy.*, tracker.typed.*"
    remedy = "write `supported_shape_types: rectangle` if the handler reads shapes as objects"

    def check(self, config: Config) -> Iterator[Finding]:
        legacy = "supported_shape_types" not in config.annotations
        if config.kind == "tracker" and legacy and config.settings.cvat != "G1":
            reads_type = any(re.search(r"\[[\"']points[\"']\]", source) for source in _sources(config))
            if reads_type:
                message = "the handler reads shapes as objects, and CVAT sends this tracker flat arrays"
                place = config.value("metadata", "annotations", "type")
                yield self.found(config.file, message, place, severity=WARNING, length=len("tracker"))


def _sources(config: Config) -> Iterator[str]:
    for module in config.modules.values():
        yield module.file.read_text("utf-8", "replace")


class SameName(TreeRule):
    """Two bundles with one name: the one deployed later replaces the other.

    The CPU and GPU files of one folder share their name on purpose.
    """

    id, name, severity = "CN420", "same-name", WARNING
    source = "Nuclio and CVAT know functions by name only"
    remedy = "give each function a name of its own"

    def check(self, configs: list[Config]) -> Iterator[Finding]:
        first: dict[str, Config] = {}
        for config in configs:
            if not config.name:
                continue
            other = first.setdefault(config.name, config)
            if other.folder.resolve() != config.folder.resolve():
                place = config.value("metadata", "name")
                message = f"{config.name} is also the name in {other.file}"
                yield self.found(config.file, message, place, length=len(config.name))


class SameImage(TreeRule):
    """Two bundles with one `build.image`: the tag moves to the one built later.

    The other changes at its next prebuilt deploy.
    """

    id, name, severity = "CN421", "same-image", WARNING
    source = "Nuclio: recording two-functions-one-image"
    remedy = "give each function an image name of its own"

    def check(self, configs: list[Config]) -> Iterator[Finding]:
        first: dict[str, Config] = {}
        for config in configs:
            image = str(config.build.get("image", ""))
            if not image:
                continue
            other = first.setdefault(image, config)
            if other.folder.resolve() != config.folder.resolve() and other.name != config.name:
                place = config.value("spec", "build", "image")
                yield self.found(config.file, f"{image} is also the image in {other.file}", place, length=len(image))
