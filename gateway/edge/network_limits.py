"""What a network may do before anybody is known: the middleware for the limits of networks.

Owns when a request counts: a sign-in when it begins, most others only once they came to nothing, so that people who
come back from the authority or sign out are never counted, however many share an address.
Never counts a person (`gateway/session/person_limits.py` does), and never decides whose address a request has.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.edge.admission import Lane
from gateway.edge.client_address import ClientAddress, ClientAddresses
from gateway.edge.guard import lane_of, limit_of
from gateway.edge.limit_rules import IN_VAIN, OF_NETWORKS, Caller, Limit
from gateway.edge.limits import CLAIM, RateLimits
from gateway.errors import SignInExpired
from servicekit.errors import BadRequest

CAME_TO_NOTHING: Final = web.RequestKey("came_to_nothing", bool)
"""Set by a handler whose answer does not say that there was nothing to do."""


def network_caller(client: ClientAddress) -> Caller:
    """Return the network of a client, as limits count it."""
    return Caller(client.network, client.wide, client.behind, network=client.network)


class NetworkLimits:
    """Judges requests by where they come from.

    `is_known` tells of a request that it has a cookie of our making: it may sign out whatever its network has done.
    """

    def __init__(
        self, limits: RateLimits, addresses: ClientAddresses, *, is_known: Callable[[web.Request], bool]
    ) -> None:
        self._limits = limits
        self._addresses = addresses
        self._is_known = is_known

    async def judge(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request through; raises TooManyRequests where its network has done too much."""
        limit = limit_of(request)
        if limit not in OF_NETWORKS:
            return await handler(request)
        caller = network_caller(self._addresses.of(request))
        if limit is Limit.LOGOUT_TOKENS:
            return await self._judge_afterwards(request, handler, limit, caller)
        if limit in IN_VAIN:
            return await self._count_in_vain(request, handler, limit, caller)
        request[CLAIM] = self._limits.claim(limit, caller)
        return await handler(request)

    async def _judge_afterwards(
        self, request: web.Request, handler: Handler, limit: Limit, caller: Caller
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadRequest:
            self._limits.take(limit, caller)
            raise

    async def _count_in_vain(
        self, request: web.Request, handler: Handler, limit: Limit, caller: Caller
    ) -> web.StreamResponse:
        if not self._is_known(request):
            self._limits.look(limit, caller)
        try:
            response = await handler(request)
        except SignInExpired:
            self._limits.note(limit, caller)
            raise
        if CAME_TO_NOTHING in request:
            self._limits.note(limit, caller)
        return response


def network_limits_middleware(limits: NetworkLimits, *, see: Callable[[web.Request], None]) -> Middleware:
    """Return the middleware for the limits of networks; `see` is called with all requests but those for our health."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if lane_of(request) is not Lane.HEALTH:
            see(request)
        return await limits.judge(request, handler)

    return middleware
