"""Liveness and readiness.

Owns what an orchestrator is told: live means that the loop answers, ready that sessions can be read.
Never counts the authority, Graph or the resource API: a gateway that is taken out of service because of them could
not even say so to the person.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import VAULT
from gateway.edge.admission import Lane
from gateway.edge.guard import RequestKind, Route
from gateway.endpoints.answers import Live, Ready
from gateway.errors import SessionStoreUnavailable
from servicekit.operations import Operation, Response


async def live(_request: web.Request) -> web.Response:
    """Answer as long as the process can."""
    return web.json_response(Live(status="live"))


async def ready(request: web.Request) -> web.Response:
    """Say whether sessions can be read. The authority, Graph and the resource API do not count."""
    await request.app[VAULT].ping()
    return web.json_response(Ready(status="ready"))


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/health/live",
        live,
        RequestKind.PUBLIC,
        lane=Lane.HEALTH,
        operation=Operation(
            "isLive", "Liveness", tag="service", response=Response("The process answers.", (Live,))
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/health/ready",
        ready,
        RequestKind.PUBLIC,
        lane=Lane.HEALTH,
        operation=Operation(
            "isReady",
            "Readiness",
            tag="service",
            response=Response("Redis answers.", (Ready,)),
            problems=(SessionStoreUnavailable,),
        ),
    ),
)
