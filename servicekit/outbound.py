"""HTTP calls to the few servers that a service talks to.

Owns the way to each of them: its connections, places and circuit breaker; time-outs, the size limit, the id of the
request that a call is made for (`reference.py`), and the refusal to carry cookies or follow redirects: a stored cookie
would ride along with another person's request, a redirect could carry a bearer token to a stranger.
Never retries what may have been done (`http_client/client.py` repeats a read once whose connection was cut), and never
reads meaning into a status.
"""

import asyncio
import functools
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar
from urllib.parse import urlsplit

from yarl import URL

from servicekit.address_map import AddressMap
from servicekit.answer_ids import log_answer
from servicekit.errors import Overloaded
from servicekit.http_client.client import READS, HttpClient, Request
from servicekit.http_client.request_head import request_head
from servicekit.outbound_call import OpenReplies, OutboundCall
from servicekit.outgoing_connections import (
    CONNECT_SECONDS,
    REUSE_FOR_WRITES_SECONDS,
    REUSE_SECONDS,
    Connections,
)
from servicekit.reference import request_id_header
from servicekit.reply import Reply
from servicekit.socket_call import SocketCalls
from servicekit.streamed_reply import StreamedReply
from servicekit.upload import Upload
from servicekit.upstream import Judge, Upstream, UpstreamGuard
from servicekit.upstream_health import is_failure, tells_of_time_out

R = TypeVar("R", Reply, StreamedReply)

_FAILED: Final = 400
_FAIR: Final = functools.partial(is_failure, is_fair=True)
_UNFAIR: Final = functools.partial(is_failure, is_fair=False)
# What a whole reply may be: it is opened where it is compressed.
_SENT_LINES: Final = "Accept-Encoding: gzip, deflate\r\n"


