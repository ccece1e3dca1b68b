"""A worker of each kind in this process, and what must hold for each of its answers."""

import io
import json
import logging
import os
import time
import warnings
from contextlib import redirect_stderr
from typing import Any

import nuclio_sdk
import nuclio_sdk.event
import nuclio_sdk.logger

from aa_runtime import Handler, Kind, Options, contract
from cvat_nuclio.serve.event import event_fields

from . import corpus, functions
from .corpus import encoded

_KEY_VARIABLE = "AA_FUZZ_STATE_KEY"
KEY = "the key of the fuzzed deployment"
#: Seconds for one request; most take a millisecond, the largest image that is decoded some seconds.
PATIENCE = 20.0
MAX_PIXELS = 4_000_000


class Finding(AssertionError):
    """An answer that must not be."""


class Target:
    """One worker. `statuses` counts its answers."""

    def __init__(self, kind: str, key: str = KEY) -> None:
        os.environ[_KEY_VARIABLE] = key
        self.kind = kind
        self._stream = io.StringIO()
        logger = nuclio_sdk.Logger(level=logging.INFO, name=f"fuzz-{kind}-{id(self)}")
        logger.set_handler("default", self._stream, nuclio_sdk.logger.JSONFormatter())
        logging.getLogger(f"fuzz-{kind}-{id(self)}").propagate = False
        self._context = nuclio_sdk.Context(logger=logger, worker_id="0")
        options = Options(
            name=f"fuzzed-{kind}", max_image_pixels=MAX_PIXELS, state_key_env=_KEY_VARIABLE, cache_bytes=2**24
        )
        self._handler = Handler(functions.FUNCTIONS[kind](), options, logger)
        self.statuses: dict[int, int] = {}
        self.tokens = self._begin() if kind == Kind.TRACKER else []
        self._good = frozenset(self.tokens)

    def check(self, body: bytes, content_type: str) -> Any:
        """Sends one request; the parsed answer. Finding when a rule is broken."""
        event = make_event(body, content_type)
        started = time.process_time()
        try:
            response = self._handler.handle(self._context, event)
        except BaseException as fault:
            raise Finding(f"handle raised {type(fault).__name__}") from fault
        if time.process_time() - started > PATIENCE:
            raise Finding(f"took {time.process_time() - started:.1f} s")
        self._stream.seek(0)
        log = self._stream.read()
        self._stream.truncate(0)
        self._stream.seek(0)
        answer = _answer(response, log)
        self.statuses[response.status_code] = self.statuses.get(response.status_code, 0) + 1
        if response.status_code == 200:
            _CHECKS[self.kind](answer)
            if self.kind == Kind.TRACKER:
                self._check_tokens(event.body)
        return answer

    def _begin(self) -> list[str]:
        shapes = [
            {"type": "rectangle", "points": [1, 2, 30, 20]},
            {"type": "polygon", "points": [1, 2, 30, 20, 5, 30]},
            {"type": "mask", "points": [0, 4, 3, 3, 4, 4]},
        ]
        image = encoded(corpus.sound()["png"])
        body = json.dumps({"image": image, "shapes": shapes, "states": []}).encode()
        states = []
        for request in (body, json.dumps({"image": image, "shapes": [[1, 2, 3, 4]]}).encode()):
            event = make_event(request, "application/json")
            states += json.loads(self._handler.handle(self._context, event).body)["states"]
        return states

    def _check_tokens(self, body: Any) -> None:
        """Everything that was accepted as a state is a token that this worker gave."""
        sent = body if isinstance(body, dict) else json.loads(body)
        accepted = [state for state in sent.get("states") or () if state is not None]
        if not self._good.issuperset(accepted):
            raise Finding("a forged token was accepted")


def make_event(body: bytes, content_type: str) -> Any:
    """The event that nuclio-sdk makes of what the processor sends."""
    headers = [(b"content-type", content_type.encode())]
    scope = {"method": "POST", "headers": headers, "query_string": b"", "raw_path": b"/"}
    message = event_fields(scope, body, "http")
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore", DeprecationWarning)  # utcfromtimestamp, since Python 3.12
        return nuclio_sdk.Event.deserialize(message, kind=nuclio_sdk.event.EventDeserializerKinds.msgpack)


def foreign_tokens() -> list[str]:
    """Tokens that a fuzzed tracker must refuse: of another key, of none, of another function, and texts."""
    made = Target("tracker", "somebody else's key").tokens + Target("tracker", "").tokens
    return [*made, "", "aa1k", "aa3k", "aa3c00000000", "aa3k" + "A" * 5_000_000, "\ud800", "x" * 100]


def _answer(response: Any, log: str) -> Any:
    if type(response) is not nuclio_sdk.Response or type(response.body) is not str:
        raise Finding(f"a {type(response).__name__}, not a Response with text")
    if response.content_type != contract.CONTENT_TYPE or not response.body.isascii():
        raise Finding(f"content type {response.content_type}")
    try:
        answer = json.loads(response.body, parse_constant=_no_constant)
    except ValueError as fault:
        raise Finding("an answer that is not JSON") from fault
    status = response.status_code
    if status != 200 and (status not in (400, 413, 415) or not _is_error(answer)):
        # The functions are sound, so that nothing is a fault of theirs.
        raise Finding(f"status {status}: {response.body[:300]}\n{log[-3000:]}")
    if status != 200 and ("Traceback" in response.body or ".py" in response.body or len(response.body) > 5000):
        raise Finding(f"an error that tells too much: {response.body[:600]}")
    return answer


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _is_error(answer: Any) -> bool:
    error = answer.get("error") if isinstance(answer, dict) and len(answer) == 1 else None
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise Finding(what)


def _check_detector(answer: Any) -> None:
    _demand(isinstance(answer, list), "a detector answers with a list")
    for item in answer:
        _demand(isinstance(item["label"], str) and isinstance(item["type"], str), "label and type of an item")
        for number in item.get("points", ()):
            _demand(abs(number) < 1e6, "points within reason")


def _check_interactor(answer: Any) -> None:
    _demand(isinstance(answer, dict) and isinstance(answer["shapes"], list), "an interactor answers with shapes")


def _check_tracker(answer: Any) -> None:
    _demand(set(answer) == {"shapes", "states"}, "a tracker answers with shapes and states")
    _demand(len(answer["shapes"]) == len(answer["states"]), "as many shapes as states")
    for shape, state in zip(answer["shapes"], answer["states"], strict=True):
        _demand((shape is None) == (state is None), "both or neither")


def _check_reid(answer: Any) -> None:
    matched = [index for index in answer if index >= 0]
    _demand(all(type(index) is int for index in answer), "a ReID answers with integers")
    _demand(len(set(matched)) == len(matched), "no box is matched twice")


_CHECKS = {"detector": _check_detector, "interactor": _check_interactor, "tracker": _check_tracker, "reid": _check_reid}
