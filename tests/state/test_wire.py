"""The lowest layer of a state by itself: rows of scalars, and what is none."""

import struct
from typing import Any

import msgpack
import pytest

from aa_runtime.state import BudgetError
from aa_runtime.state.budget import MOST, Budget, Cost
from aa_runtime.state.faults import DecodeError
from aa_runtime.state.keys import MOST_CHOSEN, MOST_EQUAL, fault_of
from aa_runtime.state.wire import pack, unpack


def packed(tags: bytes, *scalars: Any, claimed: int | None = None) -> bytes:
    """Rows of whatever MessagePack can say."""
    row = b"".join(msgpack.packb(scalar) for scalar in scalars)
    return struct.pack("<II", len(tags), len(scalars) if claimed is None else claimed) + tags + row


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 2**16 - 1, 2**16, 2**16 + 1])
def test_rows_of_every_length_come_back(count: int) -> None:
    scalars = [None, True, -1, 0.5, "text", b"bytes"] * (count // 6 + 1)
    assert unpack(pack(b"tags", scalars[:count])) == (b"tags", scalars[:count])


def test_half_a_surrogate_pair_is_text_as_any_other() -> None:
    assert unpack(pack(b"", ["\ud800"])) == (b"", ["\ud800"])


@pytest.mark.parametrize("nested", [[], [1], {}, {1: 2}, msgpack.ExtType(1, b""), msgpack.ExtType(1, b"a")])
def test_nothing_is_nested(nested: Any) -> None:
    assert unpack(packed(b"t", 1, 2)) == (b"t", [1, 2])
    with pytest.raises(DecodeError, match=r"^damaged$"):
        unpack(packed(b"t", 1, nested))


@pytest.mark.parametrize(
    "data",
    [
        packed(b"t", 1, 2, claimed=1),
        packed(b"t", 1, 2, claimed=3),
        packed(b"t", 1, 2) + b"\xd9",  # half a text
        packed(b"t", 1, 2)[:-1],
        packed(b"t", 1)[:7],
        struct.pack("<II", 2, 0) + b"t",
    ],
)
def test_rows_of_another_length_than_they_say_are_damaged(data: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^damaged$"):
        unpack(data)


def test_a_budget_is_spent_to_its_end_and_says_what_was_too_much() -> None:
    budget = Budget()
    budget.spend(Cost(MOST.values - 6, MOST.nodes))
    budget.spend(Cost(6, 0))
    with pytest.raises(BudgetError, match=f"^{MOST.values + 2} values together; at most {MOST.values} are accepted"):
        budget.spend(Cost(2, 0))


def test_as_many_keys_as_the_limits_say_may_collide() -> None:
    alike = [n * (2**61 - 1) for n in range(MOST_EQUAL)]
    assert fault_of([*alike, "a", "b"]) is None
    assert fault_of([*alike, MOST_EQUAL * (2**61 - 1)]) == f"more than {MOST_EQUAL} keys with one hash"
    apart = list(range(0, 3 * MOST_CHOSEN, 3))
    assert fault_of(apart) is None
    assert fault_of([*apart, 3 * MOST_CHOSEN]) is not None


def test_keys_are_one_after_another_where_less_than_every_second_is_left_out() -> None:
    keys = list(range(MOST_CHOSEN + 1))
    assert fault_of([*keys, 2 * len(keys) + 1]) is None
    assert fault_of([*keys, 2 * len(keys) + 2]) is not None
