"""The ends of a session: by the person (`/auth/sign-out`), and by the authority, through the front or the back channel.

Owns what is told to the browser and to the authority.
Never lets the authority's health decide whether somebody can sign out: the session is gone first. The back channel
needs the authority's keys, and answers 503 without them.
The back channel is off unless GATEWAY_BACKCHANNEL_LOGOUT says otherwise: Entra External ID does not call it.

Sources: OpenID Connect RP-Initiated, Front-Channel and Back-Channel Logout 1.0.
"""

from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field

from gateway.app_keys import AUDIT, DISCOVERY, END_SESSION, LOGOUT, SETTINGS
from gateway.audit import facts
from gateway.edge.admission import Lane
from gateway.edge.forms import FORM, read_form
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.edge.network_limits import CAME_TO_NOTHING
from gateway.edge.origins import ORIGINS
from gateway.edge.posting_page import posting_page
from gateway.endpoints import parameters
from gateway.endpoints.answers import LogoutRequest, SignedOut
from gateway.errors import DuplicateCookie, SessionStoreUnavailable
from gateway.flows.after_sign_out import remember_address
from gateway.flows.end_session import PAGE, authority_origins
from gateway.flows.return_address import HOME, absolute, return_address
from gateway.session.cookie import is_doubled
from gateway.tokens.token_records import ID_TOKEN
from servicekit.errors import (
    AuthorityUnavailable,
    BadRequest,
    BodyTooLarge,
    Misconfigured,
    RequestTimedOut,
    TooManyRequests,
)
from servicekit.http.answers import Answer
from servicekit.jwt_claims import LONGEST_SID
from servicekit.operations import Operation, Parameter, RequestBody, Response


async def sign_out(request: web.Request) -> web.Response:
    """End the session first, then name the authority's end-session address for the client to navigate to.

    Works without a session and while the authority is away; the address is then the gateway's own first page. Deletes
    the cookie, and sends `Clear-Site-Data` for cache and storage. `return_to` says where the browser ends up after the
    authority's page, and where it goes at once while the authority is away.

    Where the session cookie came twice, both sessions end, and all cookies of this site are deleted.

    Raises SessionStoreUnavailable also where a failover could still undo it: the cookie is kept, to ask again with.
    Raises DuplicateCookie where the session cookie came more than eight times.
    """
    session = await request.app[LOGOUT].sign_out(request)
    if session:
        request.app[AUDIT].show(facts.SIGN_OUT, session.subject)
    else:
        request[CAME_TO_NOTHING] = True
    return_to = return_address(request.query.get("return_to"), request.app[ORIGINS])
    home = "" if return_to == HOME else absolute(return_to, request.app[ORIGINS])
    redirect = await request.app[END_SESSION].redirect(session, home)
    forget = '"cache", "cookies", "storage"' if is_doubled(request) else '"cache", "storage"'
    response = Answer.of(SignedOut(redirect=redirect), headers={"Clear-Site-Data": forget})
    if home not in {"", redirect}:
        remember_address(response, return_to)
    return response


async def end_session(request: web.Request) -> web.Response:
    """Post the authority's logout request from the browser, with the ID token in the form.

    `redirect` of `/auth/sign-out` leads here with `GATEWAY_ID_TOKEN_HINT=1`; the ticket counts once, for a minute, and
    without one this leads to `/`.
    """
    form = await request.app[END_SESSION].form(request.query.get("ticket", ""))
    if form is None:
        request[CAME_TO_NOTHING] = True
        return web.Response(status=303, headers={hdrs.LOCATION: "/"})
    return posting_page(request, form.endpoint, form.fields)


async def frontchannel_logout(request: web.Request) -> web.Response:
    """End the sessions of the authority's `sid` (OpenID Connect Front-Channel Logout 1.0).

    For an iframe of the authority's sign-out page. Carries no cookie; the answer is the same whether there was a
    session or not. The caller proves nothing, so nothing is revoked at the authority.
    """
    sids, issuers = request.query.getall("sid", []), request.query.getall("iss", [])
    if not await request.app[LOGOUT].frontchannel(sids, issuers):
        request[CAME_TO_NOTHING] = True
    framers = await authority_origins(request.app[DISCOVERY], request.app[SETTINGS])
    return web.Response(
        text="<!doctype html><title>Signed out</title>",
        content_type="text/html",
        headers={"Content-Security-Policy": f"default-src 'none'; frame-ancestors {' '.join(framers)}"},
    )


async def backchannel_logout(request: web.Request) -> web.Response:
    """End the sessions that the logout token names (OpenID Connect Back-Channel Logout 1.0).

    There only with `GATEWAY_BACKCHANNEL_LOGOUT=1`, 404 otherwise. The logout token is all the proof there is: no
    cookie, no `X-CSRF`. It counts once, and sessions that began after it survive. On 503 the authority may send the
    same token again.

    Raises BadRequest (400), BodyTooLarge, RequestTimedOut, Misconfigured (the authority has no key that we accept), and
    AuthorityUnavailable or SessionStoreUnavailable (503, to be sent again).
    """
    await request.app[LOGOUT].backchannel(await _logout_token(request))
    return web.Response()


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
    limit=Limit.LOGOUT_TOKENS,
    operation=Operation(
        "backchannelLogout",
        "The authority ends sessions, server to server",
        tag="navigations",
        response=Response("The sessions that the token names are over; also where there were none."),
        problems=(
            BadRequest,
            BodyTooLarge,
            RequestTimedOut,
            Misconfigured,
            AuthorityUnavailable,
            SessionStoreUnavailable,
            TooManyRequests,
        ),
        body=RequestBody(LogoutRequest, (FORM,)),
    ),
)
ROUTES: Final = (
    Route(
        hdrs.METH_POST,
        "/auth/sign-out",
        sign_out,
        RequestKind.JSON,
        binds_session=True,
        records=lambda _request: (ID_TOKEN.field(),),
        lane=Lane.SIGN_OUT,
        limit=Limit.LOGOUT_CALLS,
        operation=Operation(
            "signOut",
            "Sign out",
            tag="session",
            response=Response("Signed out here; `redirect` ends the authority's session too.", (SignedOut,)),
            problems=(SessionStoreUnavailable, DuplicateCookie, TooManyRequests),
            parameters=(parameters.RETURN_TO,),
        ),
    ),
    Route(
        hdrs.METH_GET,
        PAGE,
        end_session,
        RequestKind.NAVIGATION,
        lane=Lane.SIGN_OUT,
        limit=Limit.LOGOUT_CALLS,
        operation=Operation(
            "endAuthoritySession",
            "End the authority's session by a form",
            tag="navigations",
            response=Response("A page that posts the form by itself.", (str,), media_type="text/html"),
            also=(Response("Without such a ticket: to `/`.", status=303, headers=(hdrs.LOCATION,)),),
            problems=(SessionStoreUnavailable, TooManyRequests),
            parameters=(Parameter("ticket", "query", "What `redirect` of `/auth/sign-out` holds."),),
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/auth/frontchannel-logout",
        frontchannel_logout,
        RequestKind.FRAMED,
        binds_session=True,
        limit=Limit.LOGOUT_CALLS,
        operation=Operation(
            "frontchannelLogout",
            "The authority ends a session",
            tag="navigations",
            response=Response("Done.", (str,), media_type="text/html"),
            problems=(SessionStoreUnavailable, TooManyRequests),
            parameters=(
                Parameter(
                    "sid",
                    "query",
                    "The authority's session.",
                    Annotated[str, Field(max_length=LONGEST_SID)],
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
