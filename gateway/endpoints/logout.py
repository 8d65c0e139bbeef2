"""The ends of a session: `/auth/sign-out` and `/auth/frontchannel-logout`.

Owns what is told to the browser and to the authority.
Never lets the authority's health decide whether somebody is signed out: the session is gone first.
"""

import logging
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import hdrs, web

from gateway.app_keys import DISCOVERY, SESSIONS, SETTINGS
from gateway.edge.guard import Policy, Route
from gateway.session.sessions import LiveSession
from servicekit.authority_transport import AuthorityUnavailable
from servicekit.discovery import IssuerMismatch
from servicekit.logs import log_event

_log = logging.getLogger(__name__)


async def sign_out(request: web.Request) -> web.Response:
    """End the session, then say where the authority ends its own; without a session the same, again and again.

    Raises SessionStoreUnavailable also where a failover could still undo it: the cookie is kept, to ask again with.
    """
    session = await request.app[SESSIONS].find(request)
    if session is not None:
        await request.app[SESSIONS].end(session, "signed-out", line=True)
        log_event(_log, logging.INFO, "signed-out", session=session.ref.short)
    else:
        await request.app[SESSIONS].confirm_end(request)
    await request.app[SESSIONS].unbind(request)
    return web.json_response(
        {"redirect": await _end_session_url(request, session)},
        headers={"Clear-Site-Data": '"cache", "storage"', hdrs.CACHE_CONTROL: "no-store"},
    )


async def _end_session_url(request: web.Request, session: LiveSession | None) -> str:
    """Return the authority's end-session address (OpenID Connect RP-Initiated Logout 1.0, section 2).

    Without metadata it is our own first page: the person is signed out here, and the authority keeps its session.
    Entra's `logout_hint` takes only the opaque `login_hint` claim; the ID token is never put into a URL.
    """
    home = f"{request.app[SETTINGS].public_url}/"
    try:
        endpoint = (await request.app[DISCOVERY].metadata()).end_session_endpoint
    except (AuthorityUnavailable, IssuerMismatch) as error:
        log_event(_log, logging.WARNING, "sign-out-without-authority", fault_kind=type(error).__name__)
        return home
    if endpoint is None:
        return home
    query = {"post_logout_redirect_uri": home, "client_id": request.app[SETTINGS].client_id}
    hint = session.user.claims.get("login_hint") if session else None
    if isinstance(hint, str) and hint:
        query["logout_hint"] = hint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


async def frontchannel_logout(request: web.Request) -> web.Response:
    """End the sessions of the authority's `sid` (OpenID Connect Front-Channel Logout 1.0).

    Called in an iframe of the authority's sign-out page, so without our cookie; Entra sends `sid` and no `iss`.
    The answer is the same whether there was a session or not. The caller proves nothing, so nothing is revoked at
    the authority.
    """
    settings = request.app[SETTINGS]
    sids = request.query.getall("sid", [])
    issuers = request.query.getall("iss", [settings.issuer])
    if len(sids) == 1 and 0 < len(sids[0]) <= _LONGEST_SID and issuers == [settings.issuer]:
        ended = await request.app[SESSIONS].end_matching(
            tid=settings.tenant_id or settings.issuer, sid=sids[0], reason="signed-out"
        )
        log_event(_log, logging.INFO, "frontchannel-logout", sessions=ended)
    return web.Response(
        text="<!doctype html><title>Signed out</title>",
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "no-store",
            "Content-Security-Policy": f"default-src 'none'; frame-ancestors {await _framers(request)}",
        },
    )


_LONGEST_SID: Final = 128


async def _framers(request: web.Request) -> str:
    """Return the origins that may show our logout page in a frame: the authority's."""
    origins = {_origin(request.app[SETTINGS].discovery_url)}
    try:
        endpoint = (await request.app[DISCOVERY].metadata()).end_session_endpoint
    except (AuthorityUnavailable, IssuerMismatch):
        endpoint = None
    if endpoint:
        origins.add(_origin(endpoint))
    return " ".join(sorted(origins))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


ROUTES: Final = (
    Route(hdrs.METH_POST, "/auth/sign-out", sign_out, Policy.JSON),
    Route(hdrs.METH_GET, "/auth/frontchannel-logout", frontchannel_logout, Policy.FRAMED),
)
