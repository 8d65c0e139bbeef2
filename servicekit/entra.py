"""The only door to MSAL: a client per use, in a thread of its own pool.

Owns the pool, its bound, the credential and the way an MSAL client is built.
Never reads what MSAL answers: that is the business of the service that asked.

Why a client per use: MSAL's throttle keys token requests without the code or the assertion, so that a shared
client replays one person's failure, and even one person's tokens, to the next
(docs/decisions/2026-11-21-msal-client-per-use.md).
Why a pool of our own: blocking calls in the default executor starve `getaddrinfo` for the whole process.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import msal
from msal.oauth2cli import JwtAssertionCreator

from servicekit.authority_transport import AuthorityTransport, AuthorityUnavailable
from servicekit.client_credential import CertificateKey, Credential

T = TypeVar("T")

THREADS: Final = 12
MOST_WAITING: Final = 400


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
    exactly one is given. `credential` is asked for at every call, so it may change.
    """

    def __init__(
        self,
        *,
        client_id: str,
        credential: Callable[[], Credential],
        transport: AuthorityTransport,
        authority: str | None = None,
        oidc_authority: str | None = None,
        is_plain: bool = False,
    ) -> None:
        self.is_plain = is_plain
        self._client_id = client_id
        self._transport = transport
        self._where = (
            {"authority": authority, "instance_discovery": False}
            if authority
            else {"oidc_authority": _for_msal_authority(oidc_authority or "")}
        )
        self._credential = credential
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="msal")
        self._waiting = 0

    async def call(
        self,
        work: Callable[[Any], T],
        cache: msal.TokenCache | None = None,
        *,
        refreshing: bool = False,
    ) -> T:
        """Run `work(client)` in the pool and return its value.

        `cache` is read and written by this call alone; without one nothing is kept. `refreshing` is for the use of a
        refresh token: a plain provider that dropped `offline_access` from the grant (OpenID Connect Core, section 11)
        must not be asked for it again (RFC 6749, section 6).
        Raises AuthorityUnavailable, also when too many calls are waiting; otherwise what `work` raises.
        A cancelled caller stops waiting, the call itself runs on: whoever must not lose its result shields it.
        """
        if self._waiting >= MOST_WAITING:
            raise AuthorityUnavailable("too many token requests are waiting", retry_after=2)
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(
            self._pool,
            functools.partial(
                self._work, work, cache or KeepsNothing(), without_offline=refreshing and self.is_plain
            ),
        )
        future.add_done_callback(self._done)
        return await future

    def close(self) -> None:
        """Let running calls finish and refuse new ones."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    def _done(self, _future: asyncio.Future[Any]) -> None:
        self._waiting -= 1

    def _work(self, work: Callable[[Any], T], cache: msal.TokenCache, *, without_offline: bool) -> T:
        client = msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=_for_msal(self._credential()),
            token_cache=cache,
            http_client=self._transport,
            exclude_scopes=["offline_access"] if without_offline else None,
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


def _for_msal(credential: Credential) -> str | dict[str, Any]:
    """Return MSAL's form of a credential."""
    if not isinstance(credential, CertificateKey):
        return credential
    creator = JwtAssertionCreator(credential.key, algorithm="PS256", sha256_thumbprint=credential.thumbprint)

    def assertion(context: dict[str, str]) -> bytes:
        signed: bytes = creator.create_normal_assertion(
            audience=context["token_endpoint"], issuer=context["client_id"]
        )
        return signed

    return {"client_assertion": assertion}
