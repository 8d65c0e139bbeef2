"""Who is signed in, and where: `/api/session`, its claims, and the person's list of sessions.

Owns who is asked for the members of their answers; `answers.py` owns the members.
Never catches: what goes wrong is raised below and drawn above.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Final, cast

from aiohttp import hdrs, web

from gateway.app_keys import AUDIT, OWN_SESSIONS, SESSIONS, SETTINGS, STEP_UPS
from gateway.audit import facts
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.endpoints.answers import Access, Anonymous, Claims, Ended, OwnSessions, SignedIn
from gateway.endpoints.problems import OF_A_SESSION
from gateway.errors import DuplicateCookie, NotFound, SessionStoreUnavailable
from gateway.session.cookie import is_doubled
from gateway.session.sessions import LiveSession
from gateway.timestamps import rfc3339
from servicekit.errors import TooManyRequests
from servicekit.http.answers import Answer
from servicekit.operations import Operation, Parameter, Response


async def session(request: web.Request) -> web.Response:
    """Say who is signed in, until when, and what they may do: 200 with or without a session.

    Asking does not prolong the session. Where the session cookie came twice, neither counts: `reason` says so, and
    the browser is told to delete the cookies of this site.
    """
    live = await request.app[SESSIONS].find(request)
    if live is None:
        return _anonymous(doubled=is_doubled(request))
    # As long as the session is as it was, its answer is: asked for on every page, and by every program.
    idle_at, body = live.records.result(_SESSION) or (None, b"")
    if idle_at != live.idle_at:
        body = await _session_body(request, live)
        until = request.app[STEP_UPS].access_until(live)
        live.records.keep_result(_SESSION, (live.idle_at, body), until)
    return Answer(body)


async def _session_body(request: web.Request, live: LiveSession) -> bytes:
    answer = _signed_in(live, await request.app[STEP_UPS].access(live))
    if change_password := request.app[SETTINGS].change_password_url:
        answer["change_password"] = change_password
    return json.dumps(answer).encode()


async def claims(request: web.Request) -> web.Response:
    """Answer with the claims as they were at the last sign-in or step-up; the token itself is kept nowhere."""
    live = await request.app[SESSIONS].require(request)
    return Answer.of(Claims(claims=live.user.claims))


async def list_sessions(request: web.Request) -> web.Response:
    """Answer with this person's sessions, last used first; asking does not prolong any of them."""
    live = await request.app[SESSIONS].require(request, slide=False)
    return Answer.of({"sessions": await request.app[OWN_SESSIONS].shown(live, request.get(_LISTED))})


def ask_for_sessions(request: web.Request, tid: str, oid: str) -> None:
    """Ask for a person's list while it is asked whether the session lives, in one round trip."""
    asked = asyncio.create_task(request.app[OWN_SESSIONS].listed(tid, oid))
    asked.add_done_callback(lambda task: task.cancelled() or task.exception())  # the session may have ended
    request[_LISTED] = asked


async def end_session(request: web.Request) -> web.Response:
    """End one of this person's sessions, this one included."""
    live = await request.app[SESSIONS].require(request)
    await request.app[OWN_SESSIONS].end(live, request.match_info["id"])
    request.app[AUDIT].show(facts.SESSION_ENDED, live.subject, reason=_ENDED_ELSEWHERE, sessions=1)
    return Answer(status=204)


async def end_other_sessions(request: web.Request) -> web.Response:
    """End all of this person's sessions but this one."""
    live = await request.app[SESSIONS].require(request)
    ended = await request.app[OWN_SESSIONS].end_others(live)
    request.app[AUDIT].show(facts.SESSION_ENDED, live.subject, reason=_ENDED_ELSEWHERE, sessions=ended)
    return Answer.of(Ended(ended=ended))


_LISTED: Final = web.RequestKey("listed", asyncio.Task)
_SESSION: Final = "session"
_ENDED_ELSEWHERE: Final = "ended-elsewhere"
# A customer's display name in Entra External ID, where a sign-up asks for none.
_NO_NAME: Final = "unknown"
_ANONYMOUS: Final = Anonymous(authenticated=False, sign_in="/auth/sign-in", sign_up="/auth/sign-up")

_NOBODY: Final = json.dumps(_ANONYMOUS).encode()


def _anonymous(*, doubled: bool) -> web.Response:
    if not doubled:
        return Answer(_NOBODY)
    return Answer.of(Anonymous(**_ANONYMOUS, reason="duplicate-cookie"), headers=DuplicateCookie().headers)


def _signed_in(live: LiveSession, access: Mapping[str, str]) -> SignedIn:
    user = live.user
    return {
        "authenticated": True,
        "user": {
            "id": user.oid,
            "name": shown_name(user.name, user.username),
            "username": user.username,
            "email_hint": masked(user.username),
        },
        "expires": {"idle_at": rfc3339(live.idle_at), "absolute_at": rfc3339(live.absolute_at)},
        # Those of rows are drawn into the description by their names.
        "access": cast("Access", access),
        "csrf": {"header": "X-CSRF", "value": "1"},
        "step_up": "/auth/step-up?action=profile.edit",
        "sign_out": "/auth/sign-out",
    }


def shown_name(name: str, username: str) -> str:
    """Return what to call a person; the user name where there is none, or only what Entra writes for none."""
    return username if name.strip().casefold() in {"", _NO_NAME} else name


def masked(address: str) -> str | None:
    """Return an e-mail address that its owner recognises and others cannot use; None when it is none."""
    name, at, domain = address.rpartition("@")
    if not at or not name or not domain:
        return None
    return f"{name[: min(3, len(name) - 1)]}•••@{domain}"


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/api/session",
        session,
        RequestKind.JSON,
        records=lambda request: request.app[STEP_UPS].access_fields,
        operation=Operation(
            "getSession",
            "Who is signed in",
            tag="session",
            response=Response("The session, or that there is none.", (Anonymous, SignedIn)),
            problems=(SessionStoreUnavailable, TooManyRequests),
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/api/session/claims",
        claims,
        RequestKind.JSON,
        operation=Operation(
            "getClaims",
            "The ID token's claims",
            tag="session",
            response=Response("The claims.", (Claims,)),
            problems=OF_A_SESSION,
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/api/sessions",
        list_sessions,
        RequestKind.JSON,
        ahead=ask_for_sessions,
        limit=Limit.OWN_SESSIONS,
        operation=Operation(
            "listSessions",
            "This person's sessions",
            tag="session",
            response=Response("The sessions.", (OwnSessions,)),
            problems=OF_A_SESSION,
        ),
    ),
    Route(
        hdrs.METH_DELETE,
        "/api/sessions",
        end_other_sessions,
        RequestKind.JSON,
        limit=Limit.OWN_SESSIONS,
        operation=Operation(
            "endOtherSessions",
            "End all other sessions",
            tag="session",
            response=Response("How many there were.", (Ended,)),
            problems=OF_A_SESSION,
        ),
    ),
    Route(
        hdrs.METH_DELETE,
        "/api/sessions/{id}",
        end_session,
        RequestKind.JSON,
        limit=Limit.OWN_SESSIONS,
        operation=Operation(
            "endSession",
            "End one session",
            tag="session",
            response=Response("Ended.", status=204),
            problems=(*OF_A_SESSION, NotFound),
            parameters=(Parameter("id", "path", "The `id` of a listed session."),),
        ),
    ),
)
