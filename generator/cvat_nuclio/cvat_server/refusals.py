"""What goes wrong between here and a CVAT server, in words that help."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from cvat_sdk import exceptions

from ..errors import UserError


class Refused(UserError):
    """The server's no. `status` is HTTP's, `told` its own words."""

    def __init__(self, what: str, status: int, told: str, remedy: str = "") -> None:
        super().__init__(what, why=f"HTTP {status}: {told}", remedy=remedy)
        self.status = status
        self.told = told


class Unreachable(UserError):
    """No answer, or none of CVAT's own. `sent` tells whether the request may have reached it all the same."""

    def __init__(self, what: str, why: str, *, sent: bool) -> None:
        remedy = "see that CVAT runs at that address and that this machine reaches it"
        super().__init__(what, why=why, remedy=remedy)
        self.sent = sent


@contextmanager
def translated(what: str, url: str) -> Iterator[None]:
    """cvat-sdk's and urllib3's exceptions as errors that help."""
    try:
        yield
    except exceptions.ApiException as error:
        raise _of_status(what, url, error) from error
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(f"no answer from CVAT at {url}", f"{what}: {_innermost(error)}", sent=_sent(error)) from error


def _of_status(what: str, url: str, error: exceptions.ApiException) -> UserError:
    status, told = int(error.status or 0), _words(error.body)
    match status:
        case 0:
            why = " ".join(str(error.reason).split())
            return UserError(f"no safe connection to {url}", why=why, remedy="mend the certificate, or add --insecure")
        case 502 | 503 | 504:
            return Unreachable(f"no answer from CVAT at {url}", f"{what}: HTTP {status}: {told}", sent=True)
    return Refused(f"CVAT refuses {what}", status, told, _REMEDIES.get(status, ""))


_REMEDIES = {
    401: "log in again: --auth USER, CVAT_ACCESS_TOKEN or --profile NAME; a token or session may have ended",
    403: "ask for the right to it, name its organization (--org SLUG), or use a token that may write",
    404: "see the number, and whether it belongs to an organization (--org SLUG)",
    413: "let the proxy before CVAT take larger requests (client_max_body_size)",
    429: "wait a minute",
}


def _words(body: Any) -> str:
    """The server's own words, of JSON the values alone, in one line."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        found = json.loads(text)
    except ValueError:
        found = "an HTML page" if text.lstrip().startswith("<") else text
    if isinstance(found, dict) and set(found) <= {"detail", "non_field_errors"}:
        found = next(iter(found.values()), "")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    line = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return " ".join(line.split())[:400]


def _innermost(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return _innermost(reason) if isinstance(reason, BaseException) else str(error)


def _sent(error: BaseException) -> bool:
    """False only where no connection was made at all."""
    reason = getattr(error, "reason", None) or error
    return not isinstance(reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))
