"""What a person may do: the limits of persons, whatever session and address they come by.

Owns who is counted where a route has such a limit: the person, and where the route answers without a session too, the
network of whoever has none.
Never opens a session that the route would not open as well, and counts nobody else who has none.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.edge.client_address import ClientAddresses
from gateway.edge.guard import Route
from gateway.edge.limit_rules import CLAIMED, OF_NETWORKS, Caller
from gateway.edge.limits import CLAIM, RateLimits
from gateway.edge.network_limits import network_caller
from gateway.session.sessions import LiveSession, SessionStore


def person_caller(session: LiveSession) -> Caller:
    """Return the person of a session, as limits count them; the log names the session."""
    return Caller(f"{session.user.tid} {session.user.oid}", session=session.ref.short)


class PersonLimits:
    """Counts what persons do, and strangers where a route answers them as well."""

    def __init__(self, limits: RateLimits, sessions: SessionStore, addresses: ClientAddresses) -> None:
        self._limits = limits
        self._sessions = sessions
        self._addresses = addresses

    def around(self, row: Route, handler: Handler) -> Handler:
        """Return the handler of a row behind its limit: it raises TooManyRequests where somebody has done too much."""
        limit, of_strangers = row.limit, row.limit_of_strangers
        if limit is None or limit in OF_NETWORKS:
            return handler

        async def limited(request: web.Request) -> web.StreamResponse:
            session = await self._sessions.find(request)
            if session is not None:
                if limit in CLAIMED:
                    request[CLAIM] = self._limits.claim(limit, person_caller(session))
                else:
                    self._limits.take(limit, person_caller(session))
            elif of_strangers is not None:
                self._limits.take(of_strangers, network_caller(self._addresses.of(request)))
            return await handler(request)

        return limited
