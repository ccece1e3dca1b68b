"""Programs that are asked a question: docker, kubectl."""

import subprocess
from collections.abc import Callable, Sequence

Run = Callable[..., tuple[int, str, str]]
"""Takes the words after a program's name; its exit code, standard output and error."""
KUBECTL_LIMIT = 20


def docker(*words: str) -> tuple[int, str, str]:
    """What docker says."""
    return ask_program(["docker", *words], limit=60, absent="/bin/sh: 1: docker: not found")


def kubectl(*words: str) -> tuple[int, str, str]:
    """What kubectl says."""
    asked = ["kubectl", *words, f"--request-timeout={KUBECTL_LIMIT - 5}s"]
    return ask_program(asked, limit=KUBECTL_LIMIT, absent="kubectl is not installed")


def ask_program(words: Sequence[str], *, limit: float, absent: str) -> tuple[int, str, str]:
    """Exit code, standard output and error.

    127 and `absent` where there is no such program, or none that may be run; 124 without an answer within `limit`
    seconds.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=limit, check=False)
    except OSError:
        return 127, "", absent
    except subprocess.TimeoutExpired:
        return 124, "", f"{words[0]} did not answer within {limit:g} s"
    return done.returncode, done.stdout, done.stderr
