"""The only door to MSAL: a client per use, in a thread of its own pool.

Owns the pool, who may wait for a thread and how long, the circuit breaker before the token endpoint, the credential
and the way an MSAL client is built.
Never reads what MSAL answers: that is the business of the service that asked.

Why a client per use: MSAL's throttle keys token requests without the code or the assertion, so that a shared
client replays one person's failure, and even one person's tokens, to the next
(docs/explanation/decisions/2026-11-21-msal-client-per-use.md).
Why a pool of our own: blocking calls in the default executor starve `getaddrinfo` for the whole process.
Why a breaker: an authority that is slow holds a thread for ten seconds a call; once that is known, nobody else waits.
"""

import asyncio
import functools
import logging
import math
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msal
from msal.oauth2cli import JwtAssertionCreator

from servicekit.authority_transport import AuthorityTransport
from servicekit.breaker import BreakerOpen, CircuitBreaker
from servicekit.client_credential import CertificateKey, Credential
from servicekit.discovery import AuthorityMetadata, Discovery
from servicekit.errors import AuthorityUnavailable
from servicekit.federated_token import FederatedToken
from servicekit.logs import log_event

T = TypeVar("T")

THREADS: Final = 12
MOST_WAITING: Final = 400
PLACE_SECONDS: Final = 5
# More than the transport's time-outs together: only an answer whose head trickles takes longer.
CALL_SECONDS: Final = 20
FAILURES: Final = 5
OPEN_SECONDS: Final = 3
LONGEST_HOLD: Final = 60
_OFFLINE: Final = "offline_access"
# Beside `openid`, without which nothing works.
_ADDED: Final = frozenset({_OFFLINE, "profile"})

_log = logging.getLogger(__name__)


def new_token_cache(serialized: str | None = None) -> msal.SerializableTokenCache:
    """Return an MSAL token cache, filled from `serialized` where given."""
    cache = msal.SerializableTokenCache()
    if serialized:
        cache.deserialize(serialized)
    return cache


class KeepsNothing(msal.TokenCache):  # type: ignore[misc] # msal ships no types
    """A cache for on-behalf-of: MSAL would file tokens under the person, whatever assertion came in."""

    def add(self, event: dict[str, Any], now: float | None = None) -> None:
        """Drop what MSAL wants to remember."""


