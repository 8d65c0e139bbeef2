"""Signing out with several session cookies: somebody planted all but one, and whose that is nobody can tell (A1)."""

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient

from gateway.errors import DuplicateCookie
from gateway.flows.logout import Logout
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore
from tests.unit.gateway.flows.test_logout import judge, logout, visited
from tests.unit.gateway.store_of_tests import begun

__all__ = ["judge", "logout"]


@pytest.mark.parametrize("swapped", [False, True], ids=["ours-first", "ours-last"])
async def test_A1_of_two_session_cookies_the_session_ends_and_the_planted_one_is_no_hindrance(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout, *, swapped: bool
) -> None:
    session = await begun(sessions)
    brought = [session.cookie, SessionCookie.new()]
    ended: list[LiveSession | None] = []

    async def sign_out(request: web.Request) -> None:
        ended.append(await logout.sign_out(request))

    if swapped:
        brought.reverse()
    await visited(aiohttp_client, sessions, sign_out, *brought)

    assert ended == [session]
    assert await sessions.why_ended(session.cookie) == "signed-out"


async def test_A1_of_two_session_cookies_that_both_open_one_both_end_and_neither_is_told_of(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="gateway")
    own, planted = await begun(sessions), await begun(sessions)
    ended: list[LiveSession | None] = []

    async def sign_out(request: web.Request) -> None:
        ended.append(await logout.sign_out(request))

    await visited(aiohttp_client, sessions, sign_out, own.cookie, planted.cookie)

    assert ended == [None], "whose sign-out at the authority it is, nobody can say"
    assert await sessions.load(own.cookie) is None
    assert await sessions.load(planted.cookie) is None
    assert caplog.messages == ["signed-out", "signed-out"]


async def test_A1_of_more_than_eight_session_cookies_none_is_asked_about(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout
) -> None:
    session = await begun(sessions)
    planted = [SessionCookie.new() for _ in range(8)]

    async def sign_out(request: web.Request) -> None:
        with pytest.raises(DuplicateCookie):
            await logout.sign_out(request)

    await visited(aiohttp_client, sessions, sign_out, *planted, session.cookie)
    assert await sessions.load(session.cookie)

    async def sign_out_with_eight(request: web.Request) -> None:
        assert await logout.sign_out(request) == session

    await visited(aiohttp_client, sessions, sign_out_with_eight, *planted[:7], session.cookie)
    assert await sessions.load(session.cookie) is None
