"""Who is signed in, and where: `/api/session`, its claims, and the person's list of sessions.

Owns the members of their answers.
Never fails by itself: what goes wrong is raised below and drawn above.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import OWN_SESSIONS, SESSIONS, STEP_UPS
from gateway.edge.guard import Policy, Route
from gateway.timestamps import rfc3339


async def session(request: web.Request) -> web.Response:
    """Say who is signed in, until when, and what they may do; asking does not prolong the session."""
    live = await request.app[SESSIONS].find(request)
    if live is None:
        return web.json_response(
            {"authenticated": False, "sign_in": "/auth/sign-in", "sign_up": "/auth/sign-up"}
        )
    user = live.user
    return web.json_response(
        {
            "authenticated": True,
            "user": {
                "id": user.oid,
                "name": user.name,
                "username": user.username,
                "email_hint": masked(user.username),
            },
            "expires": {"idle_at": rfc3339(live.idle_at), "absolute_at": rfc3339(live.absolute_at)},
            "access": {"profile.edit": await request.app[STEP_UPS].access(live)},
            "csrf": {"header": "X-CSRF", "value": "1"},
            "step_up": "/auth/step-up?action=profile.edit",
            "sign_out": "/auth/sign-out",
        }
    )


async def claims(request: web.Request) -> web.Response:
    """Answer with the claims of the ID token; the token itself was thrown away at sign-in."""
    live = await request.app[SESSIONS].require(request)
    return web.json_response({"claims": live.user.claims})


async def list_sessions(request: web.Request) -> web.Response:
    """Answer with this person's sessions."""
    live = await request.app[SESSIONS].require(request, slide=False)
    return web.json_response({"sessions": await request.app[OWN_SESSIONS].shown(live)})


async def end_session(request: web.Request) -> web.Response:
    """End one of this person's sessions, this one included."""
    live = await request.app[SESSIONS].require(request)
    await request.app[OWN_SESSIONS].end(live, request.match_info["id"])
    return web.Response(status=204)


async def end_other_sessions(request: web.Request) -> web.Response:
    """End all of this person's sessions but this one."""
    live = await request.app[SESSIONS].require(request)
    return web.json_response({"ended": await request.app[OWN_SESSIONS].end_others(live)})


def masked(address: str) -> str | None:
    """Return an e-mail address that its owner recognises and others cannot use; None when it is none."""
    name, at, domain = address.rpartition("@")
    if not at or not name or not domain:
        return None
    return f"{name[: min(3, len(name) - 1)]}•••@{domain}"


ROUTES: Final = (
    Route(hdrs.METH_GET, "/api/session", session, Policy.JSON),
    Route(hdrs.METH_GET, "/api/session/claims", claims, Policy.JSON),
    Route(hdrs.METH_GET, "/api/sessions", list_sessions, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/sessions", end_other_sessions, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/sessions/{id}", end_session, Policy.JSON),
)
