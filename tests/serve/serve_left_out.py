"""The recorded vectors that an engine is not held to, each with the reason. A pattern is that of a test's id."""

SDK = "nuclio-sdk 0.5.9 of Nuclio 1.13.0 made the answer; the engine runs the SDK of the user's own environment"
BUSY = "Nuclio serves nothing and says nothing; `serve` finds the busy port before the start and says so"
LOG_FORMAT = "the processor's own log format and sinks, which platform.yaml chooses; no function can see them"
WEB_ADMIN = "the processor's web admin port, which nothing that CVAT or a function does reaches"
TOO_LONG = "takes two minutes and more"

BOTH: dict[str, dict[str, str]] = {
    "response": {"R-event-id-1.13.0": SDK, "log-attributes-1.13.0": SDK, "response-repr-1.13.0": SDK},
    "event": {"ECHO-*": "the handler that other vectors name, no exchange"},
    "limits": {},
    "lifecycle": {
        "port-function-busy-*": BUSY,
        "port-health-busy-*": BUSY,
        "log-console-*": LOG_FORMAT,
        "log-json-*": LOG_FORMAT,
        "webadmin-*": WEB_ADMIN,
    },
}
# What the built-in engine leaves to uvicorn and h11, and what CVAT never sends. The real processor is held to these.
STATUS = "uvicorn sends the statuses 200 to 599; the client gets a 500 that says so"
HEADER = "h11 sends no header name that is none; the client gets a 500 that says so"
INJECTED = "blanks instead of CR LF, as in every other header: the recorded answer lets a handler's text inject headers"
STRICT = "h11 refuses what is not HTTP/1.1 by the letter with 400, or closes; fasthttp lets it pass"
LENIENT = "h11 reads on where fasthttp refuses or does not honour it"
HALF_CLOSED = "uvicorn closes a connection whose client has sent its last byte, without an answer"
EXPECT = "the refusal comes at once, not after 100 Continue"
TRAILER = "ASGI carries no trailers, and a client's are no part of what CVAT sends"
KEEP_ALIVE = "h11 ends an HTTP/1.0 connection after one answer"
BUFFER = 'None or b"" for no body comes of fasthttp\'s buffers on that connection'
CLOUD_EVENTS = "CVAT sends no CloudEvents: the built-in engine hands the request over as it came"
CORS = "Nuclio answers CVAT, which sends no Origin, with nothing: the built-in engine refuses such a file"
LOGS_BACK = "CVAT sends no X-Nuclio-Log-Level"

BUILTIN: dict[str, dict[str, str]] = {
    "response": {
        "R-status-[169]*": STATUS,
        "R-status-2pow40-*": STATUS,
        "R-ct-newline-*": INJECTED,
        "R-h-spaces-*": HEADER,
    },
    "event": {
        "ce-binary-0.1-*": CLOUD_EVENTS,
        "ce-structured-*": CLOUD_EVENTS,
        "ce-type-prefix-only-*": CLOUD_EVENTS,
        "cors-*": CORS,
        "response-logs-*": LOGS_BACK,
        "post-chunked-trailer-*": TRAILER,
        "post-transfer-gzip-*": STRICT,
        "path-raw-utf8-*": STRICT,
        "query-latin1-raw-*": STRICT,
        "headers-name-tab-*": LENIENT,
        "fresh-get-after-post-same-connection-*": BUFFER,
    },
    "limits": {
        "body-1024-expect-1025-*": EXPECT,
        "raw-no-version-*": STRICT,
        "raw-http2-preface-*": STRICT,
        "raw-http-1.2-*": STRICT,
        "raw-no-host-*": STRICT,
        "raw-two-lengths-differ-*": STRICT,
        "raw-leading-crlf-*": STRICT,
        "raw-nul-in-header-*": STRICT,
        "raw-only-crlf-*": STRICT,
        "raw-http-1.0-keepalive-*": KEEP_ALIVE,
        "raw-http-0.9-style-then-eof-*": HALF_CLOSED,
        "raw-bare-cr-then-eof-*": HALF_CLOSED,
        "raw-half-head-then-eof-*": HALF_CLOSED,
        "raw-short-body-then-eof-*": HALF_CLOSED,
        "raw-connection-close-upper-*": LENIENT,
    },
    "lifecycle": {"term-sigquit-idle-*": "Go's own answer to SIGQUIT: a dump of its stacks and exit code 2"},
}
# The worker's Python decides, not the engine: the recordings' was 3.11.
PYTHON: dict[str, dict[str, str]] = {
    "response": {"generator-*": "from 3.12 on asyncio takes no generator for a coroutine"},
    "event": {"post-json-nest-2000-*": "from 3.12 on json goes deeper before it gives up"},
    "lifecycle": {"start-init-asyncio-run-*": "from 3.13 on a coroutine's warning names another place"},
}
NUCLIO: dict[str, dict[str, str]] = {
    "lifecycle": {
        "start-slow-import-130s-*": TOO_LONG,
        "start-import-os-exit-0-150s-*": TOO_LONG,
        "start-init-sys-exit-0-150s-*": TOO_LONG,
        "start-init-os-exit-0-150s-*": TOO_LONG,
    },
}
