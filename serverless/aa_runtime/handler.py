"""Event → response. Never raises; the worker survives every request."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import nuclio_sdk

from aa_runtime import contract, errors, measures, sdk_functions
from aa_runtime.contract import Kind
from aa_runtime.fields import parse_body
from aa_runtime.images import prepare
from aa_runtime.loading import FunctionSource, kind_of, load
from aa_runtime.log import Log
from aa_runtime.measures import Measures
from aa_runtime.options import Options

#: For the case that even the error cannot be written (no memory, no stack).
_LAST_RESORT = '{"error": {"type": "function", "message": "the function failed"}}'


class Runtime(Protocol):
    """One kind of function. It may also have `release_memory()`, called when memory ran out."""

    def answer(self, body: Mapping[str, object]) -> bytes | str:
        """The JSON body of the answer. RequestError and FunctionError are turned into responses; so is the
        rest."""
        ...


class Handler:
    """What a bundle's `handler(context, event)` calls.

    Raises `cvat_sdk.auto_annotation.BadFunctionError` when the function's spec is of no known kind.
    """

    def __init__(self, function: Any, options: Options, logger: Log) -> None:
        self.kind = kind_of(function.spec)
        self._log = logger
        self._measures = Measures()
        self._trace = ""
        self._runtime = _runtime(self.kind, function, options, logger, self._measures)
        prepare()

    def handle(self, context: object, event: Any) -> nuclio_sdk.Response:
        """Answers one request: always a `Response` with a JSON body.

        Nuclio sends the traceback of whatever a handler raises to the caller, so nothing leaves here,
        `SystemExit` and `KeyboardInterrupt` included.
        """
        try:
            if is_scrape(event):
                return _response(200, self._measures.page(getattr(context, "worker_id", 0)), measures.CONTENT_TYPE)
            self._begin(event)
            answer = self._runtime.answer(parse_body(event.body))
            self._measures.lap("encode")
            response = _response(200, answer)
        except BaseException as fault:
            return self._failed(fault)
        self._end(200)
        return response

    def _begin(self, event: Any) -> None:
        self._measures.begin()
        trace = measures.trace_id(getattr(event, "headers", None))
        if trace != self._trace:
            self._log.bind(trace_id=trace)  # into every line of this request
            self._trace = trace

    def _end(self, status: int) -> None:
        with suppress(BaseException):  # the answer is worth more than its line
            self._log.debug_with("request", **self._measures.end(status))

    def _failed(self, fault: BaseException) -> nuclio_sdk.Response:
        status, body = 500, _LAST_RESORT
        try:
            failure = errors.describe(fault)
            status, body = failure.status, failure.body
            self._end(status)
            self._report(failure)
            if failure.out_of_memory:
                self._release_memory(fault)
        except BaseException:  # noqa: S110 - the log or the memory may be what failed
            pass
        return _response(status, body)

    def _report(self, failure: errors.Failure) -> None:
        if failure.status < 500:
            self._log.warn("request refused: %s", failure.log)
        else:
            self._log.error("request failed: %s", failure.log)

    def _release_memory(self, fault: BaseException) -> None:
        release = getattr(self._runtime, "release_memory", None)
        if release is not None:
            release()
        errors.free_memory(fault)


def create_handler(source: FunctionSource, options: Options, logger: Log) -> Handler:
    """Loads the function and prepares its handler: all the work of `init_context`. Raises what `load` and
    `sdk_functions.place` raise."""
    with _collector_at_rest():
        function = load(source)
        sdk_functions.place(function, logger)
        handler = Handler(function, options, logger)
    logger.info("%s %s is ready", handler.kind, options.name)
    return handler


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Imports and a model make a great many objects and hardly any garbage, and the collector would look through them
    again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def is_scrape(event: Any) -> bool:
    """Whether a scraper asks, and not CVAT, which posts."""
    return getattr(event, "method", "") == "GET" and getattr(event, "path", "") == measures.PATH


def _runtime(kind: Kind, function: Any, options: Options, log: Log, measured: Measures) -> Runtime:
    # Imported here, so that a worker loads only what its kind needs (scipy for ReID, msgpack for trackers).
    if kind is Kind.DETECTOR:
        from aa_runtime.detector import DetectorRuntime

        return DetectorRuntime(function, options, log, measured)
    if kind is Kind.INTERACTOR:
        from aa_runtime.interactor import InteractorRuntime

        return InteractorRuntime(function, options, log, measured)
    if kind is Kind.TRACKER:
        from aa_runtime.tracker import TrackerRuntime

        return TrackerRuntime(function, options, log, measured)
    from aa_runtime.reid import ReIDRuntime

    return ReIDRuntime(function, options, log, measured)


def _response(status: int, body: bytes | str, content_type: str = contract.CONTENT_TYPE) -> nuclio_sdk.Response:
    # As str: nuclio-sdk sends bytes as base64, a third more to write, to read and to decode.
    text = body if isinstance(body, str) else body.decode("utf-8")
    return nuclio_sdk.Response(body=text, content_type=content_type, headers={}, status_code=status)
