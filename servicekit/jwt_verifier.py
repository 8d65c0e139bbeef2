"""Signed tokens of one authority, verified: form, key, signature, claims, in this order.

Owns that order, and which rules a token is judged by where its type decides.
Never remembers what a token said, never asks the authority about one, and never decides what a token allows.

The form is judged in `jwt_form.py`, the signature in `jwt_signatures.py` by the keys of `signing_keys.py`, the claims
in `jwt_claims.py`; what callers need of them is exported here.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from servicekit.claim_forms import time_of
from servicekit.clock_watch import ClockWatch
from servicekit.jwt_claims import ClaimRules, check_claims
from servicekit.jwt_form import (
    HEADER,
    LONGEST_TOKEN,
    NOT_YET_VALID,
    UNKNOWN_KEY,
    TokenRejected,
    read_payload,
    read_token,
)
from servicekit.jwt_signatures import ALGORITHMS, Proof, VerificationKey, is_proven
from servicekit.signing_keys import SigningKeys

__all__ = ["UNKNOWN_KEY", "ClaimRules", "JwtVerifier", "SigningKeys", "TokenRejected", "Verified"]


TOKENS: Final = "the authority's tokens"
_DATES: Final = frozenset({"iat", "nbf"})


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a token that is believed, and the rules that they obey."""

    claims: dict[str, Any]
    rules: ClaimRules


class JwtVerifier:
    """Verifies tokens of one authority; `now` is the wall clock in seconds since 1970.

    `longest` is how many characters a token may have; `clocks` compares our clock with the one that dates tokens;
    `prove` does the mathematics of a signature.
    """

    def __init__(
        self,
        keys: SigningKeys,
        *,
        now: Callable[[], float] = time.time,
        longest: int = LONGEST_TOKEN,
        clocks: ClockWatch | None = None,
        prove: Proof = is_proven,
    ) -> None:
        self._keys = keys
        self._prove = prove
        self._now = now
        self._longest = longest
        self._clocks = clocks or ClockWatch(TOKENS, now=now)

    async def verify(self, token: str, rules: ClaimRules) -> dict[str, Any]:
        """Return the claims of a token that is signed by the authority and obeys `rules`.

        Raises as `verify_by_type` does.
        """
        return (await self.verify_by_type(token, rules)).claims

    def compare_clocks(self, claims: Mapping[str, Any]) -> int:
        """Return how many seconds our clock is ahead of the one that dated a token which came just now; it is told.

        0 where the token does not say when it was issued.
        """
        try:
            return self._clocks.compare_time(time_of(claims, "iat"))
        except TokenRejected:
            return 0

    async def check_keys(self) -> bool:
        """Return whether the keys are fresh, for whoever had a token of an odd algorithm straight from the authority.

        Raises Misconfigured where none of its tokens can be, AuthorityUnavailable where there is no telling.
        """
        return await self._keys.check()

    async def verify_by_type(self, token: str, *rules: ClaimRules) -> Verified:
        """Verify a token by the first of `rules` that are for its type, the header's `typ`.

        Raises TokenRejected with a code, AuthorityUnavailable when there is no key to check with, Misconfigured when
        there never will be.
        Cheap checks come first: no key is looked up for a token that could never be accepted (RFC 8725, section 3).

        Not checked here, and the caller's to check: roles, acr and acrs, at_hash and c_hash, a replay by jti, whether
        the person still exists, and whether the token was revoked.
        """
        types = frozenset[str]().union(*(each.types for each in rules))
        signed = read_token(token, types, ALGORITHMS, longest=self._longest)
        header = signed.header
        judged_by = next((each for each in rules if each.is_for(header.typ)), None)
        if judged_by is None:
            raise TokenRejected(HEADER, "typ")

        def proven_payload(key: VerificationKey) -> bytes | None:
            return signed.payload if self._prove(signed, key) else None

        claims = read_payload(await self._keys.opened(header.kid, header.algorithm, proven_payload))
        try:
            check_claims(claims, judged_by, self._now())
        except TokenRejected as rejected:
            if rejected.code == NOT_YET_VALID and rejected.claim in _DATES:
                self._clocks.compare_time(
                    claims[rejected.claim]
                )  # a moment that has not come is of another clock
            raise
        return Verified(claims, judged_by)
