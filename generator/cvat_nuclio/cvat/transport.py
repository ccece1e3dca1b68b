"""HTTP by the library that CVAT uses, and how CVAT reports what goes wrong."""

from typing import Any

import requests

from ..limits import CVAT_TIMEOUT
from .generation import NEWEST, Generation
from .rest_errors import CvatError

MAX_NOTE = 4000
USER_AGENT = "CVAT/2.73.0 python-requests/2.33.1"


def send(
    method: str,
    url: str,
    *,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = CVAT_TIMEOUT,
    generation: Generation = NEWEST,
) -> requests.Response:
    """One request with a session of its own, redirects followed (a redirected POST becomes a GET without a body).

    `body` is sent as JSON. Proxies in the environment are not asked. Raises `CvatError`: 503 for a refused or dropped
    connection, 504 for a timeout, 500 for a body that ends early (a G1 server takes it as it is) or cannot be decoded.
    """
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
        try:
            # CVAT's setting is a whole number, and shows as one in messages.
            whole = int(timeout) if timeout == int(timeout) else timeout
            answer = session.request(method, url, json=body, headers=headers, timeout=whole, stream=True)
            if generation is Generation.G1:
                # Its urllib3 took a body that ends before its announced length as the whole.
                answer.raw.enforce_content_length = False
            _ = answer.content  # read before the session ends
        except requests.RequestException as error:
            raise _failure(error) from error
    return answer


def decode(answer: requests.Response) -> Any:
    """The JSON in the answer. NaN and Infinity pass here.

    Raises `CvatError`: a status from 400 to 599 is passed on to the user with the status line alone (the body, with
    the function's own words, is thrown away); a body that is no JSON is a 500. The content type is not looked at, but
    for the text's encoding.
    """
    try:
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as error:
        raise _with_body(_failure(error), answer) from error


def _failure(error: requests.RequestException) -> CvatError:
    """What CVAT answers; the order of the classes is that of its handlers."""
    match error:
        case requests.ConnectionError():
            status = 503
        case requests.HTTPError():
            status = error.response.status_code
        case requests.Timeout():
            status = 504
        case _:
            status = 500
    return CvatError(f"requests.exceptions.{type(error).__name__}", str(error), status)


def _with_body(error: CvatError, answer: requests.Response) -> CvatError:
    """The function's own words as a note on the error, for users of this tool: CVAT throws them away."""
    text = answer.text.strip()
    if text:
        error.add_note(text if len(text) <= MAX_NOTE else f"{text[:MAX_NOTE]} …")
    return error
