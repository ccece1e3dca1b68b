"""One log-in at one server: requests as JSON, and what goes wrong in words that help."""

import argparse
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Any, TypeVar

import attrs
import urllib3
from cvat_sdk.core.auth import ClientAuthParameters, get_auth_factory, make_client_from_cli
from cvat_sdk.core.client import Client
from cvat_sdk.core.exceptions import CvatSdkException
from cvat_sdk.core.helpers import make_request_headers

from .. import __version__
from ..cvat import Generation
from ..errors import UserError
from ..waiting import waiting
from .refusals import Refused, Unreachable, translated

Answer = TypeVar("Answer")

OLDEST = (2, 40)
"""Older servers' own jobs store other things of the same answer, and nothing here was tried against them."""
G3_SINCE = (2, 70)
TIMEOUT = (10.0, 300.0)
"""Seconds for a connection, and between two parts of an answer: 3,000 shapes are stored in 2."""
PATIENCE = 300.0
"""Seconds for which a server that was there may be gone: a restart takes one or two minutes."""
BLOCK = 1 << 20


@attrs.define
class Connection:
    """A client of cvat-sdk that is logged in. Its methods may be called from several threads.

    What only reads, or may be done twice, waits up to `patience` seconds for a server that restarts.
    """

    client: Client
    version: tuple[int, ...]
    patience: float = PATIENCE
    _telling: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def url(self) -> str:
        """The server's, without a slash at the end."""
        return str(self.client.api_map.host)

    @property
    def generation(self) -> Generation:
        """By which the server's own jobs convert a function's answer."""
        return Generation.G3 if self.version >= G3_SINCE else Generation.G2

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at `/api/<path>`. Raises Refused, or Unreachable after `patience` seconds."""
        return self.patiently(lambda: self.send("GET", path, query))

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self.get(path, **query, page=page)
            yield from answer["results"]
            if not answer["next"]:
                return
            page += 1

    def send(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> Any:
        """One request, which cvat-sdk repeats where that is safe (GET, PUT, DELETE). Raises Refused, Unreachable."""
        with self._asking(method, path, query, body) as response:
            return json.loads(response.data) if response.data else None

    def download(self, path: str, query: Mapping[str, Any], file: IO[bytes]) -> None:
        """Writes the answer to `file`, from its start, a block at a time; begins again where it ends early."""

        def attempt() -> None:
            file.seek(0)
            file.truncate()
            with self._asking("GET", path, query, None, stream=True) as response:
                for block in response.stream(BLOCK):
                    file.write(block)

        self.patiently(attempt)

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Asks again, at longer and longer intervals, while the server is out of reach."""
        until, pause = time.monotonic() + self.patience, 0.5
        with ExitStack() as told:
            while True:
                try:
                    return ask()
                except Unreachable:
                    if time.monotonic() + pause > until:
                        raise
                self._tell(told)
                time.sleep(pause)
                pause = min(2 * pause, 10.0)

    def _tell(self, told: ExitStack) -> None:
        """Says until the end of `told` what is waited for: once, however many threads wait."""
        if self._telling.acquire(blocking=False):
            told.callback(self._telling.release)
            told.enter_context(waiting(f"waiting for CVAT at {self.url}"))

    @contextmanager
    def _asking(
        self, method: str, path: str, query: Mapping[str, Any], body: Any, *, stream: bool = False
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Yields the answer. Unless it is streamed all of it is there."""
        with translated(f"{method} /api/{path}", self.url):
            response = self.client.api_client.rest_client.request(
                method,
                f"{self.url}/api/{path}",
                query_params=list(query.items()),
                headers=make_request_headers(self.client.api_client),
                body=body,
                _parse_response=not stream,
                _request_timeout=TIMEOUT,
            )
            try:
                yield response
            finally:
                response.close()


@contextmanager
def connect(args: argparse.Namespace) -> Iterator[Connection]:
    """Logs in with the options of `commands.shared_options`, or with those of that name that `args` has.

    Raises UserError for a wrong password, a server that is not there, too old, or no CVAT.
    """
    host = args.server_host or "CVAT"
    auth = get_auth_factory(args.auth) if args.auth else None
    wanted = ClientAuthParameters(
        args.profile, auth, args.server_host, args.server_port, args.insecure, args.organization
    )
    try:
        with translated("the log-in", host):
            client = make_client_from_cli(wanted)
    except (CvatSdkException, ValueError) as error:
        raise UserError(
            "cannot log in at CVAT", why=str(error), remedy="see --server-host, --auth, --profile"
        ) from error
    except Refused as error:
        raise _no_login(host, error) from error
    with client:
        client.api_client.user_agent = f"cvat-nuclio/{__version__} {client.api_client.user_agent}"
        connection = Connection(client, (), patience=0.0)
        try:
            connection.version = _version(connection)
            connection.get("users/self")
        except Refused as error:
            raise _no_login(connection.url, error) from error
        connection.patience = PATIENCE
        yield connection


def _no_login(host: str, error: Refused) -> UserError:
    """A wrong password is HTTP 400, a wrong token 401."""
    remedies = {
        400: "see the user's name and the password: --auth USER[:PASS]",
        401: "see the token, which may have ended: CVAT_ACCESS_TOKEN, --profile NAME",
    }
    if error.status in remedies:
        return UserError(f"{host} does not let you in", why=error.told, remedy=remedies[error.status])
    return error


def _version(connection: Connection) -> tuple[int, ...]:
    """The server's, as (major, minor). Raises Refused for a wrong token."""
    try:
        told = str(connection.get("server/about")["version"])
        version = tuple(map(int, re.match(r"(\d+)\.(\d+)", told).groups()))  # type: ignore[union-attr]
    except (Refused, ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, Refused) and error.status == 401:
            raise
        raise UserError(
            f"{connection.url} does not answer as CVAT does",
            why=" ".join(str(error).split()),
            remedy="name CVAT's own address: --server-host URL, the one that the browser shows",
        ) from error
    if version < OLDEST:
        raise UserError(
            f"CVAT {told} at {connection.url} is too old",
            why="its own jobs store a function's answer in another way than those since " + ".".join(map(str, OLDEST)),
            remedy="update CVAT, or start the function from its dialog",
        )
    return version
