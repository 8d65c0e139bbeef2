"""Liveness and readiness.

Owns what an orchestrator is told: live means that the loop answers, ready that sessions can be read and that the
process does not end soon.
Never counts the authority, Graph or the resource API: a gateway that is taken out of service because of them could
not even say so to the person.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import VAULT
from gateway.edge.admission import Lane
from gateway.edge.guard import RequestKind, Route
from gateway.endpoints.answers import Live, Ready, Stopping
from gateway.errors import SessionStoreUnavailable
from servicekit.http.answers import Answer
from servicekit.http.life import LIFE
from servicekit.operations import Operation, Response

# By then another process has taken over, or this one's successor.
_RETRY_SECONDS: Final = "1"


async def live(_request: web.Request) -> web.Response:
    """Answer as long as the process can."""
    return Answer.of(Live(status="live"))


async def ready(request: web.Request) -> web.Response:
    """Say whether to send work here: sessions can be read, and the process does not end soon.

    The authority, Graph and the resource API do not count.
    """
    if not request.app[LIFE].open_for_work:
        return Answer.of(
            Stopping(status="stopping"),
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            headers={hdrs.RETRY_AFTER: _RETRY_SECONDS},
        )
    await request.app[VAULT].ping()
    return Answer.of(Ready(status="ready"))


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
            also=(Response("The process ends soon.", (Stopping,), status=503, headers=(hdrs.RETRY_AFTER,)),),
            problems=(SessionStoreUnavailable,),
        ),
    ),
)
