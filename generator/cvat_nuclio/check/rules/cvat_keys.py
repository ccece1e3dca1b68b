"""CN4xx and CN5xx of one key: what CVAT's server and page make of an annotation, a size, a time."""

import re

from ...limits import CVAT_TIMEOUT, KINDS, SAM_NAME, SHAPE_TYPES
from ...nuclio.duration import BadDuration
from ...nuclio.http_trigger import DEFAULT_BODY_LIMIT, BadAttribute, http_trigger
from ..key_rules import At, Said, key_rule, row
from ..near import did_you_mean, near
from ..rule import ERROR, NOTE, WARNING, Fault

ANNOTATIONS = (
    "name", "type", "framework", "spec", "version", "min_pos_points", "min_neg_points", "startswith_box",
    "startswith_box_optional", "help_message", "animated_gif", "supported_shape_types",
)  # fmt: skip

# --- what CVAT needs to list a function

row(
    "CN401", "no-annotations", ERROR, "metadata.annotations",
    lambda at: None if at.value else "no annotations: CVAT's list of models fails for everybody",
    "The function has no annotations: CVAT's whole list of models fails, for every user.",
    source="CVAT: vectors listing.annotations.missing (KeyError, 500)",
    remedy="write metadata.annotations with `type` and `spec`", mark="key", absent=True, cvat=True,
)  # fmt: skip

row(
    "CN402", "no-description", ERROR, "spec.description",
    lambda at: None if at.value
    else f"{'the description is empty' if at.present else 'no description'}: CVAT's list of models fails for everybody",
    """The description is missing or empty: CVAT's whole list of models fails, for every user.

    Nuclio leaves an empty string out, and CVAT reads `spec.description` without a default.
    """,
    source="CVAT: vectors listing.description.missing (KeyError, 500); Nuclio: vector spec-description-empty",
    remedy="write spec.description", mark="key", absent=True, cvat=True,
)  # fmt: skip


@key_rule(
    "CN403", "kind", ERROR, "metadata.annotations.type",
    source="CVAT: vectors listing.type.missing, listing.type.unknown, listing.type.uppercase; cvat#9816, #6220",
    remedy="write `type: detector`, interactor, tracker or reid", absent=True, cvat=True,
)  # fmt: skip
def kind(at: At) -> Said:
    """The annotation `type` is none of CVAT's kinds: CVAT hides the function.

    There is no kind for classifiers: they are detectors whose labels are tags. Older servers (G1) list it as unknown.
    """
    if not at.bundle.annotations or at.value in KINDS:
        return None
    severity = WARNING if at.bundle.settings.cvat == "G1" else ERROR
    if not at.value:
        return Fault("no annotation `type`: CVAT hides the function", severity=severity)
    plain = at.value.lower()
    guess = "detector" if plain in ("classifier", "tag", "segmentation") else near(at.value, KINDS)
    message = f"CVAT knows no kind {at.value!r} and hides the function"
    remedy = f"write `type: {guess}`" if guess else ""
    if plain == "classifier":
        remedy += ', and `"type": "tag"` in each label of `spec`: a classifier answers tags'
    return Fault(message, severity=severity, remedy=remedy)


@key_rule(
    "CN404", "number-annotation", ERROR,
    ("metadata.annotations.version", "metadata.annotations.min_pos_points", "metadata.annotations.min_neg_points"),
    source="CVAT: vectors listing.version.1.5, listing.min_pos_points.abc, .empty, .1.0 (ValueError, 500)",
    remedy='write a whole number in quotes, such as "2"', cvat=True,
)  # fmt: skip
def number_annotation(at: At) -> Said:
    """An annotation that CVAT reads as a whole number is none: CVAT's whole list of models fails, for every user."""
    try:
        int(at.value)
    except ValueError:
        return f"{at.key}: {at.value!r} is no whole number: CVAT's list of models fails for everybody"
    return None


@key_rule(
    "CN405", "interactor-version", WARNING, "metadata.annotations.version",
    source="CVAT: UI of 2024 and 2025 (version < 2)", remedy='write `version: "2"`', absent=True, cvat=True,
)  # fmt: skip
def interactor_version(at: At) -> Said:
    """An interactor of version 1: CVAT's UI calls it outdated and disables its button."""
    text = at.value or "1"
    if at.bundle.kind != "interactor" or not re.fullmatch(r"\s*[+-]?\d+\s*", text) or int(text) >= 2:
        return None
    return f"interactor of version {int(text)}: CVAT disables the Interact button"


row(
    "CN406", "false-flag", WARNING,
    ("metadata.annotations.startswith_box", "metadata.annotations.startswith_box_optional"),
    lambda at: f"{at.key}: CVAT takes {at.value!r} for true"
    if at.value and at.value.strip().lower() in ("false", "no", "off", "0", "n", "none", "null", "") else None,
    'A flag that says no, and that CVAT takes for yes: any text is true to it, "false" too.',
    source="CVAT: vectors listing.startswith_box.false, .0, .no (listed as true)", remedy="remove it to mean no",
    cvat=True,
)  # fmt: skip

