"""Signed tracker states: `<JSON>:<time>:<HMAC>`, as CVAT hands them to the browser (G2 and later)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import attrs

from cvat_nuclio.cvat import CvatError
from cvat_nuclio.cvat.payload import Signer
from cvat_nuclio.cvat.rest_errors import invalid

MAX_AGE = 8 * 60 * 60
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@attrs.frozen
class StateSigner(Signer):
    """Signs the states of one function. The real server has a secret of its own."""

    function_id: str
    secret: str = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)
    clock: Callable[[], float] = attrs.field(default=time.time, repr=False)

    def sign(self, state: Any) -> str:
        """The state, null included, as compact JSON with the time and a signature."""
        text = json.dumps(state, separators=(",", ":"))
        stamped = f"{text}:{base62(int(self.clock()))}"
        return f"{stamped}:{self._signature(stamped)}"

    def unsign(self, signed: Any) -> Any:
        """The state. Raises CVAT's 400 for what this function's signer did not make in the last 8 hours.

        What is neither text nor a list or object is CVAT's TypeError.
        """
        if ":" not in signed:
            raise self.refusal()
        stamped, _, signature = signed.rpartition(":")
        if not hmac.compare_digest(signature.encode(), self._signature(stamped).encode()):
            raise self.refusal()
        text, _, stamp = stamped.rpartition(":")
        if self.clock() - from_base62(stamp) > MAX_AGE:
            raise self.refusal()
        return json.loads(text)

    @staticmethod
    def refusal() -> CvatError:
        """What the browser gets for a state that CVAT does not accept."""
        return invalid("Invalid or expired tracker state")

    def _signature(self, text: str) -> str:
        salt = f"cvat-tracker-state:{self.function_id}signer"
        key = hashlib.sha256((salt + self.secret).encode()).digest()
        digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def base62(number: int) -> str:
    """A whole number from 0 in digits, upper and lower case letters."""
    text = "" if number else "0"
    while number:
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text


def from_base62(text: str) -> int:
    """The number again. Raises ValueError for other characters."""
    number = 0
    for character in text:
        number = number * 62 + _DIGITS.index(character)
    return number
