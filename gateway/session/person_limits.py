"""What a person may do: the middleware for the limits of persons, whatever session and address they come by.

Owns who is counted where a route has such a limit: the person, and where the route answers without a session too, the
network of whoever has none.
Never opens a session that the route would not open as well, and counts nobody else who has none.
"""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.edge.client_address import ClientAddresses
from gateway.edge.guard import limit_of, limit_of_strangers
from gateway.edge.limit_rules import CLAIMED, OF_NETWORKS, Caller
from gateway.edge.limits import CLAIM, RateLimits
from gateway.edge.network_limits import network_caller
from gateway.session.sessions import LiveSession, SessionStore


def person_caller(session: LiveSession) -> Caller:
    """Return the person of a session, as limits count them; the log names the session."""
    return Caller(f"{session.user.tid} {session.user.oid}", session=session.ref.short)


def person_limits_middleware(
    limits: RateLimits, sessions: SessionStore, addresses: ClientAddresses
) -> Middleware:
    """Return the middleware that raises TooManyRequests where a request's person or stranger has done too much."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        limit = limit_of(request)
        if limit is not None and limit not in OF_NETWORKS:
            session = await sessions.find(request)
            if session is not None:
                if limit in CLAIMED:
                    request[CLAIM] = limits.claim(limit, person_caller(session))
                else:
                    limits.take(limit, person_caller(session))
            elif (of_strangers := limit_of_strangers(request)) is not None:
                limits.take(of_strangers, network_caller(addresses.of(request)))
        return await handler(request)

    return middleware
