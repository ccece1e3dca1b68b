"""What a reading of function.yaml says: what was dropped, what was refused and where."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
#: Line and column, from 1.
Place = tuple[int, int]


def dotted(path: Path) -> str:
    """`("spec", "env", 0, "value")` as `spec.env[0].value`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Dropped:
    """A key that Nuclio read and forgot, without a word.

    `path` is dotted (`spec.triggers.http.eventTimeout`); `line` and `column` count from 1 and point at the key.
    `known` are the keys that Nuclio knows in that place, empty for a duplicate or one that a newer version knows.
    """

    path: str
    line: int
    column: int
    why: str
    key: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why Nuclio does not accept the text; `message` is Nuclio's own wording.

    `path` is empty where the text is not YAML at all; `line` is 0 where Nuclio names no place.
    """

    message: str
    path: str = ""
    line: int = 0
    column: int = 0


class RefusedText(Exception):
    """Carries a refusal out of the reader's depths."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
