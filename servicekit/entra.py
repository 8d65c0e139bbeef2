"""The only door to MSAL: a client per use, in a thread of its purpose where it asks the authority.

Owns the credential, the way an MSAL client is built, and which share of threads a call runs in.
MSAL is imported at its first use, in a thread: a sixth of a second and 7 MB that nobody's start waits for.
Never reads what MSAL answers: that is the business of the service that asked.

Why a client per use: MSAL's throttle keys token requests without the code or the assertion, so that a shared
client replays one person's failure, and even one person's tokens, to the next
(docs/explanation/decisions/2026-11-21-msal-client-per-use.md).
"""

import asyncio
import functools
import json
import sys
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from servicekit.authority_transport import AuthorityTransport, MetadataOnly
from servicekit.client_credential import CertificateKey, Credential
from servicekit.discovery import AuthorityMetadata, Discovery
from servicekit.federated_token import FederatedToken
from servicekit.token_threads import SIGN_IN, Purpose, TokenThreads

if TYPE_CHECKING:
    import msal

T = TypeVar("T")

_OFFLINE: Final = "offline_access"
# Beside `openid`, without which nothing works.
_ADDED: Final = frozenset({_OFFLINE, "profile"})


@functools.cache
def import_msal() -> Any:
    """Import MSAL and return it; whoever has time for that before it is needed, such as before a fork, calls this."""
    import msal  # noqa: PLC0415 - see above

    # Each client looks for this package, to warn of an old one; a module that is None is known not to be there, without
    # a walk over the file system under the interpreter's lock for imports.
    sys.modules.setdefault("msal_extensions", None)  # type: ignore[arg-type] # the language reference, 5.3.1
    return msal


async def _msal() -> Any:
    """Return MSAL, without stopping the loop for its import."""
    return import_msal() if import_msal.cache_info().currsize else await asyncio.to_thread(import_msal)


async def new_token_cache(serialized: str | None = None) -> "msal.SerializableTokenCache":
    """Return an MSAL token cache, filled from `serialized` where given."""
    await _msal()
    cache: msal.SerializableTokenCache = _short_cache()()
    if serialized:
        cache.deserialize(serialized)
    return cache


@functools.cache
def _short_cache() -> type[Any]:
    """Return MSAL's cache, which is written without blanks: those take it the longest, by an encoder in Python."""
    key_makers = import_msal().SerializableTokenCache().key_makers

    class ShortCache(import_msal().SerializableTokenCache):  # type: ignore[misc] # msal ships no types
        def __init__(self) -> None:
            super().__init__()
            # Each cache makes functions of its own, which say the same and hold it: only the collector would free it.
            self.key_makers = key_makers

        def serialize(self) -> str:
            """Return what the cache holds, as MSAL reads it."""
            with self._lock:
                self.has_state_changed = False
                return json.dumps(self._cache, separators=(",", ":"))

    return ShortCache


@functools.cache
def _keeps_nothing() -> type[Any]:
    """Return a cache for on-behalf-of: MSAL would file tokens under the person, whatever assertion came in."""

    class KeepsNothing(import_msal().TokenCache):  # type: ignore[misc] # msal ships no types
        def add(self, event: dict[str, Any], now: float | None = None) -> None:
            """Drop what MSAL wants to remember."""

    return KeepsNothing


