"""The signing keys of one authority: fetched beside their use, kept through outages, and which algorithms count.

Owns the key set (by `kid`, refreshed beside its use, last known good), the algorithms that are accepted of this
authority, and the one throttle for tokens that the present keys do not prove.
Never looks into a token, and never remembers what was proven.
"""

import contextlib
import copy
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from servicekit.discovery import AuthorityMetadata, Discovery, fetch_from_authority
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.jwt_form import ALGORITHM, SIGNATURE, UNKNOWN_KEY, TokenRejected
from servicekit.jwt_signatures import ALGORITHMS, RS256, VerificationKey, read_key
from servicekit.last_known_good import WAIT_SECONDS, KnownGoodStore, LastKnownGood
from servicekit.outbound import Outbound
from servicekit.strict_json import NotStrictJson, load_strict_json

T = TypeVar("T")
KeySet = Mapping[str, list[VerificationKey]]

FORCED_SECONDS: Final = 300
_MOST_KEYS: Final = 1000
_MOST_NAMED: Final = 10
_WORD: Final = re.compile(r"[A-Za-z0-9_+-]{1,20}")


class SigningKeys:
    """The authority's keys by `kid`; `now` is a monotonic clock in seconds, `store` keeps them for a later life.

    Accepted are the algorithms that the metadata lists for ID tokens, none of them symmetric, and `always` whatever it
    lists. `wait_seconds` is how long a use waits for newer keys while there are old ones.
    The address comes from the metadata and must be https; in local work the address map leads it elsewhere.
    The throttle is this process's own; a deployment of n processes fetches at most n times.
    """

    def __init__(
        self,
        outbound: Outbound,
        discovery: Discovery,
        *,
        now: Callable[[], float] = time.monotonic,
        store: KnownGoodStore | None = None,
        wait_seconds: float = WAIT_SECONDS,
        always: frozenset[str] = frozenset(),
    ) -> None:
        self._outbound = outbound
        self._discovery = discovery
        self._now = now
        self._always = always
        self._set = LastKnownGood(
            "signing keys", self._fetch, self._believe, now=now, store=store, wait_seconds=wait_seconds
        )
        self._forced_at: float | None = None
        self._doubted = False

    async def key(self, kid: str | None, algorithm: str = RS256) -> VerificationKey:
        """Return the key called `kid` for an algorithm, or the only one there is for a token that names none.

        Raises as `opened` does.
        """
        return await self.opened(kid, algorithm, lambda key: key)

    async def check(self) -> bool:
        """Return whether metadata and keys are fresh, fetched anew where the throttle allows it.

        Raises Misconfigured where no token of this authority can be verified, AuthorityUnavailable where there is no
        telling.
        """
        fetches, arrivals = self._set.fetches, self._set.arrivals
        await self._set.get()
        if self._may_renew(fetches):
            with contextlib.suppress(AuthorityUnavailable, Misconfigured):
                await self._set.refresh()
        self._raise_if_of_no_use()
        return self._set.arrivals != arrivals

    async def opened(
        self, kid: str | None, algorithm: str, open_with: Callable[[VerificationKey], T | None]
    ) -> T:
        """Return what `open_with` makes of the key called `kid`; None from it means that the key does not fit.

        A `kid` that is unknown, a key that does not fit and an algorithm that is not listed fetch metadata and keys
        anew, once in five minutes at most, or wait for the fetch that is under way, and are refused otherwise: whoever
        makes up tokens must not make us call the authority, and whoever brings a new key's token, also one under the
        old key's name, must not depend on being the first. A failed fetch keeps the keys that there are.
        Raises TokenRejected (unknown-key, signature, algorithm), AuthorityUnavailable if there are no keys at all, and
        Misconfigured if those that the authority has now are none that we accept.
        """
        fetches, arrivals = self._set.fetches, self._set.arrivals
        keys = await self._set.get()
        opened = self._open(keys, kid, algorithm, open_with)
        if opened is None and self._may_renew(fetches):
            with contextlib.suppress(AuthorityUnavailable, Misconfigured):
                keys = await self._set.refresh()
                opened = self._open(keys, kid, algorithm, open_with)
        if opened is None:
            self._raise_if_of_no_use()
            are_fresh = self._set.arrivals != arrivals
            raise TokenRejected(self._why(keys, kid, algorithm), keys_may_be_old=not are_fresh)
        return opened

    def _open(
        self,
        keys: KeySet,
        kid: str | None,
        algorithm: str,
        open_with: Callable[[VerificationKey], T | None],
    ) -> T | None:
        key = _pick(keys, kid, algorithm) if algorithm in self._accepted else None
        return open_with(key) if key else None

    def _why(self, keys: KeySet, kid: str | None, algorithm: str) -> str:
        if algorithm not in self._accepted:
            return ALGORITHM
        return SIGNATURE if _pick(keys, kid, algorithm) else UNKNOWN_KEY

    @property
    def _accepted(self) -> frozenset[str]:
        metadata = self._discovery.last_known
        listed = metadata.signing_algorithms if metadata else {RS256}
        return (ALGORITHMS & listed) | self._always

    def _raise_if_of_no_use(self) -> None:
        """Say so where the authority has gone over to keys that we cannot use, though we remember others."""
        if isinstance(self._set.fault, Misconfigured):
            raise copy.copy(self._set.fault)

    def _may_renew(self, fetches: int) -> bool:
        """Tell whether to fetch anew, or to join a fetch; not where one has begun and ended since `fetches`."""
        return self._set.is_under_way or (fetches == self._set.fetches and self._may_force())

    def _may_force(self) -> bool:
        now = self._now()
        if self._forced_at is not None and now < self._forced_at + FORCED_SECONDS:
            return False
        self._forced_at = now
        self._doubted = True
        return True

    async def _fetch(self) -> bytes:
        metadata = await self._metadata()
        if urlsplit(metadata.jwks_uri).scheme != "https":
            raise Misconfigured(log_detail="the address of the signing keys is not https")
        return (await fetch_from_authority(self._outbound, metadata.jwks_uri)).body

    async def _metadata(self) -> AuthorityMetadata:
        """Return the metadata, new where a token gave reason to doubt ours: it may name other keys or algorithms."""
        if self._doubted:
            self._doubted = False
            with contextlib.suppress(AuthorityUnavailable, Misconfigured):
                return await self._discovery.refresh()
        return await self._discovery.metadata()

    def _believe(self, body: bytes) -> KeySet:
        """Return the keys of a set, fetched a moment or a life ago.

        Raises Misconfigured where waiting will not help: the authority has keys, and none of an accepted algorithm.
        """
        entries = _entries(body)
        accepted = self._accepted
        if not accepted:
            raise Misconfigured(
                log_detail=f"the authority signs by {self._listed()}, and we accept none of it"
            )
        keys: dict[str, list[VerificationKey]] = {}
        for key in filter(None, map(read_key, entries)):
            keys.setdefault(key.kid, []).append(key)
        if any(key.algorithms & accepted for named in keys.values() for key in named):
            return keys
        members = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in ("kty", "crv")]
        kinds, needed = _words(members), ", ".join(sorted(accepted))
        if not kinds:
            # An empty set would sign everybody out; the authority's own slip is likelier than its end.
            raise AuthorityUnavailable("the key set holds no usable key")
        raise Misconfigured(log_detail=f"the key set holds {kinds}, and no key that verifies {needed}")

    def _listed(self) -> str:
        metadata = self._discovery.last_known
        return _words(metadata.signing_algorithms if metadata else ()) or "nothing"


def _pick(keys: KeySet, kid: str | None, algorithm: str) -> VerificationKey | None:
    """Return the key of a name for an algorithm; of several the first: a set must not shadow its own keys."""
    if kid is not None:
        return next((key for key in keys.get(kid, ()) if algorithm in key.algorithms), None)
    fitting = [key for named in keys.values() for key in named if algorithm in key.algorithms]
    return fitting[0] if len(fitting) == 1 else None


def _entries(body: bytes) -> list[Any]:
    """Return the entries of a JWK set (RFC 7517, section 5), a thousand at most."""
    try:
        document = load_strict_json(body)
    except NotStrictJson as error:
        raise AuthorityUnavailable(f"key set: {error}") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise AuthorityUnavailable("key set: no list of keys")
    return entries[:_MOST_KEYS]


def _words(values: Iterable[object]) -> str:
    """Return what names a kind of key or an algorithm, fit for a log; foreign text of another form is left out."""
    words = {value for value in values if isinstance(value, str) and _WORD.fullmatch(value)}
    return ", ".join(sorted(words)[:_MOST_NAMED])
