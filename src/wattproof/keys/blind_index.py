"""Tokens by which who has an epoch's key finds what is sealed, and nobody else can.

    index key = HKDF(key, "wattproof index v1")
    token = first 4 bytes of HMAC-SHA-256(index key, place || field || 0 || value)

A token is for a *place* (see `sealed`): the same value has another token in every place, so tokens
tell nobody that two places have a value in common. Who has the key makes the tokens of a value for
every place and looks where they stand.

Four bytes are enough: a place with 64 tokens matches a value that it does not have once in 2^24,
about 17 million, and then what was found is opened in vain and left out. A value that is there is
always found.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from wattproof.keys.sealed import EpochKey

__all__ = ["STEP_TOKENS", "TOKEN_BYTES", "BlindIndex", "Values"]

Values = Iterable[tuple[str, str]]
"""Fields and their values."""

TOKEN_BYTES: Final = 4

STEP_TOKENS: Final = 8
"""Places have a multiple of so many tokens; what is missing is filled up, and looks the same."""


class BlindIndex:
    """Makes the tokens of an epoch."""

    __slots__ = ("_key",)

    def __init__(self, key: EpochKey) -> None:
        self._key = key.derived(b"wattproof index v1")

    def token(self, field: str, value: str, *, place: int) -> bytes:
        """The token of a field's value in a place. No field has a zero byte in its name."""
        message = place.to_bytes(8, "big") + _message(field, value)
        return hmac.digest(self._key, message, hashlib.sha256)[:TOKEN_BYTES]

    def finder(self, wanted: Iterable[Values]) -> Callable[[int, bytes], bool]:
        """Whether a place with these tokens may have, of each group of values, one at least.

        Where it says no there is none. It looks at any byte, so that what matches across two
        tokens counts too: one more way to be wrong that does no harm.
        """
        groups: Sequence[Sequence[bytes]] = [
            [_message(field, value) for field, value in group] for group in wanted
        ]
        key, digest, sha256 = self._key, hmac.digest, hashlib.sha256

        def found(place: int, tokens: bytes) -> bool:
            start = place.to_bytes(8, "big")
            return all(
                any(digest(key, start + message, sha256)[:TOKEN_BYTES] in tokens for message in one)
                for one in groups
            )

        return found

    def tokens(self, values: Values, *, place: int) -> bytes:
        """The tokens of all these fields' values, sorted, each once, filled up to a full step.

        Always the same bytes for the same values, in whatever order they come.
        """
        found = {self.token(field, value, place=place) for field, value in values}
        filler = 0
        while not found or len(found) % STEP_TOKENS:
            # A field without a name is used for nothing else.
            found.add(self.token("", str(filler), place=place))
            filler += 1
        return b"".join(sorted(found))


def _message(field: str, value: str) -> bytes:
    return f"{field}\0{value}".encode()
