"""One real call to a deployed function, of its kind, with a tiny image: the state `ready` alone lies both ways."""

from typing import Any

import attrs
import urllib3

from ..cvat import NEWEST, Listed, ListingError, list_function
from ..cvat.sample import picture, rest_body
from ..errors import UserError
from ..invoke.call_options import LabelledBox, Options
from ..invoke.call_target import Target
from ..invoke.frame_files import Frame
from ..invoke.kinds import invoke


def failure(target: Target) -> str | None:
    """None where CVAT can use the function's answer, else what goes wrong, in one line, as `invoke` judges it."""
    target = attrs.evolve(target, function={"status": {}, **target.function})
    try:
        listed = list_function(target.function)
        report = invoke(target, [Frame.of("sample", picture())] * _frames(listed), _options(listed))
    except ListingError as error:
        return f"CVAT cannot list the function: {error.message}"
    except UserError as error:
        return f"CVAT cannot use the function: {error.what}"
    if not report.failed:
        return None
    if not report.fault:
        return "CVAT could not open what it stored of the answer: " + "; ".join(
            note for kept in report.kept for note in kept.notes
        )
    return "a first request failed: " + ": ".join([report.fault, *(_line(cause) for cause in report.causes)])


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _frames(listed: Listed) -> int:
    return 2 if listed.kind in ("tracker", "reid") else 1


def _options(listed: Listed) -> Options:
    body: dict[str, Any] = rest_body(listed)
    boxes = tuple(tuple(LabelledBox(tuple(box["points"])) for box in body.get(key, ())) for key in ("boxes0", "boxes1"))
    box = body.get("obj_bbox") or None
    return Options(
        positive=tuple((x, y) for x, y in body.get("pos_points", ())),
        negative=tuple((x, y) for x, y in body.get("neg_points", ())),
        box=((box[0][0], box[0][1]), (box[1][0], box[1][1])) if box else None,
        shapes=tuple(body.get("shapes", ())),
        boxes=(boxes[0], boxes[1]),
        generation=NEWEST,
    )


def is_alive(port: int) -> bool:
    """Whether anything healthy listens on the port of this host (127.0.0.1: IPv6's published port may differ)."""
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/__internal/health", timeout=2.0, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200
