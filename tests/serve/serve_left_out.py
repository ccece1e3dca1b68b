"""The recorded vectors that an engine is not held to, each with the reason. A key may end in `*`."""

SDK = "nuclio-sdk 0.5.9 of Nuclio 1.13.0 made the answer; the engine runs the SDK of the user's own environment"

BOTH: dict[str, dict[str, str]] = {
    "response": {"R-event-id-1.13.0": SDK, "log-attributes-1.13.0": SDK, "response-repr-1.13.0": SDK},
    "event": {"ECHO-*": "the handler that other vectors name, no exchange"},
    "limits": {},
    "lifecycle": {},
}
