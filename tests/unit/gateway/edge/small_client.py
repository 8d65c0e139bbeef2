"""A client of five files, which a gateway serves, and whoever asks for them: what tests of served files share."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp

from gateway.app import create_app
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import PATIENT, gateway_settings, served

SCRIPT = "export const words = 'M\u00e4rz';\n" * 50
PAGE = """<!doctype html>
<script src="/not-loaded.js" async></script>
<link rel="stylesheet" href="/css/app.css">
<link rel="modulepreload" href="/app.js">
<script src="/app.js" type="module"></script>
"""


def make_client(folder: Path) -> Path:
    """Write the client, and beside it a file that is nobody's; return where it lies."""
    (folder / "secret.js").write_text("secret", encoding="utf-8")
    root = folder / "spa"
    (root / "css").mkdir(parents=True)
    (root / "index.html").write_text(PAGE, encoding="utf-8")
    (root / "app.js").write_text(SCRIPT, encoding="utf-8")
    (root / "css" / "app.css").write_text("body {}", encoding="utf-8")
    (root / "not-loaded.js").write_text("again()", encoding="utf-8")
    (root / "notes.bak").write_text("secret", encoding="utf-8")
    return root


@asynccontextmanager
async def serving(spa: Path, valkey: str) -> AsyncIterator[int]:
    """Serve the client; give the port."""
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey), spa=spa, redis_limits=PATIENT)
    async with served(app, port, "localhost"):
        yield port


def page_of(build: str) -> str:
    """Return the page as it is sent."""
    return re.sub(r'"/(?=[a-z])', f'"/assets/{build}/', PAGE)


async def build_at(port: int) -> str:
    """Return the build that the page names."""
    found = re.search(r"/assets/([0-9a-f]{32})/app.js", (await get(port, "/"))[1].decode())
    assert found
    return found[1]


async def get(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    """Ask as a browser would that shows its bytes as they came."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session,
        session.request(method, f"http://localhost:{port}{path}", headers=named) as response,
    ):
        return response, await response.read()


def raw(port: int, path: str) -> tuple[int, bytes]:
    """Ask for a path that no client library would leave as it is."""
    with closing(socket.create_connection(("localhost", port), timeout=PATIENCE)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer
