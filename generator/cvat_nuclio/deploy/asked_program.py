"""A program that is asked a question: docker, kubectl."""

import subprocess
from collections.abc import Sequence

NO_PROGRAM, NO_ANSWER = 127, 124


def ask_program(words: Sequence[str], *, limit: float, absent: str) -> tuple[int, str, str]:
    """Exit code, standard output and error.

    127 and `absent` where there is no such program, or none that may be run; 124 without an answer within `limit`
    seconds.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=limit, check=False)
    except OSError:
        return NO_PROGRAM, "", absent
    except subprocess.TimeoutExpired:
        return NO_ANSWER, "", f"{words[0]} did not answer within {limit:g} s"
    return done.returncode, done.stdout, done.stderr
