"""Public keys that verify tokens, and the algorithms that each of them is good for.

Owns what is read of a key in a JWK set (RFC 7517, 7518 and 8037), and the mathematics of a signature. The only door to
PyJWT, of which its keys and its algorithms are used and nothing else: its key client blocks, its claim checks take what
we must refuse, and its reading of a token takes three times as long as the signature
(docs/explanation/decisions/2026-11-27-tokens-read-once.md).
Never uses a symmetric key: whoever could verify could then sign as well. Never decides which algorithms an authority
may use (`signing_keys.py`), and never looks at a claim.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from servicekit.jwt_form import SignedToken

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

RS256: Final = "RS256"
# By key type and curve: what a key of this kind can verify. RFC 7518, section 3.1; RFC 8037 for EdDSA, which RFC 9864
# calls by its curve.
_ALGORITHMS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("RSA", ""): frozenset({RS256, "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
ALGORITHMS: Final = frozenset().union(*_ALGORITHMS.values())
"""Every algorithm that can be accepted; none of them is symmetric."""
# The members that make up a public key, by key type; whatever else a set holds of it is left alone.
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_MODULUS_BITS: Final = range(2048, 8193)

# What PyJWT and the libraries below it raise for a key or a signature that is none; which of them, is their affair.
_UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError)

# RFC 9864 has another name for what PyJWT knows as EdDSA; of its two curves a key of ours is always the first.
_NAMES_OF_PYJWT: Final = {"Ed25519": "EdDSA"}
_verifying: Final = {name: jwt.get_algorithm_by_name(_NAMES_OF_PYJWT.get(name, name)) for name in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key of an authority; `kid` is "" where the set gives it no name."""

    kid: str
    algorithms: frozenset[str]
    public: PublicKey


Proof = Callable[[SignedToken, VerificationKey], bool]
"""Tells whether a key proves the signature of a token; raises nothing."""


def read_key(entry: object) -> VerificationKey | None:
    """Return the key that an entry of a JWK set holds, or None for one that is of no use to us.

    Of no use are keys for encryption (`use`, `key_ops`), symmetric ones, private members, RSA below 2048 bits, other
    curves, and an `alg` that does not fit the key.
    """
    if not isinstance(entry, dict):
        return None
    kid, kind, curve = (_text(entry, name) for name in ("kid", "kty", "crv"))
    if kid is None or kind is None or curve is None:
        return None
    algorithms = _ALGORITHMS.get((kind, "" if kind == "RSA" else curve), frozenset())
    if entry.get("alg") is not None:
        algorithms = frozenset(name for name in algorithms if name == entry["alg"])
    key = _public_key(entry, kind) if algorithms and _is_for_signatures(entry) else None
    return VerificationKey(kid, algorithms, key) if key else None


def _public_key(entry: Mapping[str, Any], kind: str) -> PublicKey | None:
    """Return the public half that an entry describes, if it is one of a decent size."""
    try:
        members = {"kty": kind} | {name: entry[name] for name in _MEMBERS[kind]}
        key = jwt.PyJWK(members).key
    except _UNREADABLE:
        return None
    if isinstance(key, RSAPublicKey):
        return key if key.key_size in _MODULUS_BITS else None
    return key if isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey) else None


def is_proven(token: SignedToken, key: VerificationKey) -> bool:
    """Tell whether `key` proves the signature of a token, by the algorithm that the token names.

    The token's form has been judged before. A key never verifies by an algorithm that is not its own.
    """
    algorithm = token.header.algorithm
    if algorithm not in key.algorithms:
        return False
    try:
        return _verifying[algorithm].verify(token.signed, key.public, token.signature)
    except _UNREADABLE:
        return False


def _text(entry: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is text, "" where it is missing, None where it is something else."""
    value = entry.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else None


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    """Tell whether a key says that it is for verifying, or says nothing (RFC 7517, sections 4.2 and 4.3)."""
    operations = entry.get("key_ops")
    may_verify = operations is None or (isinstance(operations, list) and "verify" in operations)
    return entry.get("use") in (None, "sig") and may_verify
