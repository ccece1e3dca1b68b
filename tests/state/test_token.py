"""Tokens: bound, authenticated, bounded."""

import binascii
import hmac
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aa_runtime.state import Codec, EncodeError, Sealer, StateError, TokenStore, Track
from aa_runtime.state.store import CLOCK_SKEW
from aa_runtime.state.token import Head, _checksum, _keyed_tag

FAST = settings(max_examples=200, deadline=None)
HEAD = Head(shape_type="polygon", image_size=(640, 480), typed=True, issued=1_700_000_000)
TRACK = Track(shape_type="mask", image_size=(9, 8), typed=False, points=[0.0, 4.0, 1.0, 1.0, 2.0, 2.5])
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def sealer(keys: tuple[bytes, ...] = (), identity: bytes = b"function", chars: int = 2**20) -> Sealer:
    return Sealer(identity, keys, chars)


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def store(clock: Clock, keys: tuple[bytes, ...] = (), **limits: Any) -> TokenStore:
    return TokenStore(Codec(), sealer(keys, **limits), max_age=8 * 3600, clock=clock)


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@FAST
@given(body=st.binary(max_size=300), bulk=st.binary(max_size=300))
def test_what_is_sealed_comes_out(keys: tuple[bytes, ...], body: bytes, bulk: bytes) -> None:
    text = sealer(keys).seal(HEAD, body, bulk)
    assert set(text) <= set(ALPHABET)
    opened = sealer(keys).open(text)
    assert opened == (HEAD, body, bulk)


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@FAST
@given(data=st.data())
def test_every_changed_character_is_noticed(keys: tuple[bytes, ...], data: st.DataObject) -> None:
    text = sealer(keys).seal(HEAD, b"some payload", b" of a tracker")
    at = data.draw(st.integers(0, len(text) - 1))
    change = data.draw(st.sampled_from(["other", "cut", "twice", "drop", "strange"]))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda character: character != text[at]))
    changed = {
        "other": text[:at] + other + text[at + 1 :],
        "cut": text[:at],
        "twice": text[:at] + text,
        "drop": text[:at] + text[at + 1 :],
        "strange": text[:at] + data.draw(st.characters(blacklist_characters=ALPHABET)) + text[at + 1 :],
    }[change]
    if changed != text:
        with pytest.raises(StateError):
            sealer(keys).open(changed)


@FAST
@given(
    st.text(max_size=60) | st.text(ALPHABET, max_size=80).map("aa4k".__add__) | st.text(ALPHABET).map("aa4c".__add__)
)
def test_any_text_is_refused(text: str) -> None:
    for keys in ((), (b"secret",)):
        with pytest.raises(StateError):
            sealer(keys).open(text)


def test_another_function_s_token_is_refused() -> None:
    for keys in ((), (b"secret",)):
        text = sealer(keys).seal(HEAD, b"pay", b"load")
        with pytest.raises(StateError, match=r"^made by another function, or by another version of this one$"):
            sealer(keys, identity=b"other fn").open(text)


def test_a_token_under_another_key_or_none_is_refused() -> None:
    with pytest.raises(StateError, match=r"^damaged, or not made by this function$"):
        sealer((b"one",)).open(sealer((b"two",)).seal(HEAD, b"", b""))
    with pytest.raises(StateError, match=r"^made where no key was set; this worker has one$"):
        sealer((b"one",)).open(sealer().seal(HEAD, b"", b""))
    with pytest.raises(StateError, match=r"^made where a key was set; this worker has none$"):
        sealer().open(sealer((b"one",)).seal(HEAD, b"", b""))


def test_a_token_of_another_version_is_refused() -> None:
    for keys in ((), (b"secret",)):
        text = sealer(keys).seal(HEAD, b"pay", b"load")
        with pytest.raises(StateError, match=r"^made by another version of the runtime; start the track anew$"):
            sealer(keys).open(f"aa1{text[3:]}")


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_there_is_one_text_for_a_token(keys: tuple[bytes, ...], size: int) -> None:
    text = sealer(keys).seal(HEAD, bytes(size), b"")
    last = text.rstrip("=")[-1]
    for other in set(ALPHABET) - {last}:
        with pytest.raises(StateError):
            sealer(keys).open(other.join(text.rsplit(last, 1)))
    for changed in (text.rstrip("="), f"{text}=", f"{text}\n", f" {text}", f"{text[:8]}\n{text[8:]}"):
        if changed != text:
            with pytest.raises(StateError):
                sealer(keys).open(changed)


def test_a_key_can_be_replaced() -> None:
    old, new = sealer((b"old",)).seal(HEAD, b"1", b""), sealer((b"new", b"old")).seal(HEAD, b"2", b"")
    assert sealer((b"new", b"old")).open(old).body == b"1"
    assert sealer((b"new",)).open(new).body == b"2"
    with pytest.raises(StateError):
        sealer((b"new",)).open(old)


