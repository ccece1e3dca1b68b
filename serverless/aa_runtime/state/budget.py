"""What states may cost: counted from what a token says and is held to, before anything of it is decoded.

A worker answers one request at a time, so that the budget is a request's: whether a stranger sends one large token,
thousands of small ones or one of them over and over is the same.
"""

from typing import Final, NamedTuple

from aa_runtime.state import tags
from aa_runtime.state.faults import BudgetError


class Cost(NamedTuple):
    """What decoding takes, or may take."""

    values: int = 0
    """Tags and scalars."""
    nodes: int = 0
    """Containers, objects, arrays, references: what takes one or two microseconds and up to a kilobyte each."""


#: Nodes that take as long as several: a tensor, longer still where it goes to an accelerator.
WEIGHTS: Final = {tags.ARRAY: 2, tags.TENSOR: 8}
#: Of all states of a request: at most about half a second. A state of SAM 2 with seven frames' memories counts 300
#: nodes, and a request's bytes allow for sixty of the largest.
MOST: Final = Cost(values=2**20, nodes=2**17)
_REMEDY: Final = "keep many numbers in one array"


class Budget:
    """Adds up costs, to MOST of them."""

    def __init__(self) -> None:
        self._left = MOST

    def spend(self, cost: Cost) -> None:
        """BudgetError when more than there is has been asked for."""
        self._left = Cost(*(left - part for left, part in zip(self._left, cost, strict=True)))
        for name, left, most in zip(("values", "parts"), self._left, MOST, strict=True):
            if left < 0:
                raise BudgetError(f"{most - left} {name} together; at most {most} are accepted: {_REMEDY}")
