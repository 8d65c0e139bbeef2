"""WebSockets through other people's proxies, each with its file of docs/how-to/proxies."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.real.proxies.test_proxies import fronted
from tests.stage.front_proxies import PROXIES
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.world import World, served

ROW = '[[upstream]]\nname = "chat"\nprefix = "/api/chat"\ntarget = "http://127.0.0.1:{}"\nwebsocket = true\n'


@pytest.mark.parametrize("name", PROXIES)
async def test_S18_a_socket_leads_through_a_proxy_and_ends_with_its_session(
    name: str, make_world: Callable[..., Awaitable[World]], tmp_path: Path
) -> None:
    upstream, port = SocketUpstream(), free_port()
    rows = tmp_path / "upstreams.toml"
    rows.write_text(ROW.format(port), encoding="utf-8")
    async with (
        served(upstream.app(), port),
        fronted(name, make_world, tmp_path, UPSTREAMS=str(rows)) as front,
    ):
        ada = await front.person()
        await ada.sign_in()
        opened = ada.session.ws_connect(f"{front.url}/api/chat/echo", origin=front.url, autoclose=False)
        async with opened as socket:
            for text in ("hello", "x" * 300_000):
                await socket.send_str(text)
                assert await socket.receive_str() == text
            waiting = asyncio.create_task(socket.receive())
            await asyncio.sleep(75)
            await socket.send_str("later")
            assert (await waiting).data == "later"
            assert (await ada.call("POST", "/auth/sign-out")).status == 200
            message: Any = await asyncio.wait_for(socket.receive(), PATIENCE)

        assert message.type is aiohttp.WSMsgType.CLOSE
        assert (message.data, message.extra) == (3000, "signed-out")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await ada.session.ws_connect(f"{front.url}/api/chat/echo", origin="https://evil.example")
        assert refused.value.status == 403
