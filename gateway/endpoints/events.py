"""`GET /api/session/events`: what happens to the session, while the page is open.

Owns whose stream it is.
Never prolongs a session; how a stream lives and ends is in `gateway.session.event_streams`.
"""

from typing import Final

from aiohttp import hdrs, web

from gateway.app_keys import EVENT_STREAMS, SESSIONS
from gateway.edge.guard import Policy, Route


async def session_events(request: web.Request) -> web.StreamResponse:
    """Tell a page about its session while it is open; asking does not prolong the session."""
    session = await request.app[SESSIONS].require(request, slide=False)
    return await request.app[EVENT_STREAMS].serve(request, session)


ROUTES: Final = (Route(hdrs.METH_GET, "/api/session/events", session_events, Policy.EVENTS),)
