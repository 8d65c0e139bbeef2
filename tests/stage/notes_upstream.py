"""An API of another team behind the gateway: keeps what it is asked, and answers as told.

Owns the rows that lead to it: reading without a token, writing with the token that the tenant gives after MFA only.
Never looks at a token: what a gateway does with one is told by others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path

from aiohttp import web
from multidict import CIMultiDict

from tests.stage.ports import free_port
from tests.stage.tenant import API
from tests.stage.world import served

SCOPE = f"api://{API}/EditProfileService.ReadWrite"
ROWS = """
[[upstream]]
name = "notes-read"
prefix = "/api/notes"
target = "{url}/v1"
methods = ["GET", "HEAD"]

[[upstream]]
name = "{name}"
prefix = "/api/notes"
target = "{url}/v1"
methods = ["POST", "PUT", "PATCH", "DELETE"]
scope = "{scope}"
park = true
reads = "/api/notes"
max_body = 1000000

[[upstream]]
name = "nobody"
prefix = "/api/nobody"
target = "http://127.0.0.1:{nobody}"
methods = ["POST"]
scope = "{scope}"
park = true

[[upstream]]
name = "hasty"
prefix = "/api/hasty"
target = "{url}/hasty"
methods = ["GET", "POST"]
scope = "{scope}"
"""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: CIMultiDict[str]
    body: bytes


@dataclass
class Notes:
    """Answers what `status`, `headers` and `body` say; a status of None cuts the connection."""

    url: str
    status: int | None = 201
    headers: dict[str, str] = field(default_factory=lambda: {"Location": "/v1/7", "ETag": '"1"'})
    body: bytes = b'{"id": 7}'
    resource: web.Response | bytes = b'{"title": "Sketch"}'
    """What is read: JSON, or another answer."""
    asked: list[Asked] = field(default_factory=list)
    """What changes something, in its order."""
    read: list[Asked] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    waits: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take a request to its end, then do as told."""
        body = await request.read()
        asked = Asked(request.method, request.raw_path, CIMultiDict(request.headers), body)
        if request.method == "GET":
            self.read.append(asked)
            read = self.resource
            if isinstance(read, bytes):
                return web.Response(body=read, content_type="application/json")
            return web.Response(status=read.status, body=read.body, headers=read.headers)
        self.asked.append(asked)
        self.reached.set()
        if self.waits:
            await self.waits.wait()
        if self.status is None:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return web.Response(status=self.status or 500, body=self.body, headers=self.headers)

    def begin_again(self) -> None:
        """Forget what was asked, and answer as at first."""
        first = Notes(self.url)
        for member in fields(self):
            setattr(self, member.name, getattr(first, member.name))

    def say(self, status: int | None, **headers: str) -> None:
        """Answer so from here on; headers by their names with underscores."""
        self.status, self.headers = status, {name.replace("_", "-"): text for name, text in headers.items()}


@asynccontextmanager
async def notes_upstream() -> AsyncIterator[Notes]:
    """Run it while the block runs."""
    port = free_port()
    notes = Notes(f"http://127.0.0.1:{port}")
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", notes.answer)
    async with served(app, port):
        yield notes


def rows_file(folder: Path, notes: Notes, *, name: str = "notes") -> str:
    """Write the rows that lead to it, the one that writes under this name, and return the file's name."""
    file = folder / "upstreams.toml"
    file.write_text(ROWS.format(url=notes.url, scope=SCOPE, name=name, nobody=free_port()), encoding="utf-8")
    return str(file)
