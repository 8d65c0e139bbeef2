"""The authority's metadata (OpenID Connect Discovery 1.0): where its endpoints are and what it calls itself.

Owns the fetching, the judging and the remembering of the discovery document.
Never follows the document to another issuer: the configuration says who is expected, and a document that says
otherwise is refused, so that no answer on the network can move trust.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.last_known_good import KnownGoodStore, LastKnownGood
from servicekit.logs import log_event
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply
from servicekit.strict_json import NotStrictJson, load_strict_json

FETCH_SECONDS: Final = 3
_OK: Final = 200

_log = logging.getLogger(__name__)


class IssuerMismatch(Misconfigured):
    """The document names another issuer than the configuration: a wrong tenant id, or a wrong address."""


@dataclass(frozen=True, slots=True)
class AuthorityMetadata:
    """What is used of a discovery document."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None
    promises_issuer: bool = False
    """Authorization responses name their issuer (RFC 9207, section 3)."""
    signing_algorithms: frozenset[str] = frozenset({"RS256"})
    """What ID tokens may be signed by (OpenID Connect Discovery 1.0, section 3)."""
    scopes: frozenset[str] | None = None
    """The scopes that it says it knows; None where it does not say."""
    document: str = field(default="", compare=False, repr=False)
    """All of it, for MSAL, which reads it by itself."""


def ciam_discovery_url(subdomain: str, tenant_id: str | None = None) -> str:
    """Return where an External ID tenant publishes its metadata; the tenant id may stand for its name."""
    tenant = quote(tenant_id or f"{subdomain}.onmicrosoft.com", safe="")
    return f"https://{subdomain}.ciamlogin.com/{tenant}/v2.0/.well-known/openid-configuration"


def ciam_issuer(tenant_id: str) -> str:
    """Return the issuer of an External ID tenant; its host is the tenant id, not the subdomain."""
    return f"https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0"


class Discovery:
    """Answers with the authority's metadata, the last known good where the authority is away.

    `url` is the whole well-known URL and `issuer` the exact issuer expected; `now` is a monotonic clock. `store` keeps
    the document for a later life.
    """

    def __init__(
        self,
        outbound: Outbound,
        *,
        url: str,
        issuer: str,
        now: Callable[[], float] = time.monotonic,
        store: KnownGoodStore | None = None,
    ) -> None:
        self._outbound = outbound
        self._url = url
        self._issuer = issuer
        self._last: AuthorityMetadata | None = None
        self._document = LastKnownGood("authority metadata", self._fetch, self._believe, now=now, store=store)

    async def metadata(self) -> AuthorityMetadata:
        """Return the metadata; at most one fetch runs, and only the first use and a day-old copy wait for it.

        Raises AuthorityUnavailable if it was never fetched, IssuerMismatch if it never named our issuer.
        """
        return await self._document.get()

    @property
    def last_known(self) -> AuthorityMetadata | None:
        """The metadata that was believed last, None before; asking fetches nothing."""
        return self._last

    async def refresh(self) -> AuthorityMetadata:
        """Fetch the metadata now, for whoever has reason to doubt it, and may do so seldom.

        Raises as `metadata` does, also while there is an older copy.
        """
        return await self._document.refresh()

    async def metadata_if_known(self) -> AuthorityMetadata | None:
        """Return the metadata, or None while none can be had: for whoever can do without."""
        try:
            return await self.metadata()
        except (AuthorityUnavailable, Misconfigured):
            return None

    async def _fetch(self) -> bytes:
        return (await fetch_from_authority(self._outbound, self._url)).body

    def _believe(self, document: bytes) -> AuthorityMetadata:
        """Return the metadata that a document tells, fetched a moment or a life ago."""
        metadata = _read(document)
        if metadata.issuer != self._issuer:
            log_event(
                _log,
                logging.ERROR,
                "issuer-mismatch",
                expected=self._issuer,
                named=metadata.issuer[:200],
                url=self._url,
            )
            raise IssuerMismatch(
                log_detail="the discovery document names another issuer than the configuration"
            )
        if self._last not in (None, metadata):
            # Endpoints may move, but nobody should learn of it from a person's complaint.
            log_event(
                _log, logging.WARNING, "authority-metadata-changed", token_endpoint=metadata.token_endpoint
            )
        self._last = metadata
        return metadata


async def fetch_from_authority(outbound: Outbound, url: str) -> Reply:
    """Return a 200 reply of the authority within three seconds; raises AuthorityUnavailable for all else."""
    try:
        reply = await outbound.send(
            "GET", url, headers={"Accept": "application/json"}, timeout_seconds=FETCH_SECONDS
        )
    except OutboundError as error:
        raise AuthorityUnavailable(error.reason) from error
    if reply.status != _OK:
        raise AuthorityUnavailable(f"status {reply.status}", retry_after=reply.retry_after)
    return reply


def _read(body: bytes) -> AuthorityMetadata:
    try:
        document = load_strict_json(body)
    except NotStrictJson as error:
        raise AuthorityUnavailable(f"discovery document: {error}") from error
    if not isinstance(document, dict):
        raise AuthorityUnavailable("discovery document: not an object")

    def url_of(name: str) -> str:
        value = document.get(name)
        if not isinstance(value, str) or not _is_url(value):
            raise AuthorityUnavailable(f"discovery document: no usable {name}")
        return value

    return AuthorityMetadata(
        issuer=url_of("issuer"),
        jwks_uri=url_of("jwks_uri"),
        authorization_endpoint=url_of("authorization_endpoint"),
        token_endpoint=url_of("token_endpoint"),
        end_session_endpoint=url_of("end_session_endpoint") if document.get("end_session_endpoint") else None,
        promises_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        signing_algorithms=_signing_algorithms(document),
        scopes=_listed(document, "scopes_supported") or None,
        document=body.decode(),
    )


def _signing_algorithms(document: Mapping[str, Any]) -> frozenset[str]:
    """Return what the document lists; of one that lists nothing, what every provider must know."""
    return _listed(document, "id_token_signing_alg_values_supported") or frozenset({"RS256"})


def _listed(document: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the texts of a list; none where there is no such list."""
    listed = document.get(name)
    return (
        frozenset(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else frozenset()
    )


def _is_url(text: str) -> bool:
    if not text.isascii() or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname)
