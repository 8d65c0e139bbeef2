"""Signing keys of every family that an authority may have, and how each makes its signature (RFC 7518, RFC 8037).

Written with cryptography alone: it shares no code with the product, which leaves the mathematics to PyJWT.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.stage.plain_provider import base64url, compact, number, rsa_key

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
Json = dict[str, Any]

_HASHES: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "256": hashes.SHA256,
    "384": hashes.SHA384,
    "512": hashes.SHA512,
}
_CURVES: Final[Mapping[str, tuple[str, Callable[[], ec.EllipticCurve]]]] = {
    "ES256": ("P-256", ec.SECP256R1),
    "ES384": ("P-384", ec.SECP384R1),
    "ES512": ("P-521", ec.SECP521R1),
    "ES256K": ("secp256k1", ec.SECP256K1),
}
ALGORITHMS: Final = (
    *(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in ("256", "384", "512")),
    "EdDSA",
    "Ed25519",
)
"""Every algorithm that the product accepts where an authority lists it."""


@functools.cache
def private_key(algorithm: str, which: int = 0) -> Private:
    """Return a key for an algorithm, the same for the same number."""
    if algorithm[:2] in {"RS", "PS"}:
        return rsa_key(10 + which)
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm][1]())
    return (ed448.Ed448PrivateKey if algorithm == "Ed448" else ed25519.Ed25519PrivateKey).generate()


class OtherKey:
    """One key under a name, for one algorithm; `which` tells two keys of a kind apart."""

    def __init__(self, kid: str, algorithm: str, which: int = 0) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.private = private_key(algorithm, which)

    def signature(self, data: bytes) -> bytes:
        """Sign."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return self.private.sign(data)
        digest = _HASHES[self.algorithm[2:5]]()
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            size = (self.private.curve.key_size + 7) // 8
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        scheme = (
            padding.PSS(padding.MGF1(digest), digest.digest_size)
            if self.algorithm.startswith("PS")
            else padding.PKCS1v15()
        )
        return self.private.sign(data, scheme, digest)

    def token(self, claims: Json, **header: object) -> str:
        """Return a signed token; a header member of None is left out."""
        members = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **header}
        return compact(
            {name: value for name, value in members.items() if value is not None}, claims, self.signature
        )

    def jwk(self, **changed: object) -> Json:
        """Return the public half (RFC 7517); a member of None is left out."""
        public = self.private.public_key()
        members: Json = {"use": "sig", "alg": self.algorithm, "kid": self.kid}
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            members |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif isinstance(public, ec.EllipticCurvePublicKey):
            point, size = public.public_numbers(), (public.curve.key_size + 7) // 8
            x, y = (base64url(value.to_bytes(size, "big")) for value in (point.x, point.y))
            members |= {"kty": "EC", "crv": _CURVES[self.algorithm][0], "x": x, "y": y}
        else:
            curve = "Ed448" if isinstance(public, ed448.Ed448PublicKey) else "Ed25519"
            members |= {"kty": "OKP", "crv": curve, "x": base64url(public.public_bytes_raw())}
        return {name: value for name, value in {**members, **changed}.items() if value is not None}
