"""Whose request it is, as soon as that is known, for the audit trail (A6), and what is told where two cookies came."""

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient

from gateway.audit.origin import Origin, coming_from
from gateway.audit.subject import Subject
from gateway.errors import SignInRequired
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import SessionStore
from tests.unit.gateway.flows.test_logout import visited
from tests.unit.gateway.store_of_tests import ada, begun


async def test_A6_whoever_signs_in_is_known_by_person_and_session(sessions: SessionStore) -> None:
    origin, cookie = Origin(), SessionCookie.new()

    with coming_from(origin):
        assert await sessions.start(ada(), {}, cookie=cookie)

    assert origin.subject == Subject("a-tenant", "ada", cookie.ref)


async def test_A6_a_request_is_its_persons_as_soon_as_somebody_asks_for_the_session(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    session, origin = await begun(sessions), Origin()

    async def find(request: web.Request) -> None:
        with coming_from(origin):
            await sessions.find(request)

    await visited(aiohttp_client, sessions, find, session.cookie)
    assert origin.subject == session.subject == Subject("a-tenant", "ada", session.ref)


async def test_A6_a_session_that_is_over_is_still_named(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    cookie, origin = SessionCookie.new(), Origin()

    async def require(request: web.Request) -> None:
        with coming_from(origin), pytest.raises(SignInRequired) as refused:
            await sessions.require(request)
        assert refused.value.reason == "expired"

    await visited(aiohttp_client, sessions, require, cookie)
    assert (origin.subject, origin.session) == (None, cookie.ref)


async def test_A1_where_two_cookies_came_whoever_needs_a_session_is_told_so(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    one, other = await begun(sessions), await begun(sessions)

    async def require(request: web.Request) -> None:
        with pytest.raises(SignInRequired) as refused:
            await sessions.require(request)
        assert refused.value.reason == "duplicate-cookie"

    await visited(aiohttp_client, sessions, require, one.cookie, other.cookie)
