"""ID tokens as they should not be, and some that look odd and are right."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.stage.plain_provider import SECRET, Claims, Key, PlainProvider, compact, number, rsa_key

Shape = Callable[[PlainProvider, Claims], str]


def saying(**changed: Any) -> Shape:
    """Change claims; None removes one."""

    def shape(op: PlainProvider, claims: Claims) -> str:
        payload = {**claims, **changed}
        return op.signing.token({name: value for name, value in payload.items() if value is not None})

    return shape


def unsigned(_op: PlainProvider, claims: Claims) -> str:
    """Leave the signature out."""
    return compact({"alg": "none", "typ": "JWT"}, claims, lambda _: b"")


def signed_by_a_stranger(op: PlainProvider, claims: Claims) -> str:
    """Sign with another key under the same name."""
    return Key(op.signing.kid, rsa_key(3)).token(claims)


def hs256(op: PlainProvider, claims: Claims, *, key: bytes = SECRET.encode()) -> str:
    """Sign with a secret that both sides know."""
    header = {"alg": "HS256", "typ": "JWT", "kid": op.signing.kid}
    return compact(header, claims, lambda data: hmac.digest(key, data, hashlib.sha256))


def hs256_with_the_public_key(op: PlainProvider, claims: Claims) -> str:
    """Sign with what everyone knows, as if it were a secret."""
    pem = op.signing.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hs256(op, claims, key=pem)


def es256(op: PlainProvider, claims: Claims) -> str:
    """Sign with a key of another kind, published beside the right one."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    x, y = (number(value) for value in (numbers.x, numbers.y))
    op.jwks.append({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "ec", "x": x, "y": y})

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return compact({"alg": "ES256", "typ": "JWT", "kid": "ec"}, claims, sign)


def ps256(op: PlainProvider, claims: Claims) -> str:
    """Sign with the right key by another algorithm."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    header = {"alg": "PS256", "typ": "JWT", "kid": op.signing.kid}
    return compact(header, claims, lambda data: op.signing.private.sign(data, pss, hashes.SHA256()))


def without_kid(op: PlainProvider, claims: Claims) -> str:
    """Do not say which key."""
    return op.signing.token(claims, kid=None)


def without_kid_among_several(op: PlainProvider, claims: Claims) -> str:
    """Do not say which key of two."""
    op.jwks.append(Key("key-2", rsa_key(2)).jwk())
    return without_kid(op, claims)


def expired(op: PlainProvider, claims: Claims) -> str:
    """Come too late."""
    now = int(claims["iat"])
    return saying(iat=now - 4000, auth_time=now - 4000, exp=now - 400)(op, claims)
