"""A peer is measured only where it knows a person by the cookie, and nobody without it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks.peers.peer import ADA, GRACE, NotAuthenticatingError, check

SESSIONS = {"of-ada-1815": ADA, "of-grace-1906": GRACE}
Who = Callable[[str], str | None]


@asynccontextmanager
async def peer(who: Who, *, guarded: bool = True) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Serve a peer that takes a cookie for somebody; yield a check of a person."""

    async def session(request: web.Request) -> web.Response:
        person = who(request.cookies.get("session", ""))
        return web.json_response({"user": person}, status=200 if person else 401)

    async def row(request: web.Request) -> web.Response:
        known = not guarded or who(request.cookies.get("session", ""))
        return web.json_response({"name": "Ada Lovelace"}) if known else web.Response(status=302)

    app = web.Application()
    app.router.add_get("/session", session)
    app.router.add_get("/row", row)
    async with TestServer(app) as server:

        async def checked(cookie: str) -> None:
            urls = str(server.make_url("/session")), str(server.make_url("/row"))
            await asyncio.to_thread(check, *urls, {"Cookie": cookie}, ADA, GRACE)

        yield checked


async def test_a_peer_that_knows_its_people_is_measured() -> None:
    async with peer(SESSIONS.get) as checked:
        await checked("session=of-ada-1815")


@pytest.mark.parametrize(
    "who, guarded, fault",
    [
        (lambda _: ADA, True, "nobody is let through"),
        (lambda cookie: ADA if cookie else None, True, "a forged cookie is let through"),
        (SESSIONS.get, False, "nobody is let through"),
        (lambda cookie: GRACE if cookie else None, True, "does not know ada@example.com"),
        (lambda _: f"{ADA} {GRACE}", True, "does not know ada@example.com"),
        (lambda _: None, True, "does not know ada@example.com: 401"),
    ],
    ids=["everybody", "any cookie", "an open row", "the other person", "both", "nobody"],
)
async def test_a_peer_is_not_measured_that_knows(who: Who, *, guarded: bool, fault: str) -> None:
    async with peer(who, guarded=guarded) as checked:
        with pytest.raises(NotAuthenticatingError, match=fault):
            await checked("session=of-ada-1815")


async def test_a_peer_is_not_measured_at_which_nobody_could_sign_in() -> None:
    async with peer(SESSIONS.get) as checked:
        with pytest.raises(NotAuthenticatingError, match="could not sign in"):
            await checked("")
