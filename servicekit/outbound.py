"""HTTP calls to the few servers that a service talks to.

Owns the connections, of which each upstream has its own; time-outs, the size limit, the address map, the id of the
request that a call is made for (`reference.py`), and the refusal to carry cookies or follow redirects: a stored cookie
would ride along with another person's request, a redirect could carry a bearer token to a stranger.
Never retries what may have been sent (aiohttp itself repeats a GET once where a kept-alive connection was cut), and
never reads meaning into a status.
"""

import asyncio
import functools
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDictProxy

from servicekit.address_map import AddressMap
from servicekit.answer_ids import log_answer
from servicekit.reference import request_id_header
from servicekit.remote_timeout import RemoteTimeout, is_late
from servicekit.tls_refusal import refused_by_tls
from servicekit.upstream import Upstream, UpstreamGuard, UpstreamPaused

LARGEST_REPLY: Final = 1_000_000
CONNECT_SECONDS: Final = 3
# How long an idle connection is used again. Servers close theirs after two seconds (gunicorn), five (Node.js, uvicorn)
# or more: a write that meets such an end is lost, and nobody may repeat it, so it goes by one that is young for sure.
REUSE_SECONDS: Final = 15
REUSE_FOR_WRITES_SECONDS: Final = 1
_MOST: Final = 200
_MOST_TO_ONE: Final = 100
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_GATEWAY_TIMEOUT: Final = 504
_FAILED: Final = 400


class OutboundError(Exception):
    """No complete reply came; `reason` is for the log: unreachable, timeout, cut, too-large, or why TLS failed.

    Or it is `paused`: the other side fails, and is left alone for `retry_after` seconds.
    `maybe_done` is True unless the request cannot have reached the other side.
    """

    def __init__(self, reason: str, *, maybe_done: bool, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.maybe_done = maybe_done
        self.retry_after = retry_after


class _TimedOutBehind(Exception):
    """A reply by which a proxy in between says that the server behind it took too long."""

    def __init__(self, reply: "Reply") -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; header names are case-insensitive."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body; raises ValueError when it is not JSON."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @property
    def retry_after(self) -> int | None:
        """Seconds that the other side asks to wait, at most an hour; None when it does not say."""
        return retry_after_seconds(self.headers)


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return how long an answer asks to wait, at most an hour; None when it does not say, or says it as a date."""
    text = headers.get("Retry-After", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 9 else None  # noqa: PLR2004 - more digits than an hour needs


@dataclass(frozen=True, slots=True)
class Connections:
    """What all ways have in common: the map, what TLS trusts, how long connecting takes, and that they end together."""

    addresses: AddressMap
    tls: ssl.SSLContext
    connect_seconds: float
    closing: AsyncExitStack

    def session(self, reuse_seconds: float, limit: int | None) -> aiohttp.ClientSession:
        """Return a session that keeps idle connections for `reuse_seconds`, and `limit` of them in all."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self.tls,
                limit=limit or _MOST,
                limit_per_host=0 if limit else _MOST_TO_ONE,
                keepalive_timeout=reuse_seconds,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.connect_seconds),
            trust_env=False,
            auto_decompress=True,
        )
        self.closing.push_async_callback(session.close)
        return session


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
        limit = upstream.connections if upstream else None
        self._reading = connections.session(REUSE_SECONDS, limit)
        self._writing = connections.session(REUSE_FOR_WRITES_SECONDS, limit)
        self._name = upstream.name if upstream else None
        self._longest = upstream.call_seconds if upstream else None
        self._guard = UpstreamGuard(upstream, now=now, on_turn=on_turn) if upstream else None
        if self._guard:
            connections.closing.push_async_callback(self._guard.close)

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
        send = functools.partial(
            self._send, method, url, headers=headers, params=params, json_body=json_body, seconds=seconds
        )
        if self._guard is None:
            return await send()
        is_fair = self._longest is not None and seconds >= self._longest / 4
        try:
            return await self._guard.run(
                functools.partial(_in_time, send),
                judge=functools.partial(_is_failure, is_fair=is_fair),
                is_read=method in _READS,
            )
        except UpstreamPaused as paused:
            raise OutboundError("paused", maybe_done=paused.was_sent, retry_after=paused.seconds) from None
        except _TimedOutBehind as late:
            return late.reply

    async def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        json_body: object,
        seconds: float,
    ) -> Reply:
        session = self._reading if method in _READS else self._writing
        address, extra = self._connections.addresses.apply(url)
        loop, tries = asyncio.get_running_loop(), 1
        while True:
            began = loop.time()
            try:
                async with (
                    RemoteTimeout(seconds),
                    session.request(
                        method,
                        address,
                        headers={**(headers or {}), **request_id_header(), **extra},
                        params=params,
                        json=json_body,
                        allow_redirects=False,
                    ) as response,
                ):
                    reply = Reply(response.status, response.headers, await _whole(response))
                    # Reading is what is done all day; the authority's documents are read once a day.
                    if method not in _READS or reply.status >= _FAILED or self._name is None:
                        log_answer(self._name or urlsplit(url).hostname, method, reply.status, reply.headers)
                    return reply
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                waited = isinstance(error, aiohttp.ConnectionTimeoutError)
                if waited and tries and is_late(began, self._connections.connect_seconds):
                    tries -= 1
                    continue
                raise OutboundError(refused_by_tls(error) or "unreachable", maybe_done=False) from error
            except TimeoutError as error:
                raise OutboundError("timeout", maybe_done=True) from error
            except (aiohttp.ClientError, OSError) as error:
                raise OutboundError("cut", maybe_done=True) from error


async def _in_time(send: Callable[[], Awaitable[Reply]]) -> Reply:
    reply = await send()
    if reply.status == _GATEWAY_TIMEOUT:
        raise _TimedOutBehind(reply)
    return reply


def _is_failure(error: BaseException, *, is_fair: bool) -> bool | None:
    """Tell what an exception says of an upstream; `is_fair` says that it was given its time."""
    if isinstance(error, _TimedOutBehind):
        return True
    if not isinstance(error, OutboundError) or error.reason == "cut":
        return None
    if error.reason == "timeout" and not is_fair:
        return None
    return error.reason != "too-large"


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    chunks = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        chunks += chunk
        if len(chunks) > LARGEST_REPLY:
            raise OutboundError("too-large", maybe_done=True)
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
