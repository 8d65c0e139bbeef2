"""The ends of a session: by the person (`/auth/sign-out`), and by the authority, through the front or the back channel.

Owns what is told to the browser and to the authority, and that a logout token counts once.
Never lets the authority's health decide whether somebody can sign out: the session is gone first. The back channel
needs the authority's keys, and answers 503 without them.
The back channel is off unless GATEWAY_BACKCHANNEL_LOGOUT says otherwise: Entra External ID does not call it.

Sources: OpenID Connect RP-Initiated, Front-Channel and Back-Channel Logout 1.0.
"""

import logging
from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field

from gateway.app_keys import CLOCK, DISCOVERY, LOGOUT_TOKENS, SESSIONS, SETTINGS, VAULT
from gateway.edge.forms import FORM, read_form
from gateway.edge.guard import RequestKind, Route
from gateway.endpoints.answers import LogoutRequest, SignedOut
from gateway.errors import SessionStoreUnavailable
from gateway.flows.end_session import authority_origins, end_session_url
from gateway.flows.logout_token import FRESH_SECONDS, LEEWAY_SECONDS
from gateway.store.names import digest_of
from gateway.store.single_records import SingleRecords
from servicekit.errors import AuthorityUnavailable, BadRequest
from servicekit.logs import log_event
from servicekit.operations import Operation, Parameter, RequestBody, Response

_LONGEST_SID: Final = 128
# From the earliest moment at which a token is believed to the last one.
_REMEMBERED_SECONDS: Final = FRESH_SECONDS + 2 * LEEWAY_SECONDS + 1

_log = logging.getLogger(__name__)


async def sign_out(request: web.Request) -> web.Response:
    """End the session first, then name the authority's end-session address for the client to navigate to.

    Works without a session and while the authority is away; the address is then the gateway's own first page. Deletes
    the cookie, and sends `Clear-Site-Data` for cache and storage.

    Raises SessionStoreUnavailable also where a failover could still undo it: the cookie is kept, to ask again with.
    """
    session = await request.app[SESSIONS].find(request)
    if session is not None:
        await request.app[SESSIONS].end(session, "signed-out", successors=True)
        log_event(_log, logging.INFO, "signed-out", session=session.ref.short)
    else:
        await request.app[SESSIONS].confirm_end(request)
    await request.app[SESSIONS].unbind(request)
    return web.json_response(
        SignedOut(redirect=await end_session_url(request.app[DISCOVERY], request.app[SETTINGS], session)),
        headers={"Clear-Site-Data": '"cache", "storage"', hdrs.CACHE_CONTROL: "no-store"},
    )


async def frontchannel_logout(request: web.Request) -> web.Response:
    """End the sessions of the authority's `sid` (OpenID Connect Front-Channel Logout 1.0).

    For an iframe of the authority's sign-out page. Carries no cookie; the answer is the same whether there was a
    session or not. The caller proves nothing, so nothing is revoked at the authority.
    """
    settings = request.app[SETTINGS]
    sids = request.query.getall("sid", [])
    issuers = request.query.getall("iss", [settings.issuer])
    if len(sids) == 1 and 0 < len(sids[0]) <= _LONGEST_SID and issuers == [settings.issuer]:
        ended = await request.app[SESSIONS].end_matching(
            tid=settings.tenant_id or settings.issuer, sid=sids[0], reason="signed-out"
        )
        log_event(_log, logging.INFO, "frontchannel-logout", sessions=ended)
    framers = await authority_origins(request.app[DISCOVERY], settings)
    return web.Response(
        text="<!doctype html><title>Signed out</title>",
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "no-store",
            "Content-Security-Policy": f"default-src 'none'; frame-ancestors {' '.join(framers)}",
        },
    )


async def backchannel_logout(request: web.Request) -> web.Response:
    """End the sessions that the logout token names (OpenID Connect Back-Channel Logout 1.0).

    There only with `GATEWAY_BACKCHANNEL_LOGOUT=1`, 404 otherwise. The logout token is all the proof there is: no
    cookie, no `X-CSRF`. It counts once, and sessions that began after it survive. On 503 the authority may send the
    same token again.

    Raises BadRequest (400), AuthorityUnavailable or SessionStoreUnavailable (503, to be sent again).
    """
    settings = request.app[SETTINGS]
    order = await request.app[LOGOUT_TOKENS].order(await _logout_token(request), now=request.app[CLOCK]())
    ended = await request.app[SESSIONS].end_matching(
        tid=settings.tenant_id or settings.issuer,
        sid=order.sid,
        sub=order.sub,
        # Their clock says when it was issued, ours when a session began: one that seems a little younger is meant too.
        created_until=order.issued_at + LEEWAY_SECONDS,
        reason="signed-out",
    )
    # Remembered after the deed: a token that met a failing Redis may be delivered again, and one that comes twice
    # ends nothing that began much later than it was issued.
    name = digest_of(settings.issuer, order.identifier)
    if not await SingleRecords(request.app[VAULT]).note("logout-token", name, ttl=_REMEMBERED_SECONDS):
        raise BadRequest("The logout token was used before.", log_detail="logout token: jti seen before")
    log_event(_log, logging.INFO, "backchannel-logout", sessions=ended)
    return web.Response(headers={hdrs.CACHE_CONTROL: "no-store"})


async def _logout_token(request: web.Request) -> str:
    if "logout_token" not in request.query:
        sent = [text for name, text in await read_form(request) or [] if name == "logout_token"]
        if len(sent) == 1 and sent[0]:
            return sent[0]
    raise BadRequest("Send logout_token once, in a form.")


_BACKCHANNEL: Final = Route(
    hdrs.METH_POST,
    "/auth/backchannel-logout",
    backchannel_logout,
    RequestKind.BACKCHANNEL,
    operation=Operation(
        "backchannelLogout",
        "The authority ends sessions, server to server",
        tag="navigations",
        response=Response("The sessions that the token names are over; also where there were none."),
        problems=(BadRequest, AuthorityUnavailable, SessionStoreUnavailable),
        body=RequestBody(LogoutRequest, (FORM,)),
    ),
)
ROUTES: Final = (
    Route(
        hdrs.METH_POST,
        "/auth/sign-out",
        sign_out,
        RequestKind.JSON,
        operation=Operation(
            "signOut",
            "Sign out",
            tag="session",
            response=Response("Signed out here; `redirect` ends the authority's session too.", (SignedOut,)),
            problems=(SessionStoreUnavailable,),
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/auth/frontchannel-logout",
        frontchannel_logout,
        RequestKind.FRAMED,
        operation=Operation(
            "frontchannelLogout",
            "The authority ends a session",
            tag="navigations",
            response=Response("Done.", (str,), media_type="text/html"),
            problems=(SessionStoreUnavailable,),
            parameters=(
                Parameter(
                    "sid",
                    "query",
                    "The authority's session.",
                    Annotated[str, Field(max_length=_LONGEST_SID)],
                ),
                Parameter(
                    "iss",
                    "query",
                    "The issuer, where the authority sends it; another than ours ends nothing.",
                ),
            ),
        ),
    ),
    _BACKCHANNEL,
)


def routes(*, backchannel: bool) -> list[Route]:
    """Return the rows that are served: without `backchannel` its address does not exist."""
    return [row for row in ROUTES if backchannel or row is not _BACKCHANNEL]
