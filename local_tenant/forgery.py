"""ID tokens that a careful application refuses, on order: wrong audience, no signature, another's nonce, and so on.

For conformance tests of an application; the authority's own tokens never go through here.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from cryptography.hazmat.primitives import serialization

from local_tenant.app_registration import AppRegistration
from local_tenant.signing import Claims, KeyRing

Variant = Literal[
    "missing",
    "alg-none",
    "hs256-client-secret",
    "hs256-public-key",
    "bad-signature",
    "unknown-key",
    "wrong-aud",
    "extra-aud",
    "wrong-iss",
    "wrong-tid",
    "expired",
    "not-yet-valid",
    "wrong-nonce",
    "missing-nonce",
    "missing-iss",
    "missing-aud",
    "missing-sub",
    "missing-oid",
    "missing-tid",
    "missing-exp",
    "missing-iat",
]
VARIANTS: Final[tuple[Variant, ...]] = get_args(Variant)
_HOUR: Final = 3600
_ANOTHER_GUID: Final = "11111111-2222-4333-8444-555555555555"


@dataclass(slots=True)
class Order:
    """The next ``times`` ID tokens from codes are forged."""

    variant: Variant
    times: int


def forge(variant: Variant, claims: Claims, client: AppRegistration, keys: KeyRing) -> str | None:
    """Return the forged token, or None where there is to be none. ``claims`` are what the true one would say."""
    if variant == "missing":
        return None
    if variant.startswith("missing-"):
        return keys.sign(
            {name: value for name, value in claims.items() if name != variant[len("missing-") :]}
        )
    if variant in _SIGNED_WRONGLY:
        return _SIGNED_WRONGLY[variant](claims, client, keys)
    return keys.sign({**claims, **_wrong_claims(variant, claims)})


def _wrong_claims(variant: Variant, claims: Claims) -> Claims:
    issued = int(str(claims["iat"]))
    wrong: dict[Variant, Claims] = {
        "wrong-aud": {"aud": _ANOTHER_GUID},
        "extra-aud": {"aud": [str(claims["aud"]), _ANOTHER_GUID]},
        "wrong-iss": {"iss": f"https://{_ANOTHER_GUID}.ciamlogin.com/{_ANOTHER_GUID}/v2.0"},
        "wrong-tid": {"tid": _ANOTHER_GUID},
        "expired": {"iat": issued - 2 * _HOUR, "nbf": issued - 2 * _HOUR, "exp": issued - _HOUR},
        "not-yet-valid": {"iat": issued + _HOUR, "nbf": issued + _HOUR, "exp": issued + 2 * _HOUR},
        "wrong-nonce": {"nonce": "someone-else's-nonce"},
    }
    return wrong[variant]


def _alg_none(claims: Claims, _: AppRegistration, __: KeyRing) -> str:
    return f"{_segment({'typ': 'JWT', 'alg': 'none'})}.{_segment(claims)}."


def _hs256(claims: Claims, key: bytes, kid: str) -> str:
    # By hand: PyJWT rightly refuses to use a public key as an HMAC secret.
    signed = f"{_segment({'typ': 'JWT', 'alg': 'HS256', 'kid': kid})}.{_segment(claims)}"
    return f"{signed}.{_base64url(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def _with_client_secret(claims: Claims, client: AppRegistration, keys: KeyRing) -> str:
    secret = client.secrets[0].value if client.secrets else ""
    return _hs256(claims, secret.encode(), keys.signing.kid)


def _with_public_key(claims: Claims, _: AppRegistration, keys: KeyRing) -> str:
    pem = keys.signing.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _hs256(claims, pem, keys.signing.kid)


def _bad_signature(claims: Claims, _: AppRegistration, keys: KeyRing) -> str:
    head, _body, signature = keys.sign(claims).split(".")
    return f"{head}.{_segment({**claims, 'name': 'Somebody Else'})}.{signature}"


def _unknown_key(claims: Claims, _: AppRegistration, keys: KeyRing) -> str:
    return keys.sign(claims, key=keys.make())


_SIGNED_WRONGLY: Final[dict[str, Callable[[Claims, AppRegistration, KeyRing], str]]] = {
    "alg-none": _alg_none,
    "hs256-client-secret": _with_client_secret,
    "hs256-public-key": _with_public_key,
    "bad-signature": _bad_signature,
    "unknown-key": _unknown_key,
}


def _segment(members: Claims) -> str:
    return _base64url(json.dumps(members, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