class EntraClient:
    """Runs MSAL calls for one app registration; safe to use from many requests at once.

    `is_plain` says that the authority is not Entra, under whatever name.
    `authority` is Entra's (`https://{sub}.ciamlogin.com/`), `oidc_authority` any OpenID provider's issuer;
    exactly one is given. `credential` is asked for at every call, so it may change; `now` is a monotonic clock.
    `offline_access` says whether refresh tokens are wanted: whoever keeps none should not be sent any. Where the
    metadata lists the scopes that the authority knows, those of MSAL's own that are not among them are left out, unless
    `insist_on` names them: the list need not be complete (OpenID Connect Discovery 1.0, section 3).

    After five failures in a row, or for as long as the authority asks (`Retry-After`, a minute at most), calls are
    refused at once; then one call finds out, and its success lets everyone in again. `on_pause` is called with True
    when that begins, and with False when it is over.
    A call waits `place_seconds` for a thread while all are taken, and is refused then.
    """

    def __init__(
        self,
        *,
        client_id: str,
        credential: Callable[[], Credential],
        transport: AuthorityTransport,
        discovery: Discovery,
        authority: str | None = None,
        oidc_authority: str | None = None,
        is_plain: bool = False,
        offline_access: bool = True,
        insist_on: Collection[str] = (),
        now: Callable[[], float] = time.monotonic,
        on_pause: Callable[[bool], None] | None = None,
        place_seconds: float = PLACE_SECONDS,
    ) -> None:
        self.is_plain = is_plain
        self._offline_access = offline_access
        self._insist_on = frozenset(insist_on)
        self._client_id = client_id
        self._transport = transport
        self._discovery = discovery
        self._where = (
            {"authority": authority, "instance_discovery": False}
            if authority
            else {"oidc_authority": _for_msal_authority(oidc_authority or "")}
        )
        self._credential = credential
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="msal")
        self._places = asyncio.Semaphore(THREADS)
        self._place_seconds = place_seconds
        self._waiting = 0
        self._breaker = CircuitBreaker(
            now=now, failures=FAILURES, open_seconds=OPEN_SECONDS, on_turn=on_pause
        )

    async def call(
        self,
        work: Callable[[Any], T],
        cache: msal.TokenCache | None = None,
        *,
        refreshing: bool = False,
        offline: bool = False,
    ) -> T:
        """Run `work(client)` in the pool and return its value.

        `cache` is read and written by this call alone; without one nothing is kept. `refreshing` is for the use of a
        refresh token: a plain provider that dropped `offline_access` from the grant (OpenID Connect Core, section 11)
        must not be asked for it again (RFC 6749, section 6). `offline` says that `work` asks the authority nothing:
        it is refused while others are, as what it prepares would fail, and its success proves nothing.
        Raises AuthorityUnavailable, also when nothing was asked because the authority failed a moment ago or too many
        calls are waiting; IssuerMismatch; otherwise what `work` raises.
        A cancelled caller stops waiting, the call itself runs on: whoever must not lose its result shields it.
        """
        self._refuse_while_open()
        metadata = await self._discovery.metadata()
        await self._take_place()
        left_out = self._left_out(metadata, refreshing=refreshing)
        run = functools.partial(self._run, work, cache or KeepsNothing(), metadata.document, left_out)
        try:
            if offline and not self._breaker.is_open:
                return await self._in_thread(run)
            with self._breaker.attempt(_is_outage):
                return await self._in_thread(run)
        except BreakerOpen:
            self._places.release()
            raise self._refusal() from None
        except AuthorityUnavailable as error:
            self._note(error)
            raise

    def _left_out(self, metadata: AuthorityMetadata, *, refreshing: bool) -> list[str]:
        """Return which of the scopes that MSAL adds by itself are not asked for."""
        if (refreshing and self.is_plain) or not self._offline_access:
            return [_OFFLINE]
        if metadata.scopes is None:
            return []
        # Some refuse the whole request for a scope that they do not know (Google, Cognito).
        return sorted(_ADDED - metadata.scopes - self._insist_on)

    def close(self) -> None:
        """Let running calls finish and refuse new ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    def _refuse_while_open(self) -> None:
        if self._breaker.is_open:
            raise self._refusal()

    def _refusal(self) -> AuthorityUnavailable:
        wait = max(1, math.ceil(self._breaker.seconds_left))
        return AuthorityUnavailable("token requests failed a moment ago", retry_after=wait)

    async def _take_place(self) -> None:
        """Wait for a thread, not without end: whoever has it would wait for the authority as well."""
        if self._waiting >= MOST_WAITING:
            raise AuthorityUnavailable("too many token requests are waiting", retry_after=2)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._place_seconds):
                await self._places.acquire()
        except TimeoutError as error:
            raise AuthorityUnavailable("token requests are slow, and all threads taken") from error
        finally:
            self._waiting -= 1

    async def _in_thread(self, run: Callable[[], T]) -> T:
        """Run in the pool; the place is given back when the thread is done, whoever still waits for it."""
        future = asyncio.get_running_loop().run_in_executor(self._pool, run)
        future.add_done_callback(self._done)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise AuthorityUnavailable("a token request takes too long") from error

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._places.release()
        if not future.cancelled():
            future.exception()  # whoever waited has it; nobody may be left to ask

    def _note(self, error: AuthorityUnavailable) -> None:
        """Do as the authority asks, for everybody, and tell when nobody is let through any more."""
        if error.retry_after:
            self._breaker.hold(min(error.retry_after, LONGEST_HOLD))
        if self._breaker.is_open:
            seconds = round(self._breaker.seconds_left, 1)
            log_event(_log, logging.WARNING, "token-requests-paused", reason=error.reason, seconds=seconds)

    def _run(self, work: Callable[[Any], T], cache: msal.TokenCache, document: str, left_out: list[str]) -> T:
        client = msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=_for_msal(self._credential()),
            token_cache=cache,
            http_client=self._transport.with_metadata(document),
            exclude_scopes=left_out or None,
            **self._where,
        )
        return work(client)


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, AuthorityUnavailable)


def _for_msal_authority(issuer: str) -> str:
    """Return the issuer as MSAL takes it: without a slash at the end, and never without a path.

    MSAL wants a segment of path, for a tenant; many providers have none. A dot is one, and is gone when the address
    of the metadata is made (RFC 3986, section 5.2.4).
    """
    bare = issuer.rstrip("/")
    return bare if urlsplit(bare).path else f"{bare}/."


def _for_msal(credential: Credential) -> str | dict[str, Any]:
    """Return MSAL's form of a credential."""
    if isinstance(credential, FederatedToken):
        # Asked for by MSAL at each token request, in the thread that makes it.
        return {"client_assertion": lambda _context: credential()}
    if not isinstance(credential, CertificateKey):
        return credential
    creator = JwtAssertionCreator(credential.key, algorithm="PS256", sha256_thumbprint=credential.thumbprint)

    def assertion(context: dict[str, str]) -> bytes:
        signed: bytes = creator.create_normal_assertion(
            audience=context["token_endpoint"], issuer=context["client_id"]
        )
        return signed

    return {"client_assertion": assertion}