def forged(head: tuple[Any, ...], rest: bytes, key: bytes | None = None) -> str:
    """A token whose tag is right, as anybody can make one where no key is set."""
    signed = binascii.a2b_base64("aa4k" if key else "aa4c") + struct.pack("<8sBBIIII", *head) + rest
    return base64(signed + (_keyed_tag(hmac.new(key, digestmod="sha256"), signed) if key else _checksum(signed)))


def base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


@pytest.mark.parametrize(
    "head",
    [
        (b"function", 2, 0, 0, 1, 1, 1),
        (b"function", 255, 0, 0, 1, 1, 1),
        (b"function", 0, 8, 0, 1, 1, 1),
        (b"function", 0, 0, 0, 1, 1, 2),
        (b"function", 0, 0, 0, 1, 1, 2**32 - 1),
        (b"stranger", 0, 0, 0, 1, 1, 1),
    ],
)
def test_heads_that_make_no_sense_are_refused(head: tuple[Any, ...]) -> None:
    with pytest.raises(StateError):
        sealer().open(forged(head, b"1"))


def test_a_token_without_a_head_is_refused() -> None:
    short = binascii.a2b_base64("aa4cAAAA")
    with pytest.raises(StateError):
        sealer().open(base64(short + _checksum(short)))


def test_too_large_on_either_side_is_refused() -> None:
    noise = np.random.default_rng(1).bytes(3000)
    with pytest.raises(EncodeError, match="at most 1000 are"):
        sealer(chars=1000).seal(HEAD, b"", noise)
    text = sealer().seal(HEAD, b"", noise)
    assert sealer(chars=len(text)).seal(HEAD, b"", noise) == text
    with pytest.raises(EncodeError, match=f"^state: {len(text)} characters as a token"):
        sealer(chars=len(text) - 1).seal(HEAD, b"", noise)
    with pytest.raises(StateError, match="at most 1000 are accepted"):
        sealer(chars=1000).open(sealer().seal(HEAD, noise, b""))


@FAST
@given(
    st.sampled_from(["rectangle", "polygon", "mask", "cuboid", "skeleton"]),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.booleans(),
    st.lists(st.floats(allow_nan=False)),
)
def test_tracks_and_states_come_back(shape: str, points: list[float], typed: bool, state: list[float]) -> None:
    track = Track(shape_type=shape, image_size=(65500, 1), typed=typed, points=points)
    tokens = store(Clock(), (b"key",))
    opened = tokens.open(tokens.issue(track, state))
    assert (opened.shape_type, opened.image_size) == (shape, (65500, 1))
    assert opened.load() == (track, state)
    assert tokens.open(tokens.renew("", track, state)).load() == (track, state)


def test_tokens_expire() -> None:
    clock = Clock()
    tokens = store(clock)
    token = tokens.issue(TRACK, 1)
    clock.now += 8 * 3600 - 1
    tokens.open(token)
    clock.now += 2
    with pytest.raises(StateError, match="more than 8 hours old"):
        tokens.open(token)


def test_a_replica_whose_clock_is_a_little_behind_goes_on() -> None:
    clock = Clock()
    tokens = store(clock)
    token = tokens.issue(TRACK, 1)
    clock.now -= CLOCK_SKEW - 1
    tokens.open(token)
    clock.now -= 2
    with pytest.raises(StateError, match="expired"):
        tokens.open(token)


def test_a_state_that_is_too_large_names_its_largest_part() -> None:
    with pytest.raises(EncodeError, match=r"most of it is state\['noise'\]"):
        store(Clock(), chars=1000).issue(TRACK, {"a": [1], "noise": np.random.default_rng(1).bytes(3000)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xff\xff\xff",
        b"\x01\x00\x00\x00",
        b"\x01\x00\x00\x00" + bytes(7),
        bytes(4),
        bytes(11),
        bytes(4) + b"\x01\x00\x00\x00\x00\x00\x00\x00",
        bytes(12),
    ],
)
def test_forged_bodies_are_refused_by_the_store(body: bytes) -> None:
    with pytest.raises(StateError):
        store(Clock()).open(forged((b"function", 0, 0, int(Clock.now), 1, 1, len(body)), body)).load()


def test_what_a_token_costs_is_known_before_it_is_decoded() -> None:
    tokens = store(Clock())
    opened = tokens.open(tokens.issue(TRACK, {"x": np.zeros(2**18, np.uint8), "y": [[], 1.5]}))
    assert opened.cost.nodes == 1 + 2 + 2
    assert opened.cost.values < 30
