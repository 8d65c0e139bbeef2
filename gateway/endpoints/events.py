"""`GET /api/session/events`: what happens to the session, while the page is open.

Owns whose stream it is.
Never prolongs a session; how a stream lives and ends is in `gateway.session.event_streams`.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import EVENT_STREAMS, SESSIONS, STEP_UPS
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.endpoints.answers import EVENT_STREAM, AccessChanged, SessionEnded, SessionExpiring
from gateway.endpoints.problems import OF_A_SESSION
from servicekit.operations import Operation, Parameter, Response


async def session_events(request: web.Request) -> web.StreamResponse:
    """Send server-sent events to a page that is open; listening does not prolong the session.

    `X-CSRF: 1` may be left out by a browser that sends `Sec-Fetch-Site: same-origin`, as `EventSource` can send no
    header of its own. `x-event-data` has the schema of each event's `data`. A comment is sent in every fifteen seconds
    of silence. The stream ends after `session-ended`, after ten minutes, when the gateway stops, and without an event
    when step-up gives the session a new id; come back with `Last-Event-ID`, as browsers do, and nothing is missed.
    """
    session = await request.app[SESSIONS].require(request, slide=False)
    return await request.app[EVENT_STREAMS].serve(request, session)


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/api/session/events",
        session_events,
        RequestKind.EVENTS,
        limit=Limit.STREAMS,
        records=lambda request: request.app[STEP_UPS].access_fields,
        operation=Operation(
            "listenToSession",
            "What happens to the session",
            tag="session",
            response=Response(
                "The stream.",
                (EVENT_STREAM,),
                media_type="text/event-stream",
                events={
                    "access-changed": AccessChanged,
                    "session-expiring": SessionExpiring,
                    "session-ended": SessionEnded,
                },
            ),
            problems=OF_A_SESSION,
            parameters=(
                Parameter(
                    "Last-Event-ID",
                    "header",
                    "The id of the last event that was heard; browsers send it by themselves. "
                    "Anything else counts as none.",
                ),
            ),
        ),
    ),
)
