"""One invocation of each kind of function, through the model of CVAT."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..cvat import Browser, CvatError, Task, TaskLabel, UiError, labels_from_spec
from ..cvat.job import Job
from ..cvat.listing import retrieve_function
from ..cvat.server import Server
from ..cvat.ui import problems
from ..errors import UserError
from .answer_causes import causes, refused_by_nuclio
from .answered_labels import function_with_labels
from .call_options import LabelledBox, Options
from .call_report import Kept, Report, Timed, fault_text
from .call_target import Target
from .frame_files import Frame


def invoke(target: Target, frames: Sequence[Frame], options: Options) -> Report:
    """Calls the function as CVAT would, and tells what CVAT would keep.

    Raises `UserError` where the options do not fit the kind, `ListingError` where CVAT cannot list the function.
    """
    *_, report = steps(target, frames, options)
    return report


def steps(target: Target, frames: Sequence[Frame], options: Options) -> Iterator[Report]:
    """As `invoke`, but a tracker's frames one by one: the same report again and again, with more in it each time."""
    timed = Timed(target.gateway(options.generation))
    listed = retrieve_function(target.function, options.generation)
    if listed.kind not in _RUNNERS:
        raise UserError(f"{listed.id} is of no kind that CVAT calls", why=f"annotation type: {listed.kind}")
    invoker: Any = timed
    report = Report(listed, options.generation, list(frames), _task((), frames), timed)
    try:
        if not target.knows_labels and listed.kind == "detector":
            listed, invoker = function_with_labels(target.function, listed, timed, frames, options)
        report.function = listed
        report.task = _task(labels_from_spec(listed.labels) or _box_labels(options), frames)
        browser = Browser(Server(options.generation, invoker), listed, report.task)
        for _ in _RUNNERS[listed.kind](browser, report, options) or ():
            yield report
        report.dropped = list(browser.server.drops.found)
    except CvatError as error:
        _fail(report, error, job=False)
    except UiError as error:
        report.fault = f"the UI fails on the answer: {error}"
    nuclios = refused_by_nuclio(report.causes, target.function, timed.last)
    report.causes = [*nuclios, *report.causes[len(nuclios) :]]
    yield report


def _task(labels: Sequence[TaskLabel], frames: Sequence[Frame]) -> Task:
    return Task.of(labels, [frame.content for frame in frames])


def _fail(report: Report, error: CvatError, *, job: bool) -> None:
    report.fault, report.causes = fault_text(error, job=job), causes(error)


def _detect(browser: Browser, report: Report, options: Options) -> None:
    """A batch job over the images: what it stores is what CVAT keeps."""
    _take_job(browser.annotate(**options.fields), report)
    masks = sum(kept.type == "mask" for kept in report.kept)
    if options.conv_mask_to_poly and masks:
        report.notes.append(
            f"{masks} masks stay masks: CVAT makes a polygon of an item's `points`, and theirs have none"
        )


def _take_job(job: Job, report: Report) -> None:
    if job.error:
        _fail(report, job.error, job=True)
    for tag in job.stored["tags"]:
        report.kept.append(
            Kept(tag["frame"], "tag", _label(report.task, tag).name, attributes=_attributes(report.task, tag))
        )
    for shape in job.stored["shapes"]:
        report.kept.append(_kept(shape, report))
    for number, track in enumerate(job.stored["tracks"], start=1):
        label = track["label_id"]
        report.kept += [_kept({**shape, "label_id": label}, report, track=number) for shape in track["shapes"]]


def _kept(shape: Mapping[str, Any], report: Report, track: int | None = None) -> Kept:
    frame = report.frames[min(shape["frame"], len(report.frames) - 1)]
    found = [] if shape["outside"] else problems(shape, frame.width, frame.height)
    report.fatal = report.fatal or any(problem.fatal for problem in found)
    return Kept(
        shape["frame"],
        shape["type"],
        _label(report.task, shape).name,
        points=tuple(shape["points"]),
        rotation=shape["rotation"],
        group=shape.get("group"),
        elements=tuple(_kept(element, report) for element in shape.get("elements", ())),
        outside=shape["outside"],
        track=track,
        notes=tuple(problem.text for problem in found),
        attributes=_attributes(report.task, shape),
    )