row(
    "CN407", "both-flags", WARNING, "metadata.annotations.startswith_box_optional",
    lambda at: "startswith_box wins over startswith_box_optional"
    if at.value and at.bundle.annotations.get("startswith_box") else None,
    "Both box flags at once: the UI then always asks for a box.",
    source="CVAT: UI of 2025",
    remedy="keep startswith_box if a box is needed, startswith_box_optional if it only helps", mark="key", cvat=True,
)  # fmt: skip


@key_rule(
    "CN408", "shape-types", WARNING, "metadata.annotations.supported_shape_types",
    source="CVAT: vectors listing.supported_shape_types.empty, .comma, .unknown, .json_text",
    remedy="write `supported_shape_types: rectangle`", cvat=True,
)  # fmt: skip
def shape_types(at: At) -> list[Said]:
    """`supported_shape_types` is empty (CVAT hides the function), or names what no tracker gets.

    It is one comma-separated string. The UI offers only trackers that know `rectangle`.
    """
    if at.bundle.settings.cvat == "G1":
        return []
    kind, types = at.bundle.kind, [word.strip() for word in at.value.split(",") if word.strip()]
    if not types:
        return [Fault("supported_shape_types is empty: CVAT hides the function", severity=ERROR)]
    unknown = [word for word in types if word not in SHAPE_TYPES]
    said: list[Said] = [f"CVAT knows no shape type {word!r}{did_you_mean(near(word, SHAPE_TYPES))}" for word in unknown]
    if kind == "tracker" and not unknown and "rectangle" not in types:
        # What it tracks is what the function can do: to write `rectangle` here would not teach it rectangles.
        remedy = "nothing is wrong for batch jobs; a tracker that is to be used on CVAT's page has to take rectangles"
        said.append(Fault("CVAT's UI offers only trackers of rectangles", remedy=remedy))
    if kind in ("detector", "interactor", "reid"):
        said.append(Fault(f"supported_shape_types means nothing on a {kind}", severity=NOTE, remedy="remove it"))
    return said


row(
    "CN409", "url-name", ERROR, "metadata.name",
    lambda at: f"CVAT cannot call {at.value!r}: no such URL"
    if at.value and not re.fullmatch(r"[a-zA-Z0-9_.-]+", at.value) else None,
    "A name that CVAT's URLs cannot hold: the function is listed, and every call answers 404.",
    source="CVAT: vectors listing.id.*; lambda_manager/urls.py [a-zA-Z0-9_.-]+",
    remedy="write letters, digits, dots, hyphens and underscores", cvat=True,
)  # fmt: skip


#: The embedding itself, or another service's answer, which is passed on.
_BLOB = re.compile(r"blob|urlopen|urllib3|httpx|requests\.(post|request)")


@key_rule(
    "CN410", "sam-name", ERROR, "metadata.name",
    source="CVAT: cvat-ui/plugins/sam", remedy="choose another name", cvat=True,
)  # fmt: skip
def sam_name(at: At) -> Said:
    """The id of CVAT's own SAM function: the UI's plugin takes over every function of that name.

    The plugin expects an image embedding (`blob`) and decodes the prompts in the browser.
    """
    texts = (file.read_text("utf-8", "replace") for file in at.bundle.folder.glob("*.py") if file.is_file())
    if at.value != SAM_NAME or any(map(_BLOB.search, texts)):
        return None
    return f"CVAT's SAM plugin takes over {SAM_NAME}"


@key_rule(
    "CN411", "annotation-typo", WARNING, "metadata.annotations.*",
    source="CVAT: lambda_manager reads exact names", remedy="write CVAT's name", mark="key", cvat=True,
)  # fmt: skip
def annotation_typo(at: At) -> Said:
    """An annotation that looks like one of CVAT's, and is none: CVAT does not read it."""
    close = "" if at.key in ANNOTATIONS or "/" in at.key else near(at.key, ANNOTATIONS, 0.8)
    if not close or close in at.bundle.annotations:
        return None
    return Fault(f"CVAT reads no annotation {at.key}{did_you_mean(close)}", remedy=f"write {close}")


@key_rule(
    "CN412", "legacy-tracker", NOTE, "metadata.annotations.type",
    source="CVAT: vectors tracker.legacy.*, tracker.typed.*",
    remedy="write `supported_shape_types: rectangle` if the handler reads shapes as objects", cvat=True,
)  # fmt: skip
def legacy_tracker(at: At) -> Said:
    """A tracker without `supported_shape_types`: CVAT sends and expects flat arrays, as older servers did."""
    legacy = "supported_shape_types" not in at.bundle.annotations and at.bundle.settings.cvat != "G1"
    if at.value != "tracker" or not legacy:
        return None
    reads_objects = any(re.search(r"\[[\"']points[\"']\]", module.text) for module in at.bundle.modules.values())
    message = "the handler reads shapes as objects, and CVAT sends this tracker flat arrays"
    return Fault(message, severity=WARNING) if reads_objects else None


