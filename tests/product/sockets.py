"""Opens WebSockets to an upstream as pages do, over real sockets. Replaces nothing of the product."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from servicekit.audit.trail import Trail
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.raw_handshake import handshake
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.tenant import EDIT
from tests.stage.witnesses import SESSION
from tests.stage.world import World, served

ROWS = """
[[upstream]]
name = "chat"
prefix = "/api/chat"
target = "{target}"
websocket = true

[[upstream]]
name = "vault"
prefix = "/api/vault"
target = "{target}"
websocket = true
scope = "{scope}"

[[upstream]]
name = "news"
prefix = "/api/news"
target = "{target}"
websocket = true
anonymous = true

[[upstream]]
name = "plain"
prefix = "/api/plain"
target = "{target}"
"""


@dataclass
class Chat:
    """A world with an upstream that has WebSockets."""

    world: World
    upstream: SocketUpstream

    async def open(
        self, person: OtherFrontEnd, path: str = "/api/chat/echo", **more: Any
    ) -> "aiohttp.ClientWebSocketResponse[bool]":
        """Open a socket as a page of ours does."""
        socket: aiohttp.ClientWebSocketResponse[bool] = await person.session.ws_connect(
            self.world.gateway_url + path, origin=self.world.gateway_url, autoclose=False, **more
        )
        return socket

    async def refused(self, person: OtherFrontEnd, path: str, **headers: str) -> Answer:
        """Send a handshake that opens nothing, and return the answer that no page could read."""
        cookie = [("Cookie", f"{SESSION}={person.cookie()}")] if person.cookie() else []
        named = {
            "Origin": self.world.gateway_url,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        answer = await handshake(self.world.gateway_url, path, [*named.items(), *cookie])
        typed = {"Content-Type": answer.headers.get("content-type", ""), **answer.headers}
        return Answer(answer.status, typed, answer.after.decode())


@asynccontextmanager
async def chatting(
    make_world: Callable[..., Awaitable[World]], folder: Path, trail: Trail | None = None
) -> AsyncIterator[Chat]:
    """Give a world with rows for WebSockets."""
    upstream, port = SocketUpstream(), free_port()
    rows = folder / "upstreams.toml"
    rows.write_text(ROWS.format(target=f"http://127.0.0.1:{port}", scope=EDIT), encoding="utf-8")
    async with served(upstream.app(), port):
        yield Chat(await make_world(UPSTREAMS=str(rows), trail=trail), upstream)


async def heard(socket: "aiohttp.ClientWebSocketResponse[bool]") -> tuple[int | None, str]:
    """Return the close that a browser hears."""
    message: Any = await asyncio.wait_for(socket.receive(), PATIENCE)
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    await socket.close(code=message.data)
    return message.data, message.extra
