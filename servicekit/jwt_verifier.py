"""Signed tokens of one authority, verified: signing keys, signature, claims.

Owns the key set (by `kid`, refreshed beside its use, last known good, proof against floods of unknown key ids) and
the order of checks: form, key, signature, claims. The only door to PyJWT, which is used for the RSA mathematics
alone; its key client blocks, and its claim checks take floats, strings and lists where we want exactly one form.
Never caches a verified token, never asks the authority about one, and never decides what a token allows.

The form is judged in `jwt_form.py`, the claims in `jwt_claims.py`; what callers need of both is exported here.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from servicekit.discovery import Discovery, IssuerMismatch, fetch_from_authority
from servicekit.errors import AuthorityUnavailable
from servicekit.jwt_claims import ClaimRules, check_claims
from servicekit.jwt_form import SIGNATURE, UNKNOWN_KEY, TokenRejected, key_id, read_payload
from servicekit.last_known_good import WAIT_SECONDS, KnownGoodStore, LastKnownGood
from servicekit.outbound import Outbound
from servicekit.strict_json import NotStrictJson, load_strict_json

__all__ = ["UNKNOWN_KEY", "ClaimRules", "JwtVerifier", "SigningKeys", "TokenRejected"]

FORCED_SECONDS: Final = 300
_RS256: Final = "RS256"
_MOST_KEYS: Final = 1000
_MODULUS_BITS: Final = range(2048, 8193)


class SigningKeys:
    """The authority's RSA keys by `kid`; `now` is a monotonic clock in seconds, `store` keeps them for a later life.

    `wait_seconds` is how long a use waits for newer keys while there are old ones.
    The address comes from the metadata and must be https; in local work the address map leads it elsewhere.
    The throttle for unknown key ids is this process's own; a deployment of n processes fetches at most n times.
    """

    def __init__(
        self,
        outbound: Outbound,
        discovery: Discovery,
        *,
        now: Callable[[], float] = time.monotonic,
        store: KnownGoodStore | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._outbound = outbound
        self._discovery = discovery
        self._now = now
        self._set = LastKnownGood(
            "signing keys", self._fetch, _believe, now=now, store=store, wait_seconds=wait_seconds
        )
        self._forced_at: float | None = None

    async def key(self, kid: str | None) -> RSAPublicKey:
        """Return the key called `kid`, or the only key there is for a token that names none.

        An unknown `kid` fetches the set anew, once in five minutes at most, or waits for the fetch that is under way,
        and is refused otherwise: whoever makes up key ids must not make us call the authority, and whoever brings a
        new key's token must not depend on being the first. A failed fetch keeps the keys that there are.
        Raises TokenRejected (unknown-key), AuthorityUnavailable if there are no keys at all.
        """
        fetches = self._set.fetches
        keys = await self._set.get()
        key = _pick(keys, kid)
        if key is None and fetches == self._set.fetches and (self._set.is_under_way or self._may_force()):
            with contextlib.suppress(AuthorityUnavailable):
                key = _pick(await self._set.refresh(), kid)
        if key is None:
            raise TokenRejected(UNKNOWN_KEY)
        return key

    def _may_force(self) -> bool:
        now = self._now()
        if self._forced_at is not None and now < self._forced_at + FORCED_SECONDS:
            return False
        self._forced_at = now
        return True

    async def _fetch(self) -> bytes:
        try:
            metadata = await self._discovery.metadata()
        except IssuerMismatch as error:
            raise AuthorityUnavailable("no trustworthy metadata") from error
        if urlsplit(metadata.jwks_uri).scheme != "https":
            raise AuthorityUnavailable("the address of the signing keys is not https")
        return (await fetch_from_authority(self._outbound, metadata.jwks_uri)).body


def _believe(body: bytes) -> dict[str, RSAPublicKey]:
    """Return the keys of a set, fetched a moment or a life ago."""
    keys = _usable_keys(body)
    if not keys:
        # An empty set would sign everybody out; the authority's own slip is likelier than its end.
        raise AuthorityUnavailable("the key set holds no usable key")
    return keys


def _pick(keys: dict[str, RSAPublicKey], kid: str | None) -> RSAPublicKey | None:
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)


def _usable_keys(body: bytes) -> dict[str, RSAPublicKey]:
    """Return the RSA signing keys of a JWK set (RFC 7517); what is of no use to us is passed over."""
    try:
        document = load_strict_json(body)
    except NotStrictJson as error:
        raise AuthorityUnavailable(f"key set: {error}") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise AuthorityUnavailable("key set: no list of keys")
    keys: dict[str, RSAPublicKey] = {}
    for entry in entries[:_MOST_KEYS]:
        key = _usable_key(entry)
        if key is not None:
            # Of two keys with one id the first stays: a set must not be able to shadow its own keys.
            keys.setdefault(entry.get("kid", ""), key)
    return keys


def _usable_key(entry: object) -> RSAPublicKey | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid", ""), str):
        return None
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", _RS256) != _RS256:
        return None
    try:
        public = {name: entry[name] for name in ("kty", "n", "e")}
        key = jwt.PyJWK(public, algorithm=_RS256).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size in _MODULUS_BITS else None


class JwtVerifier:
    """Verifies RS256 tokens; `now` is the wall clock in seconds since 1970."""

    def __init__(self, keys: SigningKeys, *, now: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._now = now
        self._signatures = jwt.PyJWS(algorithms=[_RS256])

    async def verify(self, token: str, rules: ClaimRules) -> dict[str, Any]:
        """Return the claims of a token that is signed by the authority and obeys `rules`.

        Raises TokenRejected with a code, AuthorityUnavailable when there is no key to check with.
        Cheap checks come first: no key is looked up for a token that could never be accepted (RFC 8725,
        section 3).

        Not checked here, and the caller's to check: nonce, azp, scp and roles, acr, acrs and auth_time, at_hash and
        c_hash, jti (nothing stops a replay), whether the person still exists, and whether the token was revoked.
        """
        key = await self._keys.key(key_id(token, rules.types, _RS256))
        try:
            payload = self._signatures.decode_complete(token, key, algorithms=[_RS256])["payload"]
        except (jwt.PyJWTError, ValueError) as error:
            raise TokenRejected(SIGNATURE) from error
        # What was signed is read, not what was seen first.
        claims = read_payload(payload)
        check_claims(claims, rules, self._now())
        return claims
