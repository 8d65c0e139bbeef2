"""`POST /auth/backchannel-logout`: the authority ends sessions by itself, server to server.

Owns reading the one form field, and that a logout token counts once.
Never sees a browser and never reads a cookie; the token is all the proof there is. Off unless
GATEWAY_BACKCHANNEL_LOGOUT says otherwise: Entra External ID does not call it.

Source: OpenID Connect Back-Channel Logout 1.0.
"""

import logging
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import CLOCK, LOGOUT_TOKENS, SESSIONS, SETTINGS, VAULT
from gateway.edge.bodies import read_form
from gateway.edge.guard import Policy, Route
from gateway.errors import AuthorityUnavailable, BadRequest
from gateway.flows.logout_token import FRESH_SECONDS, LEEWAY_SECONDS, LogoutOrder
from gateway.store.names import digest_of
from servicekit import authority_transport
from servicekit.logs import log_event

# From the earliest moment at which a token is believed to the last one.
_REMEMBERED_SECONDS: Final = FRESH_SECONDS + 2 * LEEWAY_SECONDS + 1

_log = logging.getLogger(__name__)


async def backchannel_logout(request: web.Request) -> web.Response:
    """End the sessions that the logout token names; 200 also where there were none.

    Raises BadRequest (400), AuthorityUnavailable or SessionStoreUnavailable (503, to be sent again).
    """
    settings = request.app[SETTINGS]
    order = await _order(request, await _logout_token(request))
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
    if not await request.app[VAULT].note("logout-token", name, ttl=_REMEMBERED_SECONDS):
        raise BadRequest("The logout token was used before.", log_detail="logout token: jti seen before")
    log_event(_log, logging.INFO, "backchannel-logout", sessions=ended)
    return web.Response(headers={hdrs.CACHE_CONTROL: "no-store"})


async def _logout_token(request: web.Request) -> str:
    if "logout_token" not in request.query:
        sent = [text for name, text in await read_form(request) or [] if name == "logout_token"]
        if len(sent) == 1 and sent[0]:
            return sent[0]
    raise BadRequest("Send logout_token once, in a form.")


async def _order(request: web.Request, logout_token: str) -> LogoutOrder:
    try:
        return await request.app[LOGOUT_TOKENS].order(logout_token, now=request.app[CLOCK]())
    except authority_transport.AuthorityUnavailable as error:
        raise AuthorityUnavailable(error.reason, retry_after=error.retry_after) from error


def routes(*, enabled: bool) -> list[Route]:
    """Return this module's row, or none where it is switched off: the address does not exist then."""
    row = Route(hdrs.METH_POST, "/auth/backchannel-logout", backchannel_logout, Policy.BACKCHANNEL)
    return [row] if enabled else []
