"""Two releases behind other people's proxies: the files of each build come from the gateway that has it."""

import asyncio
import ssl
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests.stage.certificates import Flaw, server_context
from tests.stage.front_proxies import PROXIES, Place, program_of, proxied
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.unit.gateway.edge.small_client import SCRIPT, build_at, make_client, serving

# Traefik asks nobody else where an answer says 404; docs/how-to/behind-a-proxy.md says what to do then.
ASK_THE_OTHER: Final = [name for name in PROXIES if name != "traefik"]
# Each build twice in a row, so that a proxy that takes turns meets the wrong gateway.
_ASKED: Final = (0, 0, 1, 1) * 3


async def test_L7_while_a_release_is_rolled_out_each_page_gets_the_files_of_its_own_build(
    tmp_path: Path, valkey: str
) -> None:
    installed = [name for name in ASK_THE_OTHER if program_of(name)]
    if not installed:
        pytest.skip("no proxy is installed on this computer")
    _, bundle = server_context(tmp_path, Flaw())
    tls = ssl.create_default_context(cafile=bundle)
    async with AsyncExitStack() as ending:
        scripts, ports = {}, []
        for release in ("old", "new"):
            folder = tmp_path / release
            folder.mkdir()
            spa = make_client(folder)
            (spa / "app.js").write_text(f"{release}();\n{SCRIPT}", "utf-8")
            ports.append(await ending.enter_async_context(serving(spa, valkey)))
            scripts[await build_at(ports[-1])] = f"{release}();\n{SCRIPT}"
        for name in installed:
            folder, front = tmp_path / name, free_port()
            folder.mkdir()
            place = Place(folder, tmp_path / "chain.pem", front, [f"127.0.0.1:{port}" for port in ports])
            with proxied(name, place):
                async with asyncio.timeout(PATIENCE):
                    for build, script in ([*scripts.items()][number] for number in _ASKED):
                        assert await sent(front, f"/assets/{build}/app.js", tls) == (
                            200,
                            "public, max-age=31536000, immutable",
                            script,
                        ), name
                    status, caching, _ = await sent(front, f"/assets/{'0' * 32}/app.js", tls)
                    assert (status, caching) == (404, "no-store"), name


async def sent(front: int, path: str, tls: ssl.SSLContext) -> tuple[int, str, str]:
    """Return status, caching and body of what comes through a proxy, each time by a connection of its own."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{front}{path}", ssl=tls) as answer,
    ):
        return answer.status, answer.headers["Cache-Control"], await answer.text()
