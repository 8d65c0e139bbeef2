"""The other side of a WebSocket: the handshake with a row's upstream, and what is answered where it opens nothing.

Owns what an upstream is told of a browser's handshake, and that a demand for a confirmation is kept for its person.
Never relays a message, and never answers a browser's handshake by 101.
"""

from collections.abc import Mapping, Sequence

from aiohttp import hdrs, web

from gateway.errors import StepUpRequired
from gateway.flows.step_up import StepUps
from gateway.proxy.exchange import Exchange, OutgoingRequest
from gateway.proxy.headers import inward, outward
from gateway.proxy.paths import address_of
from gateway.session.sessions import LiveSession
from gateway.upstream_rows import UpstreamRow
from servicekit.errors import BadRequest
from servicekit.http.departures import CallerLeft, while_caller_stays
from servicekit.socket_call import SocketLimits, UpstreamSocket


class SocketHandshakes:
    """Opens sockets to upstreams, each by the exchange of its row's name."""

    def __init__(self, exchanges: Mapping[str, Exchange], step_ups: StepUps) -> None:
        self._exchanges = exchanges
        self._step_ups = step_ups

    async def open(
        self,
        request: web.Request,
        session: LiveSession | None,
        row: UpstreamRow,
        subprotocols: Sequence[str],
        limits: SocketLimits,
    ) -> UpstreamSocket | web.StreamResponse:
        """Return the socket, or the answer that the upstream gave instead: it passes as it is.

        Raises StepUpRequired with the way out, BadRequest, and what `Exchange.open_socket` raises.
        """
        address = address_of(row, request.raw_path)
        handshake = OutgoingRequest(hdrs.METH_GET, address, outward(row, request.headers))
        try:
            with while_caller_stays(request):
                reply = await self._exchanges[row.name].open_socket(session, handshake, subprotocols, limits)
        except CallerLeft:
            raise BadRequest("The browser has left.") from None
        except StepUpRequired as required:
            if session is None:  # pragma: no cover - for the types: no token was asked for
                raise
            kept = await self._step_ups.keep(session, required)
            kept.members["upstream"] = row.name
            raise kept from None
        if reply.socket:
            return reply.socket
        fields = inward(row, reply.headers, asked=address)
        return web.Response(status=reply.status, headers=fields, body=reply.body)
