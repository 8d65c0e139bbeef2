"""HTTP calls to the few servers that a service talks to.

Owns the way to each of them: its connections, places and circuit breaker; time-outs, the size limit, the id of the
request that a call is made for (`reference.py`), and the refusal to carry cookies or follow redirects: a stored cookie
would ride along with another person's request, a redirect could carry a bearer token to a stranger.
Never retries what may have been sent (aiohttp itself repeats a GET once where a kept-alive connection was cut), and
never reads meaning into a status.
"""

import asyncio
import functools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, cast
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict

from servicekit.address_map import AddressMap
from servicekit.answer_ids import log_answer
from servicekit.errors import Overloaded
from servicekit.outbound_error import (
    PAUSED,
    TOO_LARGE,
    OutboundError,
    outbound_error_of,
)
from servicekit.outgoing_connections import (
    CONNECT_SECONDS,
    READS,
    REUSE_FOR_WRITES_SECONDS,
    REUSE_SECONDS,
    Connections,
)
from servicekit.reference import request_id_header
from servicekit.remote_timeout import RemoteTimeout, is_late
from servicekit.reply import Reply
from servicekit.socket_call import SocketCalls
from servicekit.streamed_reply import Opening, StreamedReply, failure_of, open_reply
from servicekit.upload import Upload
from servicekit.upstream import Upstream, UpstreamGuard, UpstreamPaused
from servicekit.upstream_health import R, TimedOutBehindError, in_time, is_failure

LARGEST_REPLY: Final = 1_000_000
_FAILED: Final = 400


class Outbound:
    """Sends requests to one upstream, or to whom nobody else needs to be kept apart from.

    It goes through pooled sessions: one for reading, one for writing.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        upstream: Upstream | None = None,
        now: Callable[[], float] = time.monotonic,
        on_turn: Callable[[bool], None] | None = None,
    ) -> None:
        self._connections = connections
        # Whoever has a place finds a connection: replies whose bodies take long have theirs beside the places.
        limit = upstream.connections + upstream.open_replies if upstream else None
        self._reading = connections.session(REUSE_SECONDS, limit)
        self._writing = connections.session(REUSE_FOR_WRITES_SECONDS, limit)
        self._name = upstream.name if upstream else None
        self._longest = upstream.call_seconds if upstream else None
        self._most_open = upstream.open_replies if upstream else None
        self._open = 0
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
        return Outbound(self._connections, upstream=upstream, now=now, on_turn=on_turn)

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

        async def once() -> Reply:
            address, extra = self._connections.addresses.apply(url)
            async with (
                RemoteTimeout(seconds),
                self._session(method).request(
                    method,
                    address,
                    headers={**(headers or {}), **request_id_header(), **extra},
                    params=params,
                    json=json_body,
                    allow_redirects=False,
                ) as response,
            ):
                return Reply(response.status, response.headers, await _whole(response))

        async def send() -> Reply:
            try:
                reply = await self._patiently(once)
            except (aiohttp.ClientError, OSError) as error:
                raise outbound_error_of(error) from error
            self._log(method, url, reply)
            return reply

        return await self._guarded(send, seconds=seconds, is_read=method in READS)

    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | Upload | None = None,
        head_seconds: float,
    ) -> StreamedReply:
        """Send one request and return the reply as soon as its head is there; whoever has it must close it.

        `url` goes out byte for byte, and what is compressed is not opened. `head_seconds` is what the other side may
        take for a connection, for each piece of an upload, and from its end to the head. Raises what `send` raises,
        and what the upload has failed with; Overloaded also where too many replies are open.
        """
        if self._most_open is not None and self._open >= self._most_open:
            raise Overloaded(f"open replies of {self._name}: {self._open}")
        opening = Opening()

        async def once() -> StreamedReply:
            address, extra = self._connections.address_of(url)
            fields = CIMultiDict(headers)
            fields.update({**request_id_header(), **extra})
            return await open_reply(
                self._session(method), method, address, headers=fields, body=body, seconds=head_seconds
            )

        async def send() -> StreamedReply:
            try:
                reply = await self._patiently(once)
            except (aiohttp.ClientError, OSError) as error:
                raise failure_of(error, body) from error
            self._open += 1
            reply.on_close = self._one_less
            opening.keep(reply)
            self._log(method, url, reply)
            return reply

        try:
            return await self._guarded(
                send, seconds=head_seconds, is_read=method in READS and not isinstance(body, Upload)
            )
        except BaseException:
            opening.abandon()
            raise

    async def _guarded(self, send: Callable[[], Awaitable[R]], *, seconds: float, is_read: bool) -> R:
        if self._guard is None:
            return await send()
        is_fair = self._longest is not None and seconds >= self._longest / 4
        try:
            return await self._guard.run(
                functools.partial(in_time, send),
                judge=functools.partial(is_failure, is_fair=is_fair),
                is_read=is_read,
            )
        except UpstreamPaused as paused:
            raise OutboundError(PAUSED, maybe_done=paused.was_sent, retry_after=paused.seconds) from None
        except TimedOutBehindError as late:
            return cast("R", late.reply)

    async def _patiently(self, once: Callable[[], Awaitable[R]]) -> R:
        """Try once more where connecting took too long while our own loop stood still."""
        began = asyncio.get_running_loop().time()
        try:
            return await once()
        except aiohttp.ConnectionTimeoutError:
            if not is_late(began, self._connections.connect_seconds):
                raise
        return await once()

    def _session(self, method: str) -> aiohttp.ClientSession:
        return self._reading if method in READS else self._writing

    def _log(self, method: str, url: str, reply: Reply | StreamedReply) -> None:
        # Reading is what is done all day; the authority's documents are read once a day.
        if method not in READS or reply.status >= _FAILED or self._name is None:
            log_answer(self._name or urlsplit(url).hostname, method, reply.status, reply.headers)

    def _one_less(self) -> None:
        self._open -= 1


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    chunks = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        chunks += chunk
        if len(chunks) > LARGEST_REPLY:
            raise OutboundError(TOO_LARGE, maybe_done=True)
    return bytes(chunks)


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
        yield Outbound(Connections(address_map or AddressMap(), tls, connect_seconds, closing))
