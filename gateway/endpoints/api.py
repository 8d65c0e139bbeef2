"""The JSON endpoints under `/api/`.

Owns the members of their answers.
Never fails by itself: what goes wrong is raised below and drawn above.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import hdrs, web

from gateway.app_keys import EDITS, OWN_SESSIONS, SESSIONS, STEP_UPS
from gateway.edge.guard import Policy, Route
from gateway.errors import BadRequest, NotFound
from gateway.profile.fields import Profile, etag_of, if_match, read_changes
from gateway.timestamps import rfc3339

_OPENAPI: Final = (Path(__file__).parent.parent / "openapi.json").read_bytes()
_KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")
_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")


async def session(request: web.Request) -> web.Response:
    """Say who is signed in, until when, and what they may do; asking does not prolong the session."""
    live = await request.app[SESSIONS].find(request)
    if live is None:
        return _json({"authenticated": False, "sign_in": "/auth/sign-in", "sign_up": "/auth/sign-up"})
    user = live.user
    return _json(
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
    return _json({"claims": live.user.claims})


async def get_profile(request: web.Request) -> web.Response:
    """Answer with the profile and its entity tag."""
    live = await request.app[SESSIONS].require(request)
    return _profile(await request.app[EDITS].profile(live))


async def patch_profile(request: web.Request) -> web.Response:
    """Apply a merge patch (RFC 7396) to the profile and answer with what it now is."""
    live = await request.app[SESSIONS].require(request)
    changes = await read_changes(request)
    saved = await request.app[EDITS].save(
        live, changes, condition=if_match(request), key=_idempotency_key(request)
    )
    return _profile(saved)


async def get_parked_edit(request: web.Request) -> web.Response:
    """Answer with what a parked edit will change."""
    live = await request.app[SESSIONS].require(request)
    return _json(await request.app[EDITS].parked(live, _identifier(request)))


async def apply_parked_edit(request: web.Request) -> web.Response:
    """Apply a parked edit, once."""
    live = await request.app[SESSIONS].require(request)
    return _profile(await request.app[EDITS].apply_parked(live, _identifier(request)))


async def drop_parked_edit(request: web.Request) -> web.Response:
    """Drop a parked edit."""
    live = await request.app[SESSIONS].require(request)
    await request.app[EDITS].drop_parked(live, _identifier(request))
    return _nothing()


async def list_sessions(request: web.Request) -> web.Response:
    """Answer with this person's sessions."""
    live = await request.app[SESSIONS].require(request, slide=False)
    return _json({"sessions": await request.app[OWN_SESSIONS].shown(live)})


async def end_session(request: web.Request) -> web.Response:
    """End one of this person's sessions, this one included."""
    live = await request.app[SESSIONS].require(request)
    await request.app[OWN_SESSIONS].end(live, request.match_info["id"])
    return _nothing()


async def end_other_sessions(request: web.Request) -> web.Response:
    """End all of this person's sessions but this one."""
    live = await request.app[SESSIONS].require(request)
    return _json({"ended": await request.app[OWN_SESSIONS].end_others(live)})


async def openapi(_request: web.Request) -> web.Response:
    """Answer with the description of these endpoints."""
    return web.Response(body=_OPENAPI, content_type="application/json")


def masked(address: str) -> str | None:
    """Return an e-mail address that its owner recognises and others cannot use; None when it is none."""
    name, at, domain = address.rpartition("@")
    if not at or not name or not domain:
        return None
    return f"{name[: min(3, len(name) - 1)]}•••@{domain}"


def _identifier(request: web.Request) -> str:
    identifier = request.match_info["id"]
    if not _ID_FORM.fullmatch(identifier):
        raise NotFound
    return identifier


def _idempotency_key(request: web.Request) -> str | None:
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return None
    # Twice: whatever stands in front of us may have read the other one.
    if len(keys) > 1 or not _KEY_FORM.fullmatch(keys[0]):
        raise BadRequest("Idempotency-Key must be there once, with 1 to 255 printable ASCII characters.")
    return keys[0]


def _json(body: Mapping[str, Any]) -> web.Response:
    return web.json_response(body, headers={hdrs.CACHE_CONTROL: "no-store"})


def _nothing() -> web.Response:
    return web.Response(status=204, headers={hdrs.CACHE_CONTROL: "no-store"})


def _profile(profile: Profile) -> web.Response:
    return web.json_response(profile, headers={hdrs.CACHE_CONTROL: "no-store", hdrs.ETAG: etag_of(profile)})


ROUTES: Final = (
    Route(hdrs.METH_GET, "/api/session", session, Policy.JSON),
    Route(hdrs.METH_GET, "/api/session/claims", claims, Policy.JSON),
    Route(hdrs.METH_GET, "/api/profile", get_profile, Policy.JSON),
    Route(hdrs.METH_PATCH, "/api/profile", patch_profile, Policy.JSON),
    Route(hdrs.METH_GET, "/api/parked-edits/{id}", get_parked_edit, Policy.JSON),
    Route(hdrs.METH_POST, "/api/parked-edits/{id}", apply_parked_edit, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/parked-edits/{id}", drop_parked_edit, Policy.JSON),
    Route(hdrs.METH_GET, "/api/sessions", list_sessions, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/sessions", end_other_sessions, Policy.JSON),
    Route(hdrs.METH_DELETE, "/api/sessions/{id}", end_session, Policy.JSON),
    Route(hdrs.METH_GET, "/api/openapi.json", openapi, Policy.PUBLIC),
)
