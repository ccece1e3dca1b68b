"""Tokens: bound, authenticated, bounded."""

import binascii
import hmac
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aa_runtime.state import Codec, EncodeError, Sealer, StateError, TokenStore, Track
from aa_runtime.state.compression import Compressor, decompress
from aa_runtime.state.token import Head, _checksum, _keyed_tag

FAST = settings(max_examples=200, deadline=None)
HEAD = Head(shape_type="polygon", image_size=(640, 480), typed=True, issued=1_700_000_000)
TRACK = Track(shape_type="mask", image_size=(9, 8), typed=False, points=[0.0, 4.0, 1.0, 1.0, 2.0, 2.5])
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="


def sealer(
    keys: tuple[bytes, ...] = (), identity: bytes = b"function", chars: int = 2**20, size: int = 2**22
) -> Sealer:
    return Sealer(identity, keys, chars, size)


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def store(clock: Clock, keys: tuple[bytes, ...] = (), **limits: int) -> TokenStore:
    return TokenStore(Codec(), sealer(keys, **limits), max_age=8 * 3600, clock=clock)


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@FAST
@given(payload=st.binary(max_size=300) | st.binary(max_size=30).map(lambda part: part * 40))
def test_what_is_sealed_comes_out(keys: tuple[bytes, ...], payload: bytes) -> None:
    text = sealer(keys).seal(HEAD, payload)
    assert set(text) <= set(ALPHABET)
    opened = sealer(keys).open(text)
    assert (opened.head, opened.size, opened.payload()) == (HEAD, len(payload), payload)


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@FAST
@given(data=st.data())
def test_every_changed_character_is_noticed(keys: tuple[bytes, ...], data: st.DataObject) -> None:
    text = sealer(keys).seal(HEAD, b"some payload of a tracker")
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
    st.text(max_size=60) | st.text(ALPHABET, max_size=80).map("aa2k".__add__) | st.text(ALPHABET).map("aa2c".__add__)
)
def test_any_text_is_refused(text: str) -> None:
    for keys in ((), (b"secret",)):
        with pytest.raises(StateError):
            sealer(keys).open(text)


def test_another_function_s_token_is_refused() -> None:
    for keys in ((), (b"secret",)):
        text = sealer(keys).seal(HEAD, b"payload")
        with pytest.raises(StateError, match="another function"):
            sealer(keys, identity=b"other fn").open(text)


def test_a_token_under_another_key_or_none_is_refused() -> None:
    with pytest.raises(StateError, match="damaged"):
        sealer((b"one",)).open(sealer((b"two",)).seal(HEAD, b""))
    with pytest.raises(StateError, match="no key was set"):
        sealer((b"one",)).open(sealer().seal(HEAD, b""))
    with pytest.raises(StateError, match="this worker has none"):
        sealer().open(sealer((b"one",)).seal(HEAD, b""))


def test_a_token_of_another_version_is_refused() -> None:
    for keys in ((), (b"secret",)):
        text = sealer(keys).seal(HEAD, b"payload")
        with pytest.raises(StateError, match="another version of the runtime"):
            sealer(keys).open(f"aa1{text[3:]}")


