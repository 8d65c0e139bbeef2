"""`GET /api/activity`: the person's own last entries of the audit trail.

Never shows a value, a whole address, or anything that opens a session.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import ACTIVITY, AUDIT, SESSIONS
from gateway.edge.guard import RequestKind, Route
from gateway.endpoints.answers import Activity
from gateway.endpoints.problems import OF_A_SESSION
from servicekit.http.answers import Answer
from servicekit.operations import Operation, Response


async def activity(request: web.Request) -> web.Response:
    """Answer with what was done with this person's account recently, newest first, fifty entries at most.

    From any of their sessions, those that ended included. Asking does not prolong the session.
    """
    live = await request.app[SESSIONS].require(request, slide=False)
    names = request.app[AUDIT].session_names(live.ref)
    entries = await request.app[ACTIVITY].entries(live.user.tid, live.user.oid)
    return Answer.of({"entries": [entry.as_json(current=entry.session in names) for entry in entries]})


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/api/activity",
        activity,
        RequestKind.JSON,
        operation=Operation(
            "listActivity",
            "What was done with this account",
            tag="session",
            response=Response("The last entries.", (Activity,)),
            problems=OF_A_SESSION,
        ),
    ),
)
