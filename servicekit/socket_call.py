"""Opening a WebSocket to another server (RFC 6455, section 4.1), and what it answers where it opens none.

Owns the judgement on the answer to the handshake: what was not offered, asked or proven is no WebSocket. No extension
is offered, and so nothing is ever unpacked.
Never follows a redirect, carries a cookie or tries again, and never reads meaning into a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from servicekit.answer_ids import log_answer
from servicekit.outbound_error import (
    NOT_A_WEBSOCKET,
    TOO_LARGE,
    OutboundError,
    outbound_error_of,
)
from servicekit.outgoing_connections import Connections
from servicekit.reference import request_id_header
from servicekit.remote_timeout import RemoteTimeout
from servicekit.upstream import UpstreamGuard
from servicekit.upstream_health import is_failure

LARGEST_REFUSAL: Final = 65_536
_SWITCHING: Final = 101
_FAILED: Final = 400
_GATEWAY_TIMEOUT: Final = 504
# What aiohttp would say for whoever did not say it.
_NOT_ADDED: Final = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING)


class UpstreamSocket(aiohttp.ClientWebSocketResponse[bool]):
    """The other side's end of a WebSocket that is open."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """What the answer to the handshake said."""
        return self._response.headers

    def cut(self) -> None:
        """End it at once, without a word."""
        self._response.close()


@dataclass(frozen=True, slots=True)
class SocketReply:
    """What a handshake was answered: a `socket`, or a whole refusal whose `body` is not unpacked."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes = b""
    socket: UpstreamSocket | None = None

    def close(self) -> None:
        """End what was opened, if anything was."""
        if self.socket:
            self.socket.cut()


class _HandshakeRefused(Exception):
    def __init__(self, reply: SocketReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may cost; times in seconds, `message` in bytes.

    A side that says nothing is pinged after `heartbeat`, and given up without an answer after half as much again.
    `close` is how long a closing handshake is waited for.
    """

    message: int = 1_048_576
    heartbeat: float = 20
    close: float = 3


class SocketCalls:
    """Opens WebSockets to one upstream, each by a connection of its own: once it is open it takes no place from a call.

    `name` is the upstream's in the log. How many may be open is bounded by whoever opens them.
    """

    def __init__(self, connections: Connections, guard: UpstreamGuard | None, name: str | None) -> None:
        self._connections = connections
        self._guard = guard
        self._name = name
        self._session: aiohttp.ClientSession | None = None

    async def open(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        subprotocols: Sequence[str],
        seconds: float,
        limits: SocketLimits,
    ) -> SocketReply:
        """Send a handshake, and return the answer that came within `seconds`; `url` goes out byte for byte.

        Raises OutboundError where no answer came or none that counts, Overloaded where too many calls are under way:
        then nothing was sent.
        """
        address, extra = self._connections.address_of(url)
        fields = CIMultiDict(headers)
        fields.update({**request_id_header(), **extra})
        session = self._session = self._session or self._new_session()

        async def send() -> SocketReply:
            try:
                socket = await _open(
                    session,
                    address,
                    headers=fields,
                    subprotocols=subprotocols,
                    seconds=seconds,
                    limits=limits,
                )
            except (aiohttp.ClientError, OSError) as error:
                raise outbound_error_of(error) from error
            return SocketReply(_SWITCHING, socket.headers, socket=socket)

        try:
            # Never given up beside its caller: nobody would close what was opened.
            return await (self._guard.run(send, judge=_is_failure, is_read=False) if self._guard else send())
        except _HandshakeRefused as refused:
            reply = refused.reply
            if reply.status >= _FAILED:
                log_answer(self._name, hdrs.METH_GET, reply.status, reply.headers)
            return reply

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self._connections.tls, limit=0, force_close=True)
        session = _socket_session(connector, self._connections.connect_seconds)
        self._connections.closing.push_async_callback(session.close)
        return session


def _socket_session(connector: aiohttp.BaseConnector, connect_seconds: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds),
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=_NOT_ADDED,
        middlewares=(_judge,),
        ws_response_class=UpstreamSocket,  # type: ignore[arg-type]  # its text stays bytes
    )


async def _open(
    session: aiohttp.ClientSession,
    address: URL,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    seconds: float,
    limits: SocketLimits,
) -> UpstreamSocket:
    try:
        async with RemoteTimeout(seconds):
            socket = await session.ws_connect(
                address,
                headers=headers,
                protocols=subprotocols,
                timeout=aiohttp.ClientWSTimeout(ws_close=limits.close),
                autoclose=False,
                heartbeat=limits.heartbeat,
                compress=0,
                # It refuses what is as long as this.
                max_msg_size=limits.message + 1,
                decode_text=False,
            )
    except aiohttp.WSServerHandshakeError as error:
        raise OutboundError(NOT_A_WEBSOCKET, maybe_done=True) from error
    if not isinstance(socket, UpstreamSocket):  # pragma: no cover - for the types: the session makes no other
        raise TypeError
    return socket


async def _judge(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Read a refusal whole, before the library closes it or follows it, and refuse what the library lets through."""
    response = await send(request)
    offered = request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")
    try:
        fault = await _fault_in(response, offered)
    except BaseException:
        response.close()
        raise
    if fault:
        response.close()
        raise fault
    return response


async def _fault_in(response: aiohttp.ClientResponse, offered: Sequence[str]) -> Exception | None:
    if response.status != _SWITCHING:
        return _HandshakeRefused(SocketReply(response.status, response.headers, await _whole(response)))
    chosen = response.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, [])
    if len(chosen) > 1 or any(name not in offered for name in chosen):
        return OutboundError(NOT_A_WEBSOCKET, maybe_done=True)
    if hdrs.SEC_WEBSOCKET_EXTENSIONS in response.headers:
        return OutboundError(NOT_A_WEBSOCKET, maybe_done=True)
    return None


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(LARGEST_REFUSAL):
        body += piece
        if len(body) > LARGEST_REFUSAL:
            raise OutboundError(TOO_LARGE, maybe_done=True)
    return bytes(body)


def _is_failure(error: BaseException) -> bool | None:
    """Tell what an exception says of an upstream's health: a refusal says that it is there."""
    if isinstance(error, _HandshakeRefused):
        return error.reply.status == _GATEWAY_TIMEOUT
    return is_failure(error, is_fair=True)
