"""Faults, and the one place that turns an exception into a status and a short JSON body.

CVAT shows its user the status and its reason phrase and throws the body away (CVAT: `raise_for_status`), so
the status is chosen to say as much as it can; the body is for whoever calls the port directly.
"""

import gc
import json
import sys
import traceback
from typing import Any, Final, NamedTuple

OUT_OF_MEMORY_STATUS: Final = 507
#: Nuclio's wrapper sends log lines over the socket that carries the answers, and loses lines or glues them to
#: the next packet when they are large: 2 KB were seen to be fine, 100 KB not.
MAX_LOG_CHARS: Final = 3000
MAX_MESSAGE_CHARS: Final = 500

_OUT_OF_MEMORY_WORDS: Final = (
    "out of memory",  # CUDA, cuDNN, MPS through a plain RuntimeError
    "Failed to allocate memory",  # ONNX Runtime's arena
    "CUBLAS_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "Insufficient memory",  # OpenCV
)


class RequestError(Exception):
    """The request is at fault: a 4xx that names the field.

    `field` is the JSON key as CVAT sends it, with an index where one helps (`shapes[2].points`), or None.
    """

    def __init__(self, message: str, *, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.status = status


class FunctionError(Exception):
    """The AA function broke its interface: a 500. The words are cvat-sdk's where its driver has the same
    rule.

    Never carry the function's own exception text here: it may hold paths. Its fault is raised as it is, and
    `describe` keeps it out of the body.
    """


class Failure(NamedTuple):
    """What the caller gets (`status`, `body`) and what the log gets (`log`)."""

    status: int
    body: str
    log: str
    out_of_memory: bool = False


def error_body(kind: str, message: str, field: str | None = None) -> str:
    """`{"error": {"type", "message"[, "field"]}}` as ASCII JSON."""
    error = {"type": kind, "message": message[:MAX_MESSAGE_CHARS]}
    if field is not None:
        error["field"] = field
    return json.dumps({"error": error})


def describe(fault: BaseException) -> Failure:
    """Status, body and log line of any exception. A request's fault is told whole, everything else only in
    the log."""
    if isinstance(fault, RequestError):
        where = f"{fault.field}: " if fault.field else ""
        body = error_body("request", fault.message, fault.field)
        return Failure(fault.status, body, shorten(f"{fault.status} {where}{fault.message}", MAX_MESSAGE_CHARS))
    if is_out_of_memory(fault):
        text = "the function ran out of memory; see its log"
        return Failure(OUT_OF_MEMORY_STATUS, error_body("memory", text), traceback_text(fault), out_of_memory=True)
    if isinstance(fault, FunctionError):
        return Failure(500, error_body("function", str(fault)), traceback_text(fault))
    return Failure(500, error_body("function", "the function failed; see its log"), traceback_text(fault))


def is_out_of_memory(fault: BaseException) -> bool:
    """Whether memory ran out, on the host or on a device. Goes by names, so that no framework is imported."""
    return any(_says_out_of_memory(link) for link in _chain(fault))


def _says_out_of_memory(fault: BaseException) -> bool:
    names = {cls.__name__ for cls in type(fault).__mro__}
    if names & {"MemoryError", "OutOfMemoryError", "AcceleratorOutOfMemoryError"}:
        return True
    framework = type(fault).__module__.split(".")[0]
    if "RuntimeError" not in names and framework not in {"torch", "onnxruntime", "cv2"}:
        return False
    text = _text(fault)
    return any(words in text for words in _OUT_OF_MEMORY_WORDS)


def _chain(fault: BaseException) -> list[BaseException]:
    """The exception and those that led to it: libraries wrap what their framework raised."""
    links = [fault]
    while len(links) < 10:
        before = links[-1].__cause__ or links[-1].__context__
        if before is None or before in links:
            break
        links.append(before)
    return links


def traceback_text(fault: BaseException) -> str:
    """The traceback, cut in its middle to fit one log line; never raises, whatever the exception's `__str__`
    does."""
    try:
        lines = traceback.format_exception(fault, limit=-20)
    except Exception:
        lines = [f"{type(fault).__name__} (no traceback could be written)"]
    return shorten("".join(lines).rstrip(), MAX_LOG_CHARS)


def shorten(text: str, limit: int) -> str:
    """At most about `limit` characters: the head says what was called, the tail what went wrong."""
    if len(text) <= limit:
        return text
    head = limit // 4
    return f"{text[:head]}\n... {len(text) - limit} characters left out ...\n{text[head - limit :]}"


def free_memory(fault: BaseException) -> None:
    """Lets go of what the failed call held, and of the device memory that torch keeps for itself."""
    for link in _chain(fault):
        traceback.clear_frames(link.__traceback__)
    gc.collect()
    torch: Any = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_initialized():
        cuda.empty_cache()


def _text(fault: BaseException) -> str:
    try:
        return str(fault)
    except Exception:
        return ""
