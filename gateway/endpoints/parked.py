"""`/api/parked/{id}`: requests that step-up interrupted, for their person to see, send or drop.

Owns how one is shown; edits of the profile are found here as well.
Never catches, and never sends one by itself.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import (
    CONFIRMED_REQUESTS,
    EDITS,
    INTERRUPTIONS,
    PARKED_CHANGES,
    PARKED_REQUESTS,
    SESSIONS,
)
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.endpoints.answers import Identifier
from gateway.endpoints.parked_answers import ANY_BODY, ANYTHING, Parked
from gateway.endpoints.problems import OF_A_RESOURCE, OF_A_SESSION
from gateway.errors import EditInProgress, IdempotencyKeyReused, NotFound
from gateway.profile.fields import answer
from gateway.proxy.parked_form import PROFILE
from gateway.proxy.parked_requests import record_of_parked
from gateway.timestamps import rfc3339
from servicekit.http.answers import Answer
from servicekit.operations import Operation, Parameter, Response


async def get_parked(request: web.Request) -> web.Response:
    """Answer with what a parked request will do: of a merge patch, what it changes of the resource as that is now."""
    live, identifier = await request.app[SESSIONS].require(request), request.match_info["id"]
    parked = await request.app[PARKED_REQUESTS].get(live, identifier)
    shown: Parked = {
        "id": identifier,
        "upstream": parked.upstream,
        "method": parked.method,
        "path": parked.path,
        "content_type": parked.header(hdrs.CONTENT_TYPE),
        "expires_at": rfc3339(parked.expires_at),
    }
    changes = await request.app[PARKED_CHANGES].of(live, parked)
    return Answer.of(shown if changes is None else {**shown, "changes": changes})


async def send_parked(request: web.Request) -> web.StreamResponse:
    """Send a parked request, once, and answer what its API answers, whatever that is.

    After `step-up-required` it waits on under its id, for ten minutes from then; so it does where it certainly was not
    sent, and where the API says that it took nothing (429, or 503 with `Retry-After`). After any other answer, and
    where nobody knows what became of it, it is gone. A second call waits for the first, and gets 404, or 409 when that
    takes too long.
    """
    live, identifier = await request.app[SESSIONS].require(request), request.match_info["id"]
    parked = await request.app[PARKED_REQUESTS].get(live, identifier)
    if parked.upstream == PROFILE:
        return answer(await request.app[EDITS].apply_parked(live, identifier))
    return await request.app[CONFIRMED_REQUESTS].answer(request, live, identifier)


async def drop_parked(request: web.Request) -> web.Response:
    """Remove a parked request; nothing is sent."""
    live = await request.app[SESSIONS].require(request)
    await request.app[INTERRUPTIONS].drop(live, request.match_info["id"])
    return Answer(status=204)


def _records(request: web.Request) -> Sequence[str]:
    return record_of_parked(request.match_info["id"])


_PATH: Final = "/api/parked/{id}"
_ID: Final = Parameter("id", "path", shape=Identifier)

ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        _PATH,
        get_parked,
        RequestKind.JSON,
        limit=Limit.UPSTREAM_READS,
        records=_records,
        operation=Operation(
            "getParked",
            "What a parked request will do",
            tag="parked",
            response=Response("The parked request.", (Parked,)),
            problems=(*OF_A_SESSION, NotFound),
            parameters=(_ID,),
        ),
    ),
    Route(
        hdrs.METH_POST,
        _PATH,
        send_parked,
        RequestKind.JSON,
        limit=Limit.UPSTREAM_WRITES,
        records=_records,
        operation=Operation(
            "sendParked",
            "Send a parked request",
            tag="parked",
            response=Response(
                "What the upstream answers: its status, its body, and of its headers those that are safe.",
                (ANY_BODY,),
                status="default",
                media_type=ANYTHING,
            ),
            problems=(*OF_A_RESOURCE, NotFound, EditInProgress, IdempotencyKeyReused),
            parameters=(_ID,),
        ),
    ),
    Route(
        hdrs.METH_DELETE,
        _PATH,
        drop_parked,
        RequestKind.JSON,
        operation=Operation(
            "dropParked",
            "Drop a parked request",
            tag="parked",
            response=Response("Dropped.", status=204),
            problems=(*OF_A_SESSION, NotFound, EditInProgress),
            parameters=(_ID,),
        ),
    ),
)
