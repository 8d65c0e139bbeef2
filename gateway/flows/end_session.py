"""The authority's own end of a session: where it is, and from which pages it may show ours.

Owns the address of OpenID Connect RP-Initiated Logout 1.0, section 2, and what stands in for it without metadata.
Never ends a session of ours, and never fails because of the authority: whoever signs out is signed out here already.
"""

import logging
from urllib.parse import urlencode, urlsplit

from gateway.session.sessions import LiveSession
from gateway.settings import Settings
from servicekit.discovery import Discovery
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.logs import log_event

_log = logging.getLogger(__name__)


async def end_session_url(discovery: Discovery, settings: Settings, session: LiveSession | None) -> str:
    """Return where to send the browser after signing out; `session` is the one that ended, if there was one.

    Without metadata it is our own first page: the person is signed out here, and the authority keeps its session.
    Entra's `logout_hint` takes only the opaque `login_hint` claim; the ID token is never put into a URL.
    """
    home = f"{settings.public_url}/"
    try:
        endpoint = (await discovery.metadata()).end_session_endpoint
    except (AuthorityUnavailable, Misconfigured) as error:
        log_event(_log, logging.WARNING, "sign-out-without-authority", fault_kind=type(error).__name__)
        return home
    if endpoint is None:
        return home
    query = {"post_logout_redirect_uri": home, "client_id": settings.client_id}
    hint = session.user.claims.get("login_hint") if session else None
    if isinstance(hint, str) and hint:
        query["logout_hint"] = hint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


async def authority_origins(discovery: Discovery, settings: Settings) -> list[str]:
    """Return the authority's origins, sorted: those that may show our logout page in a frame."""
    metadata = await discovery.metadata_if_known()
    endpoint = metadata.end_session_endpoint if metadata else None
    return sorted({_origin(url) for url in (settings.discovery_url, endpoint) if url})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
