"""The admin surface's part about people: add, change, revoke, sign out, look at what Graph holds."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final, Literal

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from local_tenant.admin_door import AdminError, body_of, json_answer, members_of, valid
from local_tenant.configuration import PersonSection
from local_tenant.directory import Person
from local_tenant.logout import frontchannel_urls
from local_tenant.tenant import TENANT, Tenant
from local_tenant.unusual_people import UNUSUAL

routes = web.RouteTableDef()

FRONTCHANNEL: Final = web.AppKey("frontchannel", aiohttp.ClientSession)
"""Speaks to the applications' front-channel addresses where no browser is there to do it."""


class PersonBody(BaseModel):
    """``PUT /admin/people/{email}``."""

    model_config = ConfigDict(extra="forbid", strict=True)
    enabled: bool | None = None
    second_factor: Literal["email", "none"] | None = None


async def frontchannel_client(app: web.Application) -> AsyncIterator[None]:
    """Hold the client for as long as the application runs."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        app[FRONTCHANNEL] = session
        yield


@routes.get("/admin/people")
async def list_people(request: web.Request) -> web.Response:
    """Return everyone's ids."""
    people = request.app[TENANT].directory.people.values()
    return json_answer([{"email": person.email, "id": person.oid, "name": person.name} for person in people])


@routes.post("/admin/people")
async def add_person(request: web.Request) -> web.Response:
    """Add a person, described as in the configuration file; without an ``id`` they get one."""
    tenant = request.app[TENANT]
    members = {"id": tenant.ids.guid(), **await members_of(request)}
    person = _add(tenant, valid(PersonSection, json.dumps(members)))
    return json_answer({"email": person.email, "id": person.oid}, status=201)


@routes.post("/admin/people/unusual")
async def add_unusual_people(request: web.Request) -> web.Response:
    """Add the people whose profiles are hard to show: federated, empty, non-Latin, very long."""
    tenant = request.app[TENANT]
    added = [_add(tenant, person) for person in UNUSUAL if tenant.directory.find(person.email) is None]
    return json_answer([{"email": person.email, "id": person.oid} for person in added], status=201)


@routes.put("/admin/people/{email}")
async def change_person(request: web.Request) -> web.Response:
    """Disable an account, or take its second factor away."""
    person, body = _person(request), await body_of(request, PersonBody)
    if body.enabled is not None:
        person.enabled = body.enabled
    if body.second_factor is not None:
        person.second_factor = body.second_factor
    return json_answer({"enabled": person.enabled, "second_factor": person.second_factor})


@routes.get("/admin/people/{email}/profile")
async def profile(request: web.Request) -> web.Response:
    """Return what Graph holds, the newest version, whatever a lagging replica shows."""
    return json_answer(_person(request).profile())


@routes.post("/admin/people/{email}/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Make every refresh token and every browser session of a person useless, as Graph's revokeSignInSessions does.

    Applications don't hear of it; they find out at their next refresh (AADSTS50173).
    """
    tenant, person = request.app[TENANT], _person(request)
    person.generation += 1
    for session in tenant.sessions.of_person(person.oid):
        tenant.sessions.end(session)
    return web.Response(status=204)


@routes.post("/admin/people/{email}/sign-out")
async def sign_out(request: web.Request) -> web.Response:
    """End a person's browser sessions and tell each application by front channel, from here instead of from frames."""
    tenant, person = request.app[TENANT], _person(request)
    urls: list[str] = []
    for session in tenant.sessions.of_person(person.oid):
        urls += frontchannel_urls(tenant, session)
        tenant.sessions.end(session)
    notified = await asyncio.gather(*(_notify(request.app[FRONTCHANNEL], url) for url in urls))
    return json_answer({"notified": notified})


@routes.post("/admin/people/{email}/logout-tokens")
async def logout_tokens(request: web.Request) -> web.Response:
    """Return a back-channel logout token per session and application. Entra has no such thing; other providers do."""
    tenant, person = request.app[TENANT], _person(request)
    tokens = [
        {
            "client_id": client,
            "sid": session.sid,
            "logout_token": tenant.keys.sign(
                tenant.mint.logout_token(person, session.sid, client), typ="logout+jwt"
            ),
        }
        for session in tenant.sessions.of_person(person.oid)
        for client in session.clients
    ]
    return json_answer(tokens)


async def _notify(client: aiohttp.ClientSession, url: str) -> dict[str, object]:
    try:
        async with client.get(url, allow_redirects=False) as response:
            return {"url": url, "status": response.status}
    except (aiohttp.ClientError, TimeoutError) as error:
        return {"url": url, "error": type(error).__name__}


def _person(request: web.Request) -> Person:
    email = request.match_info["email"]
    person = request.app[TENANT].directory.find(email)
    if person is None:
        raise AdminError(404, f"There is no person {email}.")
    return person


def _add(tenant: Tenant, section: PersonSection) -> Person:
    if tenant.directory.find(section.email) or tenant.directory.by_oid(section.id):
        raise AdminError(409, f"There is a person {section.email} already, or one with this id.")
    return tenant.admit(section)
