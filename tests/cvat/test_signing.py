"""Signed states: what comes back from the browser is trusted only as it left."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cvat.state_signing import MAX_AGE, StateSigner, base62, from_base62

from cvat_nuclio.cvat import CvatError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_a_state_comes_back(state: object) -> None:
    signer = StateSigner("f")
    assert signer.unsign(signer.sign(state)) == state


def test_the_signature_is_that_of_djangos_timestamp_signer() -> None:
    signed = StateSigner("trk", "key", lambda: 1_790_000_000).sign({"k": 1})
    text, stamp, signature = signed.rsplit(":", 2)
    assert (text, from_base62(stamp)) == ('{"k":1}', 1_790_000_000)
    derived = hashlib.sha256(b"cvat-tracker-state:trk" + b"signer" + b"key").digest()
    digest = hmac.new(derived, f"{text}:{stamp}".encode(), hashlib.sha256).digest()
    assert signature == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("foreign", ["", "a", "a:b", "a:b:c", ":::", ["x"], {"a": 1}, "é:é:é"])
def test_anything_else_is_refused(foreign: object) -> None:
    with pytest.raises(CvatError, match="Invalid or expired tracker state") as caught:
        StateSigner("f").unsign(foreign)
    assert caught.value.http_status == 400


@pytest.mark.parametrize("foreign", [None, 5, True])
def test_what_cannot_hold_a_colon_is_cvats_own_error(foreign: object) -> None:
    with pytest.raises(TypeError, match="is not iterable"):
        StateSigner("f").unsign(foreign)


@given(st.data())
def test_no_changed_character_passes(data: st.DataObject) -> None:
    signer = StateSigner("f")
    signed = signer.sign({"box": [1, 2, 3, 4]})
    at = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != signed[at]))
    with pytest.raises(CvatError):
        signer.unsign(signed[:at] + other + signed[at + 1 :])


@pytest.mark.parametrize(("age", "good"), [(0, True), (MAX_AGE, True), (MAX_AGE + 1, False)])
def test_a_state_lives_eight_hours(age: int, good: bool) -> None:
    now = 1_790_000_000
    signed = StateSigner("f", "key", lambda: now).sign("state")
    later = StateSigner("f", "key", lambda: now + age)
    if good:
        assert later.unsign(signed) == "state"
    else:
        with pytest.raises(CvatError):
            later.unsign(signed)


@given(st.integers(0, 2**64))
def test_base62_is_exact(number: int) -> None:
    assert from_base62(base62(number)) == number
