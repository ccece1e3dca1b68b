"""The page's routes."""

import asyncio
import io
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..errors import UserError
from ..invoke.call_picture import drawn, write
from ..invoke.call_report import Report
from ..invoke.call_target import Target
from ..serve.dashboard import Entry
from ..serve.engine_log import Log
from ..serve.function_port import Bodies, Busy, Gone, TooLarge
from ..serve.listener import App
from .calls import Calls, Served, generation
from .gate import Gate
from .pictures import MOST_BYTES, Pictures
from .shown import listed

CALLS_AT_ONCE = 8
FILES = Path(__file__).parent / "page"
# What browsers show by themselves; other formats are sent to them as PNG.
SHOWN_AS_THEY_ARE = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png", b"GIF": "image/gif"}
Handler = Callable[[Request], Awaitable[Response]]


def page_app(entries: Sequence[Entry], bundles: Sequence[str], log: Log) -> App:
    """The ASGI application. `bundles`: each function's, as the user named it to `serve`."""
    page = Page(entries, bundles, log)
    routes = [
        Route("/", index),
        Mount("/page", StaticFiles(directory=FILES)),
        Route("/api/functions", told(page.functions)),
        Route("/api/pictures", told(page.take), methods=["POST"]),
        Route("/api/pictures/{id}", told(page.picture)),
        Route("/api/calls", told(page.call), methods=["POST"]),
        Route("/api/calls/{id}/step", told(page.step), methods=["POST"]),
        Route("/api/calls/{id}/{what}", told(page.saved)),
    ]
    return Gate(Starlette(routes=routes))


class Page:
    """Answers the page. What takes time is done in threads of its own: the engine's loop goes on."""

    def __init__(self, entries: Sequence[Entry], bundles: Sequence[str], log: Log) -> None:
        self._entries = {entry.settings.name: entry for entry in entries}
        self._bundles = dict(zip(self._entries, bundles, strict=True))
        self._log = log
        self._bodies = Bodies()
        self._pictures = Pictures()
        self._calls = Calls(self._pictures)
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, "page")

    async def functions(self, request: Request) -> Response:
        """`?cvat=G3`: the list, as that generation reads it."""
        chosen = generation(request.query_params.get("cvat", "G3"))
        return as_json([listed(entry, chosen) for entry in self._entries.values()])

    async def take(self, request: Request) -> Response:
        """The body is a file, `?name=` its name; the answer names its frames."""
        content = await self._bodies.read(request.scope, request.receive, MOST_BYTES) or b""
        held, cut = await self._in_thread(self._pictures.take, request.query_params.get("name", ""), content)
        frames = [{"id": h.id, "name": h.frame.name, "width": h.frame.width, "height": h.frame.height} for h in held]
        return as_json({"frames": frames, "file": held[0].file, "cut": cut})

    async def picture(self, request: Request) -> Response:
        """A frame as browsers can show it."""
        (held,) = self._pictures.get([request.path_params["id"]])
        if shown_as := SHOWN_AS_THEY_ARE.get(held.frame.content[:3]):
            return Response(held.frame.content, media_type=shown_as)
        return Response(await self._in_thread(_png, held.frame.picture), media_type="image/png")

    async def call(self, request: Request) -> Response:
        """`{function, frames, options}`: options as `invoke` names them, with underscores. Makes the first step."""
        body = await self._json(request)
        entry = self._entries.get(str(body.get("function")))
        if entry is None:
            raise UserError(f"no function named {body.get('function')} is served")
        frames = body.get("frames")
        if not isinstance(frames, list) or not frames or not all(isinstance(name, str) for name in frames):
            raise UserError("a call needs a picture")
        call = self._calls.start(self._served(entry), body)
        return as_json(await self._in_thread(call.step))

    async def step(self, request: Request) -> Response:
        return as_json(await self._in_thread(self._calls.get(request.path_params["id"]).step))

    async def saved(self, request: Request) -> Response:
        """`request.json`, with its pictures; `answer.json`; `answer.png` or `.gif`, as `invoke --output` draws it."""
        call, what = self._calls.get(request.path_params["id"]), request.path_params["what"]
        if call.report is None:
            raise UserError("no answer came yet")
        match what:
            case "request.json":
                return as_json(call.report.calls.last)
            case "answer.json":
                return as_json(call.report.calls.answers[-1:])
            case "answer.png" | "answer.gif":
                content = await self._in_thread(_drawn, call.report, call.options, what.endswith("gif"))
                return Response(content, media_type=f"image/{what[-3:]}")
            case _:
                raise UserError(f"nothing is saved as {what}")

    def _served(self, entry: Entry) -> Served:
        name = entry.settings.name
        target = Target(entry.as_json(), f"http://{entry.address}")
        return Served(target, self._bundles[name], lambda: self._log.count, lambda mark: self._log.since(mark, name))

    async def _json(self, request: Request) -> Mapping[str, Any]:
        try:
            body = json.loads(await self._bodies.read(request.scope, request.receive, MOST_BYTES) or b"")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, Mapping) or not isinstance(body.get("options") or {}, Mapping):
            raise UserError("a call is a JSON object")
        return body

    async def _in_thread(self, do: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, do, *given)


async def index(request: Request) -> Response:
    return FileResponse(FILES / "index.html")


def told(handler: Handler) -> Handler:
    """What goes wrong, in words, as JSON: `{error: {what, why, remedy}}`."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except UserError as error:
            return _error(error)
        except (TooLarge, Busy):
            limit = f"{MOST_BYTES // 2**20} MiB"
            return _error(UserError("the file is too large", why=f"one may have {limit}"), 413)
        except Gone:
            raise ClientDisconnect from None
        except Exception as error:
            # The page's user is who started `serve`: the terminal has the whole.
            traceback.print_exc(file=sys.stderr)
            return _error(UserError("cvat-nuclio failed", why=repr(error), remedy="report it, with the traceback"), 500)

    return answer


def as_json(value: Any, status: int = 200) -> Response:
    """In ASCII: a function may answer halves of surrogate pairs."""
    return Response(json.dumps(value), status, media_type="application/json")


def _error(error: UserError, status: int = 422) -> Response:
    return as_json({"error": {"what": error.what, "why": error.why, "remedy": error.remedy}}, status)


def _png(picture: Callable[[], Any]) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _drawn(report: Report, options: Any, film: bool) -> bytes:
    images, buffer = drawn(report, options, film=film), io.BytesIO()
    write(images, buffer, "GIF" if film else "PNG")
    return buffer.getvalue()