class EntraClient:
    """Runs MSAL calls for one app registration; safe to use from many requests at once.

    `is_plain` says that the authority is not Entra, under whatever name.
    `authority` is Entra's (`https://{sub}.ciamlogin.com/`), `oidc_authority` any OpenID provider's issuer;
    exactly one is given. `credential` is asked for at every call, so it may change; `now` is a monotonic clock.
    `offline_access` says whether refresh tokens are wanted: whoever keeps none should not be sent any. Where the
    metadata lists the scopes that the authority knows, those of MSAL's own that are not among them are left out, unless
    `insist_on` names them: the list need not be complete (OpenID Connect Discovery 1.0, section 3).

    Each purpose has a share of threads, with a breaker of its own (`TokenThreads`), whose `on_pause` is handed on.
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
        self._now = now
        self._on_pause = on_pause
        self._threads: dict[str, TokenThreads] = {}
        self._takes_no_more = False
        self._preparing: tuple[tuple[str, list[str]], Any] | None = None

    async def call(
        self,
        work: Callable[[Any], T],
        cache: "msal.TokenCache | None" = None,
        *,
        purpose: Purpose,
        who: object = None,
        refreshing: bool = False,
    ) -> T:
        """Run `work(client)`, which asks the authority, in a thread of its purpose, and return its value.

        `cache` is read and written by this call alone; without one nothing is kept. `who` is whom a 429 is about: a
        session, a person; None for a call that is its own. `refreshing` is for the use of a refresh token: a plain
        provider that dropped `offline_access` from the grant (OpenID Connect Core, section 11) must not be asked for
        it again (RFC 6749, section 6).
        Raises Overloaded where our own threads are taken, AuthorityNotAsked where nothing was asked as the authority
        failed a moment ago, AuthorityUnavailable, AuthorityThrottles, IssuerMismatch; otherwise what `work` raises.
        A cancelled caller stops waiting, the call itself runs on: whoever must not lose its result shields it.
        """
        threads = self._threads_for(purpose)
        threads.refuse_while_paused()
        metadata = await self._discovery.metadata()
        left_out = self._left_out(metadata, refreshing=refreshing)
        await _msal()
        run = functools.partial(
            self._run, work, cache or _keeps_nothing()(), metadata.document, left_out, self._credential
        )
        return await threads.run(run, who=object() if who is None else who)

    async def prepare(self, work: Callable[[Any], T]) -> T:
        """Run `work(client)`, which asks nobody and needs no credential, and return its value.

        It takes no thread and no place, as nothing of it blocks. Its client can ask nobody, keeps nothing and has no
        credential, so nobody is given anything of anybody else: it is made once for the metadata of now. It is refused
        while sign-ins are, as what it prepares would fail. Raises AuthorityNotAsked, AuthorityUnavailable where there
        is no metadata, IssuerMismatch; otherwise what `work` raises, and what MSAL raises of the metadata.
        """
        self._threads_for(SIGN_IN).refuse_while_paused()
        metadata = await self._discovery.metadata()
        left_out = self._left_out(metadata, refreshing=False)
        await _msal()
        made_for = (metadata.document, left_out)
        if self._preparing is None or self._preparing[0] != made_for:
            http = MetadataOnly(metadata.document)
            self._preparing = made_for, self._client(_keeps_nothing()(), http, left_out, None)
        return work(self._preparing[1])

    def take_no_more(self) -> None:
        """Refuse new calls and those that wait for a thread; those that have one end as they would."""
        self._takes_no_more = True
        for threads in self._threads.values():
            threads.take_no_more()

    def close(self) -> None:
        """Let running calls finish and refuse new ones."""
        for threads in self._threads.values():
            threads.close()
        self._transport.close()

    def _threads_for(self, purpose: Purpose) -> TokenThreads:
        if purpose.name not in self._threads:
            threads = TokenThreads(purpose, now=self._now, on_pause=self._on_pause)
            self._threads[purpose.name] = threads
            if self._takes_no_more:
                threads.take_no_more()
        return self._threads[purpose.name]

    def _left_out(self, metadata: AuthorityMetadata, *, refreshing: bool) -> list[str]:
        """Return which of the scopes that MSAL adds by itself are not asked for."""
        if (refreshing and self.is_plain) or not self._offline_access:
            return [_OFFLINE]
        if metadata.scopes is None:
            return []
        # Some refuse the whole request for a scope that they do not know (Google, Cognito).
        return sorted(_ADDED - metadata.scopes - self._insist_on)

    def _run(
        self,
        work: Callable[[Any], T],
        cache: "msal.TokenCache",
        document: str,
        left_out: list[str],
        credential: Callable[[], Credential],
    ) -> T:
        client = self._client(cache, self._transport.with_metadata(document), left_out, credential())
        try:
            return work(client)
        finally:
            _take_apart(client)

    def _client(
        self,
        cache: "msal.TokenCache",
        http: MetadataOnly,
        left_out: list[str],
        credential: Credential | None,
    ) -> Any:
        return import_msal().ConfidentialClientApplication(
            self._client_id,
            client_credential=_for_msal(credential),
            token_cache=cache,
            http_client=http,
            exclude_scopes=left_out or None,
            **self._where,
        )


def _take_apart(client: Any) -> None:
    """Let go of all that a client holds which is used no more.

    What it is made of refers to itself: the collector alone would free it, and everybody waits while that works.
    """
    vars(client.http_client).clear()
    vars(client).clear()


def _for_msal_authority(issuer: str) -> str:
    """Return the issuer as MSAL takes it: without a slash at the end, and never without a path.

    MSAL wants a segment of path, for a tenant; many providers have none. A dot is one, and is gone when the address
    of the metadata is made (RFC 3986, section 5.2.4).
    """
    bare = issuer.rstrip("/")
    return bare if urlsplit(bare).path else f"{bare}/."


def _for_msal(credential: Credential | None) -> str | dict[str, Any] | None:
    """Return MSAL's form of a credential."""
    if isinstance(credential, FederatedToken):
        # Asked for by MSAL at each token request, in the thread that makes it.
        return {"client_assertion": lambda _context: credential()}
    if not isinstance(credential, CertificateKey):
        return credential
    creator = import_msal().oauth2cli.JwtAssertionCreator(
        credential.key, algorithm="PS256", sha256_thumbprint=credential.thumbprint
    )

    def assertion(context: dict[str, str]) -> bytes:
        signed: bytes = creator.create_normal_assertion(
            audience=context["token_endpoint"], issuer=context["client_id"]
        )
        return signed

    return {"client_assertion": assertion}
