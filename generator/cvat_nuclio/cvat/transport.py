"""HTTP as CVAT's `requests` does it, and how CVAT reports what goes wrong."""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import attrs
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from ..limits import CVAT_TIMEOUT
from .errors import CvatError
from .generation import NEWEST, Generation

MAX_REDIRECTS = 30
MAX_NOTE = 4000
HEADERS = {
    "User-Agent": "CVAT/2.54.1 python-requests/2.32.4",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}


@attrs.frozen
class Answer:
    """An HTTP answer. `headers` with names in lower case."""

    url: str
    status: int
    reason: str
    headers: dict[str, str]
    content: bytes = attrs.field(repr=False)


def send(
    method: str,
    url: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = CVAT_TIMEOUT,
    generation: Generation = NEWEST,
) -> Answer:
    """One request, redirects followed (a redirected POST becomes a GET without a body, as in a browser).

    `body` is sent as JSON with the exact content type application/json. Raises `CvatError`: 503 for a refused or
    dropped connection, 504 for a timeout, 500 for a body that ends early (a G1 server takes it as it is).
    """
    content = None if body is None else json.dumps(body, allow_nan=False).encode()
    all_headers = HEADERS | (headers or {}) | ({"Content-Type": "application/json"} if content else {})
    for _ in range(MAX_REDIRECTS):
        answer = _send_once(method, url, content, all_headers, timeout, generation)
        location = answer.headers.get("location")
        if answer.status not in (301, 302, 303, 307, 308) or not location:
            return answer
        url = urljoin(url, location)
        if answer.status < 307:
            method, content = "GET", None
            all_headers = {key: value for key, value in all_headers.items() if key != "Content-Type"}
    raise CvatError("requests.exceptions.TooManyRedirects", f"Exceeded {MAX_REDIRECTS} redirects.", 500)


def _send_once(
    method: str,
    url: str,
    content: bytes | None,
    headers: dict[str, str],
    timeout: float,
    generation: Generation,
) -> Answer:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        # A pool for one call, as CVAT makes a session for each: no kept connection can have gone stale.
        with _pool(url, timeout) as pool:
            response = pool.urlopen(method, path, body=content, headers=headers, redirect=False, preload_content=False)
            # G1's urllib3 took a body that ends before its announced length as the whole.
            if generation is Generation.G1 and isinstance(response, urllib3.HTTPResponse):
                response.enforce_content_length = False
            read = b"".join(response.stream(decode_content=True))
            names = {name.lower(): value for name, value in response.headers.items()}
            return Answer(url, response.status, response.reason or "", names, read)
    except HTTPError as error:
        raise _failure(error) from error


def _pool(url: str, timeout: float) -> urllib3.HTTPConnectionPool:
    retries = urllib3.Retry(0, read=False, redirect=False)
    return urllib3.connection_from_url(url, timeout=_whole(timeout), retries=retries)


def _whole(timeout: float) -> float:
    """CVAT's setting is a whole number, and shows as one in messages."""
    return int(timeout) if timeout == int(timeout) else timeout


def _failure(error: HTTPError) -> CvatError:
    match error:
        case ReadTimeoutError():
            return CvatError("requests.exceptions.ReadTimeout", str(error), 504)
        case MaxRetryError(reason=ConnectTimeoutError() as cause) if not isinstance(cause, NewConnectionError):
            return CvatError("requests.exceptions.ConnectTimeout", str(error), 504)
        case ProtocolError() if "IncompleteRead" in str(error):
            return CvatError("requests.exceptions.ChunkedEncodingError", str(error), 500)
        case _:
            return CvatError("requests.exceptions.ConnectionError", str(error), 503)


def decode(answer: Answer) -> Any:
    """The JSON in the answer. NaN and Infinity pass here.

    Raises `CvatError`: a status from 400 is passed on to the user with the status line alone (the body, with the
    function's own words, is thrown away); a body that is no JSON is a 500. The content type is not looked at, but
    for the text's encoding.
    """
    if answer.status >= 400:
        side = "Client" if answer.status < 500 else "Server"
        reason = answer.reason or _phrase(answer.status)
        message = f"{answer.status} {side} Error: {reason} for url: {_normalised(answer.url)}"
        raise _with_body(CvatError("requests.exceptions.HTTPError", message, answer.status), answer)
    try:
        return json.loads(_text(answer))
    except ValueError as error:
        failure = CvatError("requests.exceptions.JSONDecodeError", str(error), 500)
        raise _with_body(failure, answer) from error


def _with_body(error: CvatError, answer: Answer) -> CvatError:
    """The function's own words as a note on the error, for users of this tool: CVAT throws them away."""
    text = _text(answer).strip()
    if text:
        error.add_note(text if len(text) <= MAX_NOTE else f"{text[:MAX_NOTE]} …")
    return error


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "None"


def _normalised(url: str) -> str:
    return url if urlsplit(url).path else f"{url}/"


def _text(answer: Answer) -> str:
    """requests' rule: the header's charset, Latin-1 for text/*, UTF-8 for application/json; else a guess."""
    content_type = answer.headers.get("content-type", "")
    _, _, charset = content_type.partition("charset=")
    if charset:
        encoding = charset.split(";")[0].strip(" \"'")
    elif "text" in content_type:
        encoding = "iso-8859-1"
    elif "application/json" in content_type:
        encoding = "utf-8"
    else:
        encoding = json.detect_encoding(answer.content)
    try:
        return answer.content.decode(encoding, errors="replace")
    except LookupError:
        return answer.content.decode(errors="replace")
