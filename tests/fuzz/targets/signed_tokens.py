"""Signed tokens through the whole verifier: as text, and with claims that our authority has signed.

In the first, `{head}`, `{body}` and `{sign}` stand for the parts of the one good token, `{hmac}` for a signature made
with the public key as a secret. The second has the header in its first line, and the claims behind it.
"""

import asyncio
import hashlib
import hmac
import json
import math
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from gateway.flows.logout_token import LogoutTokenJudge
from resource_api.proven_signatures import ProvenSignatures
from servicekit.errors import BadRequest
from servicekit.jwt_verifier import JwtVerifier, TokenRejected
from tests.fuzz.target import Target, text_of
from tests.unit.servicekit.authority import AUDIENCE, ISSUER, NOW, RULES, TENANT, Signer, claims, encoded
from tests.unit.servicekit.believer import KnownKeys

_SIGNER: Final = Signer("one")
_VERIFIER: Final = JwtVerifier(KnownKeys([_SIGNER]), now=lambda: NOW, prove=ProvenSignatures().prove)
_JUDGE: Final = LogoutTokenJudge(_VERIFIER, issuer=ISSUER, client_id=AUDIENCE)
_GOOD: Final = _SIGNER.sign(claims())
_PARTS: Final = _GOOD.encode().split(b".")
_PUBLIC: Final = _SIGNER.private.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
_LEEWAY: Final = 120


def _filled(data: bytes) -> bytes:
    for name, part in zip((b"{head}", b"{body}", b"{sign}"), _PARTS, strict=True):
        data = data.replace(name, part)
    signed, dot, last = data.rpartition(b".")
    if dot and last == b"{hmac}":
        forged = hmac.new(_PUBLIC, signed, hashlib.sha256).digest()
        data = signed + b"." + encoded(forged).encode()
    return data[:40_000]


def _believed(token: str) -> dict[str, Any] | None:
    try:
        return asyncio.run(_VERIFIER.verify(token, RULES))
    except TokenRejected as rejected:
        assert not any(len(part) > 20 and part in str(rejected) for part in token.split("."))
        return None


def _check_text(data: bytes) -> None:
    token = text_of(_filled(data))
    if _believed(token) is not None:
        assert token == _GOOD


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_claims(data: bytes) -> None:
    head, _, body = data.partition(b"\n")
    signed = f"{encoded(head)}.{encoded(body)}"
    signature = _SIGNER.private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    token = f"{signed}.{encoded(signature)}"
    _check_order(token)
    if (believed := _believed(token)) is None:
        return
    assert json.loads(head)["alg"] == "RS256"
    assert (believed["iss"], believed["tid"], believed["ver"]) == (ISSUER, TENANT, "2.0")
    assert believed["aud"] in (AUDIENCE, [AUDIENCE])
    assert believed.get("azp", AUDIENCE) == AUDIENCE
    assert _is_number(believed["exp"])
    assert believed["exp"] > NOW - _LEEWAY
    assert all(believed.get(name, NOW) <= NOW + _LEEWAY for name in ("iat", "nbf"))
    assert all(isinstance(believed[name], str) and believed[name] for name in ("sub", "oid"))


def _check_order(token: str) -> None:
    try:
        order = asyncio.run(_JUDGE.order(token))
    except BadRequest:
        return
    assert order.identifier
    assert order.sid or order.sub
    assert NOW - order.issued_at < 3_600


_WORDS: Final = [
    *(
        b".",
        b"=",
        b"-",
        b"_",
        b"{head}",
        b"{body}",
        b"{sign}",
        b"{hmac}",
        b"eyJhbGciOiJub25lIn0",
        b"e30",
        b"AAAA",
    ),
    encoded({"alg": "HS256", "kid": "one"}).encode(),
    encoded({"alg": "none"}).encode(),
]
_LOGOUT_CLAIMS: Final = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": NOW,
    "exp": NOW + 100,
    "jti": "j",
    "sid": "s",
    "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
}
_HEAD: Final = b'{"typ":"JWT","alg":"RS256","kid":"one"}\n'

TARGETS: Final = (
    Target(
        "token-text",
        "no token but the one that was signed is believed, and nothing of it is told",
        _check_text,
        _WORDS,
    ),
    Target(
        "token-claims",
        "what is signed is believed by issuer, audience, time, tenant and person only",
        _check_claims,
        [
            *(
                b"{",
                b"}",
                b"[",
                b"]",
                b":",
                b",",
                b'"',
                b"\n",
                b"null",
                b"true",
                b"1e999",
                b"-1",
                b"NaN",
                b'"\\ud800"',
            ),
            *(
                f'"{name}"'.encode()
                for name in ("iss", "aud", "exp", "iat", "nbf", "sub", "oid", "tid", "ver", "azp")
            ),
            *(
                b'"alg"',
                b'"RS256"',
                b'"HS256"',
                b'"none"',
                b'"crit"',
                b'"jwk"',
                b'"jku"',
                b'"kid"',
                b'"typ"',
                b'"b64"',
            ),
            *(
                f'"{ISSUER}"'.encode(),
                f'"{AUDIENCE}"'.encode(),
                str(NOW).encode(),
                b"9999999999999999999999",
                b"1" * 5_000,
            ),
        ],
        made=[_HEAD + json.dumps(body).encode() for body in (claims(), _LOGOUT_CLAIMS)],
    ),
)
