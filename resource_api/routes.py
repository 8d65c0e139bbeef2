"""The routes of the resource API: each row names its policy.

Owns the table and the handlers behind it.
Never checks a token (the access ring does) and never catches: what goes wrong is raised below and drawn above.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from resource_api.access import CALLER, OPEN, Handler, Policy, ScopePolicy
from resource_api.body import read_json
from resource_api.correlation import CORRELATION
from resource_api.editing import ProfileEditor
from resource_api.openapi import document
from resource_api.profile import ProfilePatch

EDITOR: Final = web.AppKey("editor", ProfileEditor)
EDIT_POLICY: Final = web.AppKey("edit_policy", ScopePolicy)


@dataclass(slots=True)
class Life:
    """Whether the service wants new work; False once it is told to stop."""

    open_for_work: bool = True

    def stop(self) -> None:
        """Ask for no more work."""
        self.open_for_work = False


LIFE: Final = web.AppKey("life", Life)


@dataclass(frozen=True, slots=True)
class Row:
    """One route."""

    method: str
    path: str
    handler: Handler
    policy: Policy


def table(edit: ScopePolicy) -> list[Row]:
    """Return every route there is."""
    return [
        Row("PATCH", "/profile", edit_profile, edit),
        Row("GET", "/health/live", live, OPEN),
        Row("GET", "/health/ready", ready, OPEN),
        Row("GET", "/openapi.json", openapi, OPEN),
    ]


async def edit_profile(request: web.Request) -> web.Response:
    """Change the caller's own profile and answer with all of it."""
    patch = ProfilePatch.read(await read_json(request))
    profile = await request.app[EDITOR].edit(request[CALLER], patch, request[CORRELATION])
    return web.json_response(profile)


async def live(_request: web.Request) -> web.Response:
    """Answer while the process can."""
    return web.json_response({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """Answer whether to send work here.

    The authority's and Graph's health are left out on purpose: they are the same for every replica, and taking
    all of them out of service would turn a clear answer into none.
    """
    if request.app[LIFE].open_for_work:
        return web.json_response({"status": "ready"})
    return web.json_response({"status": "stopping"}, status=503)


async def openapi(request: web.Request) -> web.Response:
    """Describe the API."""
    return web.json_response(document(request.app[EDIT_POLICY]))