@pytest.mark.parametrize("keys", [(), (b"secret",)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_there_is_one_text_for_a_token(keys: tuple[bytes, ...], size: int) -> None:
    text = sealer(keys).seal(HEAD, bytes(size))
    last = text.rstrip("=")[-1]
    for other in set(ALPHABET) - {last}:
        with pytest.raises(StateError):
            sealer(keys).open(other.join(text.rsplit(last, 1)))
    for changed in (text.rstrip("="), f"{text}=", f"{text}\n", f" {text}", f"{text[:8]}\n{text[8:]}"):
        if changed != text:
            with pytest.raises(StateError):
                sealer(keys).open(changed)


def test_a_key_can_be_replaced() -> None:
    old, new = sealer((b"old",)).seal(HEAD, b"1"), sealer((b"new", b"old")).seal(HEAD, b"2")
    assert sealer((b"new", b"old")).open(old).payload() == b"1"
    assert sealer((b"new",)).open(new).payload() == b"2"
    with pytest.raises(StateError):
        sealer((b"new",)).open(old)


def forged(head: tuple[Any, ...], rest: bytes, key: bytes | None = None) -> str:
    """A token whose tag is right, as anybody can make one where no key is set."""
    signed = binascii.a2b_base64("aa2k" if key else "aa2c") + struct.pack("<8sBBIIII", *head) + rest
    return base64(signed + (_keyed_tag(hmac.new(key, digestmod="sha256"), signed) if key else _checksum(signed)))


def base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def bomb(size: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(bytes(size)) + deflate.flush()


@pytest.mark.parametrize(
    ("size", "rest"),
    [
        (10, bomb(2**30 // 4)),
        (2**22, bomb(2**22 + 1)),
        (2**22, bomb(2**22 - 1)),
        (100, bomb(100) + b"more"),
        (100, bomb(100)[:-1]),
        (100, b""),
        (100, b"\xff\xff\xff"),
        (0, b""),
    ],
)
def test_compression_bombs_are_refused_without_unpacking_them(size: int, rest: bytes) -> None:
    opened = sealer().open(forged((b"function", 1, 0, 0, 1, 1, size), rest))
    with pytest.raises(StateError):
        opened.payload()


@pytest.mark.parametrize(
    "head",
    [
        (b"function", 4, 0, 0, 1, 1, 1),
        (b"function", 0, 8, 0, 1, 1, 1),
        (b"function", 0, 0, 0, 1, 1, 2**22 + 1),
        (b"stranger", 0, 0, 0, 1, 1, 1),
    ],
)
def test_heads_that_make_no_sense_are_refused(head: tuple[Any, ...]) -> None:
    with pytest.raises(StateError):
        sealer().open(forged(head, b"1"))


def test_a_payload_of_another_size_is_refused() -> None:
    with pytest.raises(StateError):
        sealer().open(forged((b"function", 0, 0, 0, 1, 1, 5), b"1234")).payload()
    short = binascii.a2b_base64("aa2cAAAA")
    with pytest.raises(StateError):
        sealer().open(base64(short + _checksum(short)))


def test_too_large_on_either_side_is_refused() -> None:
    noise = np.random.default_rng(1).bytes(3000)
    with pytest.raises(EncodeError, match="at most 1000 and"):
        sealer(chars=1000).seal(HEAD, noise)
    with pytest.raises(EncodeError, match="and 2000 are accepted"):
        sealer(size=2000).seal(HEAD, noise)
    with pytest.raises(StateError, match="at most 1000 are accepted"):
        sealer(chars=1000).open(sealer().seal(HEAD, noise))
    with pytest.raises(StateError, match="at most 2000 are accepted"):
        sealer(size=2000).open(sealer().seal(HEAD, noise))


def test_a_token_that_fits_only_compressed_is_compressed() -> None:
    one = sealer(chars=2000)
    one.seal(HEAD, np.random.default_rng(1).bytes(900))  # now it passes compression over for a while
    text = one.seal(HEAD, bytes(5000))
    assert one.open(text).payload() == bytes(5000)


@pytest.mark.parametrize("size", [300, 2**15, 2**18])
def test_compression_is_used_where_it_pays(size: int) -> None:
    noise = np.random.default_rng(1).bytes(size)
    compress = Compressor()
    small = compress(bytes(size))
    assert small is not None
    assert len(small) < size / 4
    assert decompress(small, size) == bytes(size)
    assert compress(noise) is None


def test_a_function_whose_states_become_compressible_is_noticed() -> None:
    compress = Compressor()
    assert compress(np.random.default_rng(1).bytes(300)) is None
    results = [compress(bytes(300)) for _ in range(40)]
    assert results[0] is None
    assert results[-1] is not None


def test_however_long_it_did_not_pay_compression_is_tried_again() -> None:
    compress = Compressor()
    noise = np.random.default_rng(1).bytes(300)
    assert {compress(noise) for _ in range(3000)} == {None}
    assert any(compress(bytes(300)) for _ in range(256))


@FAST
@given(
    st.sampled_from(["rectangle", "polygon", "mask", "cuboid", "skeleton"]),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.booleans(),
    st.lists(st.integers()),
)
def test_tracks_and_states_come_back(shape: str, points: list[float], typed: bool, state: list[int]) -> None:
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
    clock.now -= 9 * 3600
    with pytest.raises(StateError):
        tokens.open(token)


def test_a_state_that_is_too_large_names_its_largest_part() -> None:
    with pytest.raises(EncodeError, match=r"most of it is state\['noise'\]"):
        store(Clock(), chars=1000).issue(TRACK, {"a": [1], "noise": np.random.default_rng(1).bytes(3000)})


def test_forged_payloads_are_refused_by_the_store() -> None:
    tokens = store(Clock())
    now = int(Clock.now)
    for payload in (b"", b"\x00", b"\xff\xff\xff\xff", b"\x01\x00\x00\x00\x00", b"\x02\x00\x00\x00\x00\x01\x00\x01"):
        opened = tokens.open(forged((b"function", 0, 0, now, 1, 1, len(payload)), payload))
        with pytest.raises(StateError):
            opened.load()
