"""HTTP calls to the few servers that a service talks to.

Owns time-outs, the size limit, the address map, and the refusal to carry cookies or follow redirects: a stored
cookie would ride along with another person's request, a redirect could carry a bearer token to a stranger.
Never retries what may have been sent (aiohttp itself repeats a GET once where a kept-alive connection was cut), and
never reads meaning into a status.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from multidict import CIMultiDictProxy

from servicekit.address_map import AddressMap
from servicekit.remote_timeout import RemoteTimeout, is_late
from servicekit.tls_refusal import refused_by_tls

LARGEST_REPLY: Final = 1_000_000
CONNECT_SECONDS: Final = 3
# How long an idle connection is used again. Servers close theirs after two seconds (gunicorn), five (Node.js, uvicorn)
# or more: a write that meets such an end is lost, and nobody may repeat it, so it goes by one that is young for sure.
REUSE_SECONDS: Final = 15
REUSE_FOR_WRITES_SECONDS: Final = 1
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OutboundError(Exception):
    """No complete reply came; `reason` is for the log: unreachable, timeout, cut, too-large, or why TLS failed.

    `maybe_done` is True unless the request cannot have reached the other side.
    """

    def __init__(self, reason: str, *, maybe_done: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.maybe_done = maybe_done


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


class Outbound:
    """Sends requests through pooled sessions: one for reading, one for writing."""

    def __init__(
        self,
        reading: aiohttp.ClientSession,
        writing: aiohttp.ClientSession,
        address_map: AddressMap | None = None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._reading = reading
        self._writing = writing
        self._map = address_map or AddressMap()
        self._connect_seconds = connect_seconds

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

        Raises OutboundError when no complete reply came within `timeout_seconds`. Time in which our own loop stood
        still is not counted against the other side; a connection that seems to have failed for that is tried once more.
        """
        session = self._reading if method in _READS else self._writing
        address, extra = self._map.apply(url)
        loop, tries = asyncio.get_running_loop(), 1
        while True:
            began = loop.time()
            try:
                async with (
                    RemoteTimeout(timeout_seconds),
                    session.request(
                        method,
                        address,
                        headers={**(headers or {}), **extra},
                        params=params,
                        json=json_body,
                        allow_redirects=False,
                    ) as response,
                ):
                    return Reply(response.status, response.headers, await _whole(response))
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                waited = isinstance(error, aiohttp.ConnectionTimeoutError)
                if waited and tries and is_late(began, self._connect_seconds):
                    tries -= 1
                    continue
                raise OutboundError(refused_by_tls(error) or "unreachable", maybe_done=False) from error
            except TimeoutError as error:
                raise OutboundError("timeout", maybe_done=True) from error
            except (aiohttp.ClientError, OSError) as error:
                raise OutboundError("cut", maybe_done=True) from error


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
    async with (
        _session(tls, connect_seconds, REUSE_SECONDS) as reading,
        _session(tls, connect_seconds, REUSE_FOR_WRITES_SECONDS) as writing,
    ):
        yield Outbound(reading, writing, address_map, connect_seconds=connect_seconds)


def _session(tls: ssl.SSLContext, connect_seconds: float, reuse_seconds: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=tls, limit=200, limit_per_host=100, keepalive_timeout=reuse_seconds
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds),
        trust_env=False,
        auto_decompress=True,
    )
