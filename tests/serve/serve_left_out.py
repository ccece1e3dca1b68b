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
BUILTIN: dict[str, dict[str, str]] = {
    "lifecycle": {"term-sigquit-idle-*": "Go's own answer to SIGQUIT: a dump of its stacks and exit code 2"},
}
NUCLIO: dict[str, dict[str, str]] = {
    "lifecycle": {
        "start-slow-import-130s-*": TOO_LONG,
        "start-import-os-exit-0-150s-*": TOO_LONG,
        "start-init-sys-exit-0-150s-*": TOO_LONG,
        "start-init-os-exit-0-150s-*": TOO_LONG,
    },
}
