"""What no token can do without, next to P4: `python -m tools.bench.p4_floor`.

Each step is timed alone on the bytes of P4's states, in C but for the call, as a share of the time of jsonpickle.
The last lines are the steps together, written straight down for this one class with nothing checked, and ours.
"""

import binascii
import hmac
import json
import statistics
import time
import zlib
from collections.abc import Callable

import msgpack
import numpy as np

from .p4_states import COUNT, State, states, tokens, with_jsonpickle, with_tokens

ROUNDS = 25
KEY = bytes(32)
#: As much as a token has beside the bytes of its arrays.
HEAD = bytes(80)


def main() -> None:
    """Prints a line for each step: microseconds of processor time for one object, and the share."""
    sample = states()
    bodies = [HEAD + state.feature.tobytes() + state.template.tobytes() for state in sample]
    texts = [binascii.b2a_base64(body, newline=False).decode("ascii") for body in bodies]
    rows = [msgpack.packb([state.feature.tobytes(), state.template.tobytes()]) for state in sample]
    theirs = with_jsonpickle(sample)
    steps: dict[str, Callable[[], object]] = {
        "jsonpickle, out and back": theirs,
        "base64 out": lambda: [binascii.b2a_base64(body, newline=False).decode("ascii") for body in bodies],
        "base64 in": lambda: [binascii.a2b_base64(text, strict_mode=True) for text in texts],
        "JSON out and in": lambda: json.loads("[" + ",".join(f'"{text}"' for text in texts) + "]"),
        "checksum, twice": lambda: [(zlib.crc32(body), zlib.crc32(body)) for body in bodies],
        "HMAC-SHA256, twice": lambda: [
            (hmac.digest(KEY, body, "sha256"), hmac.digest(KEY, body, "sha256")) for body in bodies
        ],
        "array to bytes to MessagePack": lambda: [
            msgpack.packb([state.feature.tobytes(), state.template.tobytes()]) for state in sample
        ],
        "MessagePack to bytes to array": lambda: [_arrays(row) for row in rows],
        "all of it straight down, checksum": lambda: _straight(sample),
        "ours, checksum": with_tokens(tokens([]), sample),
        "ours, key": with_tokens(tokens([KEY]), sample),
    }
    times = _times(steps)
    whole = times["jsonpickle, out and back"]
    for name, microseconds in times.items():
        print(f"{name:36}{microseconds:7.1f} µs {microseconds / whole:7.1%}")


def _times(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median for one object; all steps in turn, round after round."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begun = time.process_time()
            step()
            found[name].append((time.process_time() - begun) / COUNT * 1e6)
    return {name: statistics.median(values) for name, values in found.items()}


def _arrays(row: bytes) -> tuple[object, object]:
    feature, template = msgpack.unpackb(row)
    return np.ndarray((256,), "<f4", feature).copy(), np.ndarray((64, 64), "|u1", template).copy()


def _straight(sample: list[State]) -> list[State]:
    texts = []
    for state in sample:
        row = [state.feature.tobytes(), state.template.tobytes(), state.scale, state.frame]
        body = HEAD + msgpack.packb(row)
        tag = zlib.crc32(body).to_bytes(4, "little")
        texts.append(binascii.b2a_base64(body + tag, newline=False).decode("ascii"))
    return [_back(text) for text in json.loads("[" + ",".join(f'"{text}"' for text in texts) + "]")]


def _back(text: str) -> State:
    body = binascii.a2b_base64(text, strict_mode=True)
    assert zlib.crc32(body[:-4]).to_bytes(4, "little") == body[-4:]  # noqa: S101
    feature, template, scale, frame = msgpack.unpackb(body[len(HEAD) : -4])
    arrays = np.ndarray((256,), "<f4", feature).copy(), np.ndarray((64, 64), "|u1", template).copy()
    return State(*arrays, scale, frame)


if __name__ == "__main__":
    main()
