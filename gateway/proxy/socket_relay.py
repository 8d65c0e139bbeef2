"""Messages of a WebSocket from one side to the other, until either leaves or somebody ends both.

Owns back-pressure, how much of a message is held, and what each side is told at the end (RFC 6455, section 7.4).
Pings are answered on each side by itself, so that a proxy between us and either sees that somebody is there.
Never reads what is in a message, and never says why a session ended.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp import web

from servicekit.cancellation import ended
from servicekit.socket_call import UpstreamSocket

Browser = web.WebSocketResponse[bool]
Upstream = UpstreamSocket

NO_STATUS: Final = 0
"""What a close without a code is called here; RFC 6455 has 1005 for it, which is never sent."""
NORMAL: Final = 1000
GOING_AWAY: Final = 1001
TOO_BIG: Final = 1009
MANDATORY_EXTENSION: Final = 1010
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
SIGNED_OUT: Final = 3000
"""IANA's registry of close codes: unauthorized. The reason is that of `session-ended`."""
# What an endpoint may send; the others are for its own side's use, of an extension, or unknown to browsers (1014).
_OF_THE_PROTOCOL: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013})
_OF_APPLICATIONS: Final = range(3000, 5000)


@dataclass(frozen=True, slots=True)
class Close:
    """What a side is told, or said, at the end."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a socket ends, as the log has it, and what each side is told."""

    why: str
    browser: Close
    upstream: Close


RESTART: Final = Ending("gateway-stops", Close(SERVICE_RESTART), Close(GOING_AWAY))


def session_ended(reason: str) -> Ending:
    """Return the ending for a session that is over."""
    return Ending("session-ended", Close(SIGNED_OUT, reason), Close(GOING_AWAY))


async def relay(
    browser: Browser, upstream: Upstream, *others: Awaitable[Ending], close_seconds: float
) -> Ending:
    """Pass messages both ways until either side ends, or one of `others` says so; return why.

    Both are closed then, each within `close_seconds`, whatever they do; raises nothing that they do.
    """
    tasks = [
        asyncio.ensure_future(work)
        for work in (_from_browser(browser, upstream), _from_upstream(upstream, browser), *others)
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ending = next(task for task in tasks if task.done()).result()
    finally:
        await ended(*tasks)
    await asyncio.gather(
        _close(browser, ending.browser, close_seconds), _close(upstream, ending.upstream, close_seconds)
    )
    return ending


async def _from_browser(browser: Browser, upstream: Upstream) -> Ending:
    said = await _pass(browser, upstream)
    if isinstance(said, Close):
        code = _sendable(said.code, GOING_AWAY, MANDATORY_EXTENSION)
        return Ending("closed-by-browser", Close(_echo(said.code), said.reason), Close(code, said.reason))
    if said:
        return Ending("browser-broke-protocol", Close(said), Close(GOING_AWAY))
    return Ending("browser-left", Close(GOING_AWAY), Close(GOING_AWAY))


async def _from_upstream(upstream: Upstream, browser: Browser) -> Ending:
    said = await _pass(upstream, browser)
    if isinstance(said, Close):
        code = _sendable(said.code, INTERNAL_ERROR)
        return Ending("closed-by-upstream", Close(code, said.reason), Close(_echo(said.code), said.reason))
    if said:
        # A browser learns that a message was too large: whoever wrote the page can do something about it.
        code = TOO_BIG if said == TOO_BIG else INTERNAL_ERROR
        return Ending("upstream-broke-protocol", Close(code), Close(said))
    return Ending("upstream-left", Close(INTERNAL_ERROR), Close(GOING_AWAY))


async def _pass(source: Browser | Upstream, sink: Browser | Upstream) -> Close | int:
    """Pass messages on until `source` ends.

    Returns its close, or the code of what it did wrong, which it was told already; 0 where it, or `sink`, just left.
    """
    while True:
        message: Any = await source.receive()
        if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            try:
                await sink.send_frame(message.data, message.type)
            except (ConnectionError, aiohttp.ClientError):
                # The other way tells of it, and knows more: a close that has just come, or none.
                await asyncio.Event().wait()
        elif message.type is aiohttp.WSMsgType.CLOSE:
            return Close(message.data, message.extra)
        elif message.type is aiohttp.WSMsgType.ERROR and isinstance(message.data, aiohttp.WebSocketError):
            return int(message.data.code)
        else:
            return 0


def _sendable(code: int, otherwise: int, *also: int) -> int:
    """Return the code as it may be sent on."""
    if code == NO_STATUS:
        return NORMAL
    return code if code in _OF_THE_PROTOCOL or code in _OF_APPLICATIONS or code in also else otherwise


def _echo(code: int) -> int:
    """Return the code for whoever said it: the same, where it may be sent at all (RFC 6455, section 5.5.1)."""
    return _sendable(code, NORMAL)


async def _close(side: Browser | Upstream, close: Close, seconds: float) -> None:
    """Close one side in time; whoever takes nothing more is cut off."""
    with contextlib.suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
        async with asyncio.timeout(seconds):
            await side.close(code=close.code, message=close.reason.encode())
