"""What arrays and tensors say before their bytes: words and a shape, such as `C<f4 64 64`."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from aa_runtime.state.faults import DecodeError, EncodeError

#: Of what was worked out for headers: strangers' ones are remembered too, so both have a limit.
REMEMBERED: Final = 256
_LONGEST: Final = 200


def write_header(words: str, shape: Iterable[int], what: str) -> str:
    """EncodeError, about a `what`, where it gets too long."""
    header = " ".join([words, *map(str, shape)])
    if len(header) > _LONGEST:
        raise EncodeError(f"a {what} of that many dimensions cannot be encoded")
    return header


def read_header(part: Callable[[], Any]) -> tuple[str, bytes]:
    """The header, still to be understood, and the bytes that follow it. DecodeError for anything else."""
    header, data = part(), part()
    if type(header) is not str or len(header) > _LONGEST or type(data) is not bytes:
        raise DecodeError("damaged")
    return header, data
