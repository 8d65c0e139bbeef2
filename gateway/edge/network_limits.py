"""What a network may do before anybody is known: judged before a request is answered, and counted before or after.

Owns when a request counts: a sign-in when it begins, most others only once they came to nothing, so that people who
come back from the authority or sign out are never counted, however many share an address.
Never counts a person (`gateway/session/person_limits.py` does), and never decides whose address a request has.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.edge.client_address import ClientAddress, ClientAddresses
from gateway.edge.guard import Route
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

    def around(self, row: Route, handler: Handler) -> Handler:
        """Return the handler of a row behind its limit; it is the handler itself where no network is counted."""
        limit = row.limit
        if limit is None or limit not in OF_NETWORKS:
            return handler

        async def limited(request: web.Request) -> web.StreamResponse:
            self.before(request, limit)
            try:
                response = await handler(request)
            except (BadRequest, SignInExpired) as error:
                self.after(request, limit, error)
                raise
            self.after(request, limit)
            return response

        return limited

    def before(self, request: web.Request, limit: Limit) -> None:
        """Judge a request of a route with such a limit; raises TooManyRequests where its network has done too much."""
        if limit is Limit.LOGOUT_TOKENS:
            return
        if limit not in IN_VAIN:
            request[CLAIM] = self._limits.claim(limit, self._caller(request))
        elif not self._is_known(request):
            self._limits.look(limit, self._caller(request))

    def after(self, request: web.Request, limit: Limit, error: Exception | None = None) -> None:
        """Count what came to nothing, as the answer or the error says; raises TooManyRequests instead of that error."""
        if limit is Limit.LOGOUT_TOKENS:
            if isinstance(error, BadRequest):
                self._limits.take(limit, self._caller(request))
        elif limit in IN_VAIN and (
            isinstance(error, SignInExpired) or (error is None and CAME_TO_NOTHING in request)
        ):
            self._limits.note(limit, self._caller(request))

    def _caller(self, request: web.Request) -> Caller:
        return network_caller(self._addresses.of(request))
