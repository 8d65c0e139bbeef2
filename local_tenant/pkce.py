"""Proof Key for Code Exchange: the challenge at the authorize endpoint, and the verifier that answers it (RFC 7636).

Once a client sent a challenge, it is binding; a client that sent none may not answer one (RFC 9700, 2.1.1).
Sizes are those of RFC 7636, 4.1 and 4.2; that Entra refuses other ones is seen for challenges, believed for verifiers.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from local_tenant.refusals import refusal

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_FORMS: Final = {"plain": _VERIFIER, "S256": re.compile(r"[A-Za-z0-9_-]{43}")}
"""What a challenge looks like, by method; another method is not known."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the client committed itself to."""

    value: str
    method: str


def read_challenge(fields: Mapping[str, str]) -> Challenge | None:
    """Return the challenge of an authorize request, if it has one.

    Raises 9002313 (an unknown method), 50147 (a method without a challenge) or 501491 (no challenge of its method).
    """
    value, method = fields.get("code_challenge"), fields.get("code_challenge_method") or "plain"
    if method not in _FORMS:
        raise refusal(9002313)
    if not value:
        if fields.get("code_challenge_method"):
            raise refusal(50147)
        return None
    if not _FORMS[method].fullmatch(value):
        raise refusal(501491)
    return Challenge(value, method)


def check_verifier(challenge: Challenge | None, verifier: str | None) -> None:
    """Raise 501481 unless ``verifier`` answers ``challenge``; where there is none, there is nothing to answer."""
    if challenge is None and not verifier:
        return
    if challenge is None or not verifier or not _VERIFIER.fullmatch(verifier):
        raise refusal(501481)
    if challenge.method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(challenge.value, verifier):
        raise refusal(501481)