def _label(task: Task, annotation: Mapping[str, Any]) -> TaskLabel:
    return task.label_by_id(annotation["label_id"]) or TaskLabel(annotation["label_id"], "?")


def _attributes(task: Task, annotation: Mapping[str, Any]) -> dict[str, str]:
    names = {attribute.id: attribute.name for attribute in _label(task, annotation).attributes}
    given = annotation.get("attributes", [])
    return {names.get(a["spec_id"], "?"): a["value"] for a in given}


def _interact(browser: Browser, report: Report, options: Options) -> None:
    from cvat_sdk.masks import encode_mask  # brings the whole of cvat-sdk

    frame = report.frames[0]
    if not options.positive and not options.box:
        raise UserError("an interactor needs a point or a box", remedy="add --pos X,Y or --box X1,Y1,X2,Y2")
    waits_for = browser.waits_for(len(options.positive), len(options.negative), options.box)
    if waits_for:
        raise UserError(
            "CVAT's page would not call the function yet",
            why=f"it waits, without a word, for {waits_for}",
            remedy="add --pos X,Y, --neg X,Y or --box X1,Y1,X2,Y2",
        )
    report.notes += browser.interaction_hindrances(len(options.negative), options.box)
    found, dropped = browser.interact(
        (frame.width, frame.height), options.positive, options.negative, options.box, **options.fields
    )
    report.notes += dropped
    report.notes += [] if found else ["nothing found: the UI shows no shape"]
    for number, shown in enumerate(found, start=1):
        if shown.confidence < 0.5:
            report.notes.append(f"object {number} is hidden at first: its confidence is below the slider's 0.5")
        report.kept.append(Kept(0, "mask", "object", tuple(encode_mask(shown.bitmap)), confidence=shown.confidence))


def _track(browser: Browser, report: Report, options: Options) -> Iterator[None]:
    if len(report.frames) < 2 or not options.shapes:
        raise UserError(
            "a tracker needs two or more frames, and a shape on the first",
            remedy="add images or a video, and --shape rectangle:X1,Y1,X2,Y2",
        )
    first = [_tracked(0, number, shape) for number, shape in enumerate(options.shapes, start=1)]
    report.kept += first
    lost: dict[int, int] = {}
    for found in browser.track(options.shapes, range(len(report.frames)), **options.fields):
        for number, shape in enumerate(found.shapes, start=1):
            if shape is None:
                lost.setdefault(number, found.frame)
            else:
                report.kept.append(_tracked(found.frame, number, shape))
        report.notes = [_lost(number, frame) for number, frame in lost.items()]
        yield


def _lost(number: int, frame: int) -> str:
    return f"object {number} is null from frame {frame}: the open-source UI shows 'Tracking error' for the whole call"


def _tracked(frame: int, number: int, shape: Mapping[str, Any]) -> Kept:
    points = tuple(shape["points"])
    return Kept(frame, str(shape["type"]), f"object {number}", points, track=number)


def _reidentify(browser: Browser, report: Report, options: Options) -> None:
    if len(report.frames) != 2 or not all(options.boxes):
        raise UserError(
            "a ReID function needs two images and boxes on both",
            remedy="add --box0 X1,Y1,X2,Y2 and --box1 X1,Y1,X2,Y2, once for each box",
        )
    ids = {label.name: label.id for label in report.task.labels}
    boxes = [[{"points": list(box.points), "label_id": ids[box.label]} for box in frame] for frame in options.boxes]
    job = browser.reidentify(boxes, **options.fields)
    if job.error:
        _fail(report, job.error, job=True)
        report.notes.append("the task keeps its rectangles as they were")
    else:
        _take_job(job, report)


def _box_labels(options: Options) -> tuple[TaskLabel, ...]:
    """A label for each name among the boxes: ReID functions declare none."""
    boxes: tuple[LabelledBox, ...] = options.boxes[0] + options.boxes[1]
    names = dict.fromkeys(box.label for box in boxes)
    return tuple(TaskLabel(number, name) for number, name in enumerate(names, start=1))


_RUNNERS: dict[str, Callable[[Browser, Report, Options], Iterator[None] | None]] = {
    "detector": _detect,
    "interactor": _interact,
    "tracker": _track,
    "reid": _reidentify,
}