class Outbound:
    """Sends requests to one upstream, or to whom nobody else needs to be kept apart from.

    It goes through pooled connections: some for reading, some for writing.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        upstream: Upstream | None = None,
        now: Callable[[], float] = time.monotonic,
        on_turn: Callable[[bool], None] | None = None,
    ) -> None:
        self.connections = connections
        """What it has in common with all other ways."""
        # Whoever has a place finds a connection: replies whose bodies take long have theirs beside the places.
        most = upstream.connections + upstream.open_replies if upstream else None
        self._reading = connections.client(REUSE_SECONDS, most)
        self._writing = connections.client(REUSE_FOR_WRITES_SECONDS, most)
        self._name = upstream.name if upstream else None
        self._longest = upstream.call_seconds if upstream else None
        self._open = OpenReplies(upstream.open_replies if upstream else None)
        self._guard = UpstreamGuard(upstream, now=now, on_turn=on_turn) if upstream else None
        if self._guard:
            connections.closing.push_async_callback(self._guard.close)
        self.sockets = SocketCalls(connections, self._guard, self._name)

    def to(
        self,
        upstream: Upstream,
        *,
        now: Callable[[], float] = time.monotonic,
        on_turn: Callable[[bool], None] | None = None,
    ) -> "Outbound":
        """Return the way to one upstream: connections, places and a circuit breaker of its own.

        `now` is a monotonic clock in seconds; `on_turn` hears True when the upstream is left alone, and False when it
        is not any more. It is closed together with this one.
        """
        return Outbound(self.connections, upstream=upstream, now=now, on_turn=on_turn)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json_body: object = None,
        timeout_seconds: float = 10,
    ) -> Reply:
        """Send one request and return the whole reply, whatever its status.

        Raises OutboundError when no complete reply came within `timeout_seconds`, and Overloaded where all connections
        are in use: then nothing was sent. Time in which our own loop stood still is not counted against the other side;
        a connection that seems to have failed for that is tried once more.

        Failures of an upstream are what keeps people waiting: time-outs, also those that a proxy in between has noticed
        (504), and connections that are not made. A time-out after less than a quarter of what a call may take says
        nothing, and neither does a connection that was cut; every other answer is one, 429 and 5xx too.
        """
        seconds = min(timeout_seconds, self._longest or timeout_seconds)
        address, target = self.connections.known.of(_written_out(url, params))
        body = None if json_body is None else json.dumps(json_body).encode()
        fields = {
            "Accept": "*/*",
            **(headers or {}),
            **request_id_header(),
            **_framing(method, body, is_json=True),
        }
        head = request_head(method, target, _SENT_LINES + address.lines, fields.items())
        call = OutboundCall(
            self._client(method), address.origin, Request(method, head, body, unpacks=True), seconds
        )
        reply = await self._guarded(call.whole, seconds=seconds, is_read=method in READS)
        self._log(method, url, reply)
        return reply

    async def open(
        self,
        method: str,
        url: str,
        *,
        fields: Iterable[tuple[str, str]],
        body: bytes | Upload | None = None,
        head_seconds: float,
    ) -> StreamedReply:
        """Send one request and return the reply as soon as its head is there; whoever has it must close it.

        `url` and `fields` go out as they stand, and what is compressed is not opened. `head_seconds` is what the other
        side may take for a connection, for each piece of an upload, and from its end to the head. Raises what `send`
        raises, and what the upload has failed with; Overloaded also where too many replies are open.
        """
        if self._open.number >= self._open.most:
            raise Overloaded(f"open replies of {self._name}: {self._open.number}")
        address, target = self.connections.known.of(url)
        said = [*fields, *request_id_header().items()]
        if body or method not in READS:
            said += _framing(method, body).items()
        head = request_head(method, target, address.lines, said)
        request, client = Request(method, head, body), self._client(method)
        is_read = method in READS and not isinstance(body, Upload)
        attempt = self._guard.begin(is_read=is_read) if self._guard else None
        if attempt:
            try:
                answered = await client.ask(address.origin, request, seconds=head_seconds)
            except BaseException as error:
                attempt.end_with(error, self._judge(head_seconds))
                raise
            reply = self._open.reply(answered, body)
            attempt.end(failed=tells_of_time_out(reply))
        else:
            call = OutboundCall(client, address.origin, request, head_seconds, self._open)
            try:
                reply = await self._guarded(call.opened, seconds=head_seconds, is_read=is_read)
            except BaseException:
                call.abandon()
                raise
        self._log(method, url, reply)
        return reply

    async def _guarded(self, send: Callable[[], Awaitable[R]], *, seconds: float, is_read: bool) -> R:
        if self._guard is None:
            return await send()
        return await self._guard.run(
            send, judge=self._judge(seconds), is_read=is_read, fails=tells_of_time_out
        )

    def _judge(self, seconds: float) -> Judge:
        is_fair = self._longest is not None and seconds >= self._longest / 4
        return _FAIR if is_fair else _UNFAIR

    def _client(self, method: str) -> HttpClient:
        return self._reading if method in READS else self._writing

    def _log(self, method: str, url: str, reply: Reply | StreamedReply) -> None:
        # Reading is what is done all day; the authority's documents are read once a day.
        if reply.status >= _FAILED or method not in READS or self._name is None:
            log_answer(self._name or urlsplit(url).hostname, method, reply.status, reply.headers)


def _written_out(url: str, params: Mapping[str, str] | None) -> str:
    return _with_query(url, tuple(params.items())) if params else url


# What is asked for by parameters is the same for everybody.
@functools.lru_cache(maxsize=64)
def _with_query(url: str, params: tuple[tuple[str, str], ...]) -> str:
    return str(URL(url).extend_query(params))


def _framing(method: str, body: bytes | Upload | None, *, is_json: bool = False) -> dict[str, str]:
    """Return the fields that say where a body ends, and of one of our own what it is (RFC 9112, section 6)."""
    if isinstance(body, Upload):
        if body.length is None:
            return {"Transfer-Encoding": "chunked"}
        return {"Content-Length": str(body.length)}
    if not body:
        return {} if method in READS else {"Content-Length": "0"}
    length = {"Content-Length": str(len(body))}
    return {**length, "Content-Type": "application/json"} if is_json else length


@asynccontextmanager
async def outbound(
    address_map: AddressMap | None = None,
    ca_bundle: str | None = None,
    *,
    connect_seconds: float = CONNECT_SECONDS,
) -> AsyncIterator[Outbound]:
    """Open an Outbound for the life of an application; `ca_bundle` is a PEM file's path."""
    tls = await asyncio.to_thread(
        ssl.create_default_context, cafile=ca_bundle
    )  # reads some hundred certificates
    async with AsyncExitStack() as closing:
        yield Outbound(Connections.opened(address_map or AddressMap(), tls, connect_seconds, closing))
