"""Replays recorded exchanges against the model."""

import re
from typing import Any

from cvat_nuclio.cvat import CvatError, Generation

GENERATIONS = {"2024-07": Generation.G1, "2.54.1": Generation.G2}
# The interpreter's own words for a fault differ between Python 3.10, which was recorded, and later ones.
REWORDED = [(re.compile(r"(string indices must be integers), not '\w+'"), r"\1")]


def generation(vector: dict[str, Any]) -> Generation:
    """The generation of the server that was recorded."""
    return GENERATIONS[vector["cvat_version"]]


def words(text: str | None) -> str | None:
    """A message with the parts of a run taken out: host, port, Python's version."""
    if text is None:
        return None
    for pattern, replacement in REWORDED:
        text = pattern.sub(replacement, text)
    text = re.sub(r"http://[\w.]+(:\w+)?", "http://HOST", text)
    return re.sub(r"host='[\w.]+', port=\w+", "host='HOST', port=PORT", text)


def same_error(error: CvatError, outcome: dict[str, Any]) -> None:
    """The exception's class, its message, the HTTP status and whether CVAT handles it."""
    assert "error" in outcome, f"CVAT accepted this; the model: {error}"
    recorded = outcome["error"]
    got = (error.exception, words(error.message), error.http_status, not error.handled)
    assert got == (
        recorded["exception"],
        words(recorded["message"]),
        recorded["http_status"],
        recorded["unhandled"],
    )
