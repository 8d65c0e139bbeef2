"""Liveness and readiness.

Owns what an orchestrator is told: live means that the loop answers, ready that sessions can be read.
Never counts the authority, Graph or the resource API: a gateway that is taken out of service because of them could
not even say so to the person.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import VAULT
from gateway.edge.guard import Policy, Route


async def live(_request: web.Request) -> web.Response:
    """Answer as long as the process can."""
    return web.json_response({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 when Redis answers; otherwise the ring draws 503."""
    await request.app[VAULT].ping()
    return web.json_response({"status": "ready"})


ROUTES: Final = (
    Route(hdrs.METH_GET, "/health/live", live, Policy.PUBLIC),
    Route(hdrs.METH_GET, "/health/ready", ready, Policy.PUBLIC),
)
