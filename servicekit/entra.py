"""The only door to MSAL: a client per use, in a thread of its purpose where it asks the authority.

Owns the credential, the way an MSAL client is built, and which share of threads a call runs in.
Never reads what MSAL answers: that is the business of the service that asked.

Why a client per use: MSAL's throttle keys token requests without the code or the assertion, so that a shared
client replays one person's failure, and even one person's tokens, to the next
(docs/explanation/decisions/2026-11-21-msal-client-per-use.md).
"""

import functools
import time
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msal
from msal.oauth2cli import JwtAssertionCreator

from servicekit.authority_transport import AuthorityTransport
from servicekit.client_credential import CertificateKey, Credential
from servicekit.discovery import AuthorityMetadata, Discovery
from servicekit.federated_token import FederatedToken
from servicekit.token_threads import SIGN_IN, Purpose, TokenThreads

T = TypeVar("T")

_OFFLINE: Final = "offline_access"
# Beside `openid`, without which nothing works.
_ADDED: Final = frozenset({_OFFLINE, "profile"})


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

    async def call(
        self,
        work: Callable[[Any], T],
        cache: msal.TokenCache | None = None,
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
        run = functools.partial(
            self._run, work, cache or KeepsNothing(), metadata.document, left_out, self._credential
        )
        return await threads.run(run, who=object() if who is None else who)

    async def prepare(self, work: Callable[[Any], T]) -> T:
        """Run `work(client)`, which asks nobody and needs no credential, and return its value.

        It takes no thread and no place: a client is built in a tenth of a millisecond, and nothing of it blocks. It is
        refused while sign-ins are, as what it prepares would fail. Raises AuthorityNotAsked, AuthorityUnavailable
        where there is no metadata, IssuerMismatch; otherwise what `work` raises.
        """
        self._threads_for(SIGN_IN).refuse_while_paused()
        metadata = await self._discovery.metadata()
        left_out = self._left_out(metadata, refreshing=False)
        return self._run(work, KeepsNothing(), metadata.document, left_out, lambda: None)

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
        cache: msal.TokenCache,
        document: str,
        left_out: list[str],
        credential: Callable[[], Credential | None],
    ) -> T:
        client = msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=_for_msal(credential()),
            token_cache=cache,
            http_client=self._transport.with_metadata(document),
            exclude_scopes=left_out or None,
            **self._where,
        )
        return work(client)


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
    creator = JwtAssertionCreator(credential.key, algorithm="PS256", sha256_thumbprint=credential.thumbprint)

    def assertion(context: dict[str, str]) -> bytes:
        signed: bytes = creator.create_normal_assertion(
            audience=context["token_endpoint"], issuer=context["client_id"]
        )
        return signed

    return {"client_assertion": assertion}
