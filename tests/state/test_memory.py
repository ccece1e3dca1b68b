"""States in the process."""

import pytest

from aa_runtime.state import MemoryStore, StateError, Track
from aa_runtime.state.budget import Cost

TRACK = Track(shape_type="rectangle", image_size=(9, 8), typed=False, points=[0.0, 0.0, 1.0, 1.0])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_state_itself_is_kept() -> None:
    states = MemoryStore(3, 10)
    state = {"anything": object()}
    token = states.issue(TRACK, state)
    assert len(token) >= 43
    assert token.isascii()
    opened = states.open(token)
    assert (opened.shape_type, opened.image_size, opened.cost) == ("rectangle", (9, 8), Cost())
    assert opened.load()[1] is state
    assert states.renew(token, TRACK, state) == token


def test_names_cannot_be_guessed() -> None:
    states = MemoryStore(100, 10)
    assert len({states.issue(TRACK, None) for _ in range(50)}) == 50
    for name in ("", "0", "x" * 43, "\ud800"):
        with pytest.raises(StateError, match="not found - possibly expired"):
            states.open(name)


def test_the_state_not_used_for_longest_goes_first() -> None:
    states = MemoryStore(2, 1000)
    first, second = states.issue(TRACK, 1), states.issue(TRACK, 2)
    states.renew(first, TRACK, 1)
    third = states.issue(TRACK, 3)
    assert len(states) == 2
    assert [states.open(token).load()[1] for token in (first, third)] == [1, 3]
    with pytest.raises(StateError):
        states.open(second)


def test_states_not_used_for_long_are_dropped() -> None:
    clock = Clock()
    states = MemoryStore(10, 8 * 3600, clock)
    old, used = states.issue(TRACK, 1), states.issue(TRACK, 2)
    clock.now += 5 * 3600
    states.renew(used, TRACK, 2)
    clock.now += 4 * 3600
    assert states.open(used).load()[1] == 2
    assert len(states) == 1
    with pytest.raises(StateError):
        states.open(old)


def test_a_request_whose_own_states_are_more_than_fit_keeps_the_last() -> None:
    states = MemoryStore(2, 1000)
    tokens = [states.issue(TRACK, number) for number in range(3)]
    opened = [states.open(token) for token in tokens[1:]]
    assert [track.load()[1] for track in opened] == [1, 2]
