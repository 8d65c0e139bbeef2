"""A world with rows of upstreams that a test answers for, and requests to them as they come over the wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import RawUpstream, ok, raw_upstream, saying
from tests.stage.world import World

READ_SCOPE: Final = "https://graph.microsoft.com/User.Read"
"""A token for it is there from the sign-in on."""
EDIT_SCOPE: Final = "api://a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8/EditProfileService.ReadWrite"
"""One for it needs a confirmation."""

Make = Callable[..., Awaitable[World]]
Row = Mapping[str, Any]


def toml(rows: list[Row]) -> str:
    """Return rows as they stand in a file."""

    def value(given: object) -> str:
        if isinstance(given, bool):
            return str(given).lower()
        if isinstance(given, list):
            return f"[{', '.join(map(value, given))}]"
        return f'"{given}"' if isinstance(given, str) else str(given)

    return "\n".join(
        "[[upstream]]\n" + "\n".join(f"{name} = {value(given)}" for name, given in row.items())
        for row in rows
    )


@dataclass
class Rows:
    """A world, the upstream behind its rows, and Ada, who is signed in."""

    world: World
    upstream: RawUpstream
    ada: OtherFrontEnd

    def cookies(self) -> tuple[str, str]:
        """Return the header by which a raw request is Ada's."""
        return "Cookie", f"__Host-Http-session={self.ada.cookie()}"

    async def connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the gateway."""
        host, port = self.world.gateway_url.removeprefix("http://").split(":")
        return await asyncio.open_connection(host, int(port))

    async def send(
        self, request_line: str, *fields: str, body: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request of Ada's by a connection of its own."""
        reader, writer = await self.connection()
        host = self.world.gateway_url.removeprefix("http://")
        lines = [request_line, f"Host: {host}", "X-CSRF: 1", ": ".join(self.cookies()), *fields, "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + body)
        return reader, writer

    async def asked(self, count: int = 1) -> None:
        """Wait until the upstream was asked so often."""
        async with asyncio.timeout(PATIENCE):
            while len(self.upstream.asked) < count:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0.01)


@asynccontextmanager
async def rows(make: Make, folder: Path, *given: Row, base: str = "", **settings: Any) -> AsyncIterator[Rows]:
    """Give a world with these rows; `target` is the test's upstream where a row has none."""
    async with raw_upstream(saying(ok())) as upstream:
        file = folder / "upstreams.toml"
        file.write_text(toml([{"target": upstream.url + base, **row} for row in given]), encoding="utf-8")
        world = await make(UPSTREAMS=str(file), **settings)
        ada = await world.signed_in()
        yield Rows(world, upstream, ada)
