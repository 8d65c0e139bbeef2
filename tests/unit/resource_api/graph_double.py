"""A Graph that does what a test tells it, where the local tenant's faults can't: lose answers, lag, mix people up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.unit.resource_api.stage import listening

MEMBERS = "id displayName givenName surname jobTitle streetAddress city state postalCode country preferredLanguage mail"


@dataclass
class Act:
    """What happens to one PATCH."""

    status: int = 204
    applies: bool = True
    only: frozenset[str] = frozenset()
    """The names that are applied, where not all are."""
    answers: bool = True
    """Whether an answer is sent; otherwise the connection is cut."""
    delay: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None
    text: str = ""
    """What is answered as it stands, where that is no JSON of Graph's."""
    shows: dict[str, Any] | None = None
    """What differs in the profile that is answered, where one is."""


@dataclass
class GraphDouble:
    """One person's profile, and a script."""

    url: str = ""
    profile: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(MEMBERS.split()))
    lag: int = 0
    """How many reads after a write still show what was before it."""
    before: dict[str, Any] = field(default_factory=dict)
    patches: list[Act] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    """Statuses of the next reads; 200 when it is used up."""
    glimpses: list[dict[str, Any]] = field(default_factory=list)
    """What the next reads after a write show of the profile, each from another replica."""
    seen: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    after_patch: Callable[[], Awaitable[None]] | None = None

    async def get(self, request: web.Request) -> web.Response:
        self.seen.append(("GET", dict(request.headers), dict(request.query)))
        status = self.reads.pop(0) if self.reads else 200
        shown = self.profile
        if self.before and self.lag:
            shown, self.lag = self.before, self.lag - 1
        if self.sent("PATCH") and self.glimpses:
            shown = {**self.profile, **self.glimpses.pop(0)}
        return web.json_response(
            {"@odata.context": "x", **shown, "userPrincipalName": "u"},
            status=status,
            headers={"Retry-After": "0"},
        )

    async def patch(self, request: web.Request) -> web.Response:
        changes = await request.json()
        self.seen.append(("PATCH", dict(request.headers), changes))
        act = self.patches.pop(0) if self.patches else Act()
        if act.applies:
            self.before = self.profile
            applied = {name: value for name, value in changes.items() if not act.only or name in act.only}
            self.profile = {**self.profile, **applied}
        if self.after_patch:
            await self.after_patch()
        await asyncio.sleep(act.delay)
        if not act.answers:
            assert request.transport is not None
            request.transport.abort()
        body = None if act.body is None else json.dumps(act.body).encode()
        if act.shows is not None:
            body = json.dumps({**self.profile, **act.shows}).encode()
        return web.Response(status=act.status, headers=act.headers, body=body or act.text.encode())

    def sent(self, method: str) -> list[Any]:
        """Return what came with each request of a method."""
        return [content for seen, _, content in self.seen if seen == method]


@asynccontextmanager
async def graph_double() -> AsyncIterator[GraphDouble]:
    """Run it on a free port."""
    double = GraphDouble()
    app = web.Application()
    app.router.add_get("/v1.0/me", double.get)
    app.router.add_patch("/v1.0/me", double.patch)
    async with listening(app) as double.url:
        yield double