# --- sizes, times and workers


@key_rule(
    "CN501", "body-limit", WARNING, "spec.triggers.<http>.attributes.maxRequestBodySize",
    source="Nuclio: vectors body-default-length-4194305, attr-maxRequestBodySize-zero; cvat#6861, #5258, #9679",
    remedy="write `maxRequestBodySize: 33554432` (32 MiB) under the trigger's attributes", absent=True, cvat=True,
)  # fmt: skip
def body_limit(at: At) -> Said:
    """The body limit is Nuclio's default of 4 MiB or less: photographs above about 3 MB are refused with 400.

    CVAT sends the original image in base64, a third more than the file. The user sees "400 Client Error" only.
    """
    try:
        limit = http_trigger(at.owner, at.bundle.triggers[at.owner]).body_limit
    except (BadAttribute, BadDuration):
        return None
    raw = limit * 3 // 4
    size = f"{raw / 1_000_000:.1f} MB" if raw >= 100_000 else f"{raw} bytes"
    said = f"the body limit of {limit} bytes lets images of at most {size} pass"
    return said if limit <= DEFAULT_BODY_LIMIT else None


row(
    "CN502", "long-event-timeout", WARNING, "spec.eventTimeout",
    lambda at: f"an event timeout of {at.value} is longer than the {CVAT_TIMEOUT} s that CVAT waits"
    if (at.bundle.event_timeout or 0) > CVAT_TIMEOUT else None,
    "`eventTimeout` is longer than CVAT waits: CVAT gives up after 120 s, and the worker goes on for nobody.",
    source="CVAT: CVAT_NUCLIO_DEFAULT_TIMEOUT = 120; Nuclio: it fires between T-1 s and 2T",
    remedy="write at most 120s; 60s is cut after 60 to 120 s", cvat=True,
)  # fmt: skip

row(
    "CN503", "no-event-timeout", NOTE, "spec.eventTimeout",
    lambda at: "no event timeout: a hung request keeps its worker" if at.bundle.triggers and not at.value else None,
    "There is no `eventTimeout`: a request that hangs keeps its worker for ever.",
    source="Nuclio: no limit without it; cvat#6192", remedy="write `eventTimeout: 60s`",
    mark="key", absent=True, cvat=True,
)  # fmt: skip

row(
    "CN504", "long-wait", WARNING, "spec.triggers.<http>.workerAvailabilityTimeoutMilliseconds",
    lambda at: f"a request may wait {at.value / 1000:g} s for a worker; CVAT gives up after {CVAT_TIMEOUT} s"
    if at.value > CVAT_TIMEOUT * 1000 else None,
    "A request waits for a free worker longer than CVAT waits for the answer.",
    source="Nuclio: vectors busy-1workers-availability-*; CVAT's 120 s", remedy="write at most 120000 milliseconds",
    cvat=True,
)  # fmt: skip

row(
    "CN505", "no-wait", WARNING, "spec.triggers.<http>.workerAvailabilityTimeoutMilliseconds",
    lambda at: "a request that meets busy workers gets 503 at once" if at.value == 0 else None,
    "No request waits for a free worker: the second one at a time gets 503.",
    source="Nuclio: vector busy-1workers-availability-0", remedy="write 10000 or more milliseconds", cvat=True,
)  # fmt: skip


@key_rule(
    "CN506", "gpu-workers", WARNING, ("spec.triggers.<http>.numWorkers", "spec.triggers.<http>.maxWorkers"),
    source="Nuclio: one process a worker, all started at once (nuclio#3180); cvat#2585, #2635, #3548",
    remedy="write `numWorkers: 1`, unless the GPU holds that many models", cvat=True,
)  # fmt: skip
def gpu_workers(at: At) -> Said:
    """Several workers on a GPU: each is a process with its own copy of the model in the GPU's memory."""
    message = f"{at.value} workers hold {at.value} models in the GPU's memory"
    return message if at.bundle.for_gpu and at.value > 1 and not at.is_overruled else None


row(
    "CN507", "short-event-timeout", WARNING, "spec.eventTimeout",
    lambda at: f"an event timeout of {at.value} kills workers that are well"
    if 0 < (at.bundle.event_timeout or 0) < 5 else None,
    """`eventTimeout` is shorter than the processor's clock can tell: requests that are well are killed too.

    The clock has a resolution of a second, and in the processor's first ten seconds ages count from its start.
    """,
    source="Nuclio: vectors eventTimeout-2s-window, eventTimeout-early-5s-window, spec-eventTimeout-1ms",
    remedy="write 30s or more", cvat=True,
)  # fmt: skip
