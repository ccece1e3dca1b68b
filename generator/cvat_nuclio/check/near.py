""" "Did you mean"."""

import difflib
from collections.abc import Iterable


def near(word: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """The known word that comes nearest, whatever case and separators; empty when none does."""
    plain = {_plain(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_plain(word), plain, 1, cutoff)
    return plain[close[0]] if close else ""


def did_you_mean(word: str) -> str:
    """The end of a message: "; did you mean WORD?", or nothing."""
    return f"; did you mean {word}?" if word else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
