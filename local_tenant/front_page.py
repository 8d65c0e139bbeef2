"""The tenant's own front page, inbox and assets: for people on this machine, no part of Entra or Graph."""

from pathlib import Path
from typing import Final

from aiohttp import web

from local_tenant import pages
from local_tenant.clock import iso
from local_tenant.page_frame import respond
from local_tenant.tenant import ADMIN, TENANT

ASSETS: Final = Path(__file__).with_name("assets")

routes = web.RouteTableDef()


@routes.get("/")
async def home(request: web.Request) -> web.Response:
    """Say what this is."""
    tenant = request.app[TENANT]
    people = [(person.name, person.email) for person in tenant.directory.people.values()]
    discovery = f"/{tenant.directory.tenant_id}/v2.0/.well-known/openid-configuration"
    return respond(pages.home(discovery, people, admin=request.app[ADMIN]))


@routes.get("/health/live")
async def live(_: web.Request) -> web.Response:
    """Answer that the process runs."""
    return web.json_response({"status": "live"}, headers={"Cache-Control": "no-store"})


@routes.get("/inbox")
async def inbox(request: web.Request) -> web.Response:
    """Show the codes that were sent, newest first: a page for people, JSON for whoever asks for it."""
    tenant = request.app[TENANT]
    to = request.query.get("to", "")
    messages = tenant.inbox.for_address(to) if to else list(reversed(tenant.inbox.messages))
    if "application/json" in request.headers.get("Accept", ""):
        listed = [
            {"code": message.code, "purpose": message.purpose, "sent_at": iso(message.sent_at)}
            for message in messages
        ]
        return web.json_response(listed, headers={"Cache-Control": "no-store"})
    return respond(pages.inbox(messages, to))
