"""One row of the page: our side against another, measured in turn."""

import statistics
import time
from collections.abc import Callable, Sequence

import attrs


@attrs.frozen
class Samples:
    """One side's measurements, in the row's own unit."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@attrs.frozen(kw_only=True)
class Result:
    """A measured row. `ratio` is ours over theirs, median over median, where nothing else makes more sense."""

    row: str
    work: str
    ours: Samples
    theirs: Samples
    unit: str
    target: str
    met: bool
    ratio: float


def at_most(
    limit: float, row: str, work: str, ours: Samples, theirs: Samples, unit: str, target: str = "", also: bool = True
) -> Result:
    """A row that is met when ours is at most `limit` times theirs, and `also`; `target` says so in other words."""
    ratio = ours.median / theirs.median
    return Result(
        row=row, work=work, ours=ours, theirs=theirs, unit=unit, target=target or f"≤ {limit:g} ×",
        met=ratio <= limit and also, ratio=ratio,
    )  # fmt: skip


def interleave(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int, warm_up: int = 3
) -> tuple[list[float], list[float]]:
    """Seconds of each call, A B B A …, so that a drift of the machine's speed meets both alike.

    A call that returns a float has measured itself."""
    for _ in range(warm_up):
        ours()
        theirs()
    a: list[float] = []
    b: list[float] = []
    for number in range(rounds):
        pairs = [(ours, a), (theirs, b)]
        for call, into in pairs if number % 2 else reversed(pairs):
            into += timed(call)
    return a, b


def timed(call: Callable[[], object]) -> list[float]:
    """The seconds of one call, as a list of one."""
    begun = time.perf_counter()
    own = call()
    return [own if isinstance(own, float) else time.perf_counter() - begun]


def ms(seconds: Sequence[float]) -> list[float]:
    return [value * 1000 for value in seconds]
