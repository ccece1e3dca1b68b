"""Values of options that several commands take."""

import argparse
import re


def number(text: str) -> int:
    """A whole number of at least 1."""
    found = int(text) if text.isdecimal() else 0
    if found < 1:
        raise argparse.ArgumentTypeError(f"a number of at least 1 is expected, not {text}")
    return found


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"a number from 0 to 1 is expected, not {text}")
    return found


def task_and_frames(text: str) -> tuple[int, range | None]:
    """`ID` or `ID:FIRST..LAST`."""
    task, colon, frames = text.partition(":")
    return number(task), span(frames) if colon else None


def span(text: str) -> range:
    """`FIRST..LAST`, both included."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if not match or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError(f"FIRST..LAST is expected, not {text}")
    return range(int(match[1]), int(match[2]) + 1)
