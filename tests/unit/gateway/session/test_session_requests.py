"""A request's session: found by its cookie, bound to the browser, taken back from it (S15, S18)."""

from collections.abc import Awaitable, Callable

import aiohttp_session
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import make_mocked_request

from gateway.errors import SignInRequired
from gateway.session.cookie import COOKIE, LIVE, SessionCookie, SessionStorage
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.vault import Successor
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import IDLE, NOW, ada, begun

NOTE = RecordKind("note", str)


Handler = Callable[[web.Request], Awaitable[object]]


async def visited(
    aiohttp_client: AiohttpClient, sessions: SessionStore, work: Handler, cookie: SessionCookie | None
) -> list[str]:
    """Do `work` with the request of a browser that has this cookie; return the cookies that it is given."""

    async def handler(request: web.Request) -> web.Response:
        await work(request)
        return web.Response()

    storage = SessionStorage(sessions, lambda _: ("note",))
    app = web.Application(middlewares=[aiohttp_session.session_middleware(storage)])
    app.router.add_get("/", handler)
    client = await aiohttp_client(app)
    answer = await client.get("/", headers={"Cookie": f"{COOKIE}={cookie.text}"} if cookie else {})
    assert answer.status == 200
    return answer.headers.getall("Set-Cookie", [])


async def test_a_request_has_the_session_of_its_cookie_and_asking_prolongs_it(
    aiohttp_client: AiohttpClient, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions, NOTE.entry("hi", NOW + 600))
    results: list[LiveSession | None] = []

    async def see(request: web.Request) -> None:
        results.append(await sessions.find(request))
        results.append(await sessions.require(request, slide=False))

    clock.now = NOW + 300
    assert await visited(aiohttp_client, sessions, see, session.cookie) == []
    assert results == [session, session]
    assert await sessions.load(session.cookie) == session, "neither was a use"

    await visited(aiohttp_client, sessions, sessions.require, session.cookie)
    used = await sessions.load(session.cookie)
    assert used
    assert used.idle_at == NOW + 300 + IDLE


@pytest.mark.parametrize("reason", ["signed-out", "ended-elsewhere"])
async def test_S18_whoever_comes_with_an_ended_session_is_told_why(
    aiohttp_client: AiohttpClient, sessions: SessionStore, reason: str
) -> None:
    session = await begun(sessions)
    await sessions.end(session, reason)

    assert await refusal(aiohttp_client, sessions, session.cookie) == reason


async def test_whoever_comes_without_a_session_is_told_no_reason(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    assert await refusal(aiohttp_client, sessions, None) is None
    assert await refusal(aiohttp_client, sessions, SessionCookie.new()) == "expired"


async def refusal(
    aiohttp_client: AiohttpClient, sessions: SessionStore, cookie: SessionCookie | None
) -> str | None:
    refused: list[SignInRequired] = []

    async def ask(request: web.Request) -> None:
        assert await sessions.find(request) is None
        with pytest.raises(SignInRequired) as caught:
            await sessions.require(request)
        refused.append(caught.value)

    await visited(aiohttp_client, sessions, ask, cookie)
    return refused[0].reason


async def test_what_aiohttp_session_remembers_otherwise_is_no_session(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    results: list[object] = []

    async def plant(request: web.Request) -> None:
        (await aiohttp_session.get_session(request))[LIVE] = "not a session"
        results.append(await sessions.find(request))

    await visited(aiohttp_client, sessions, plant, None)
    assert results == [None]


async def test_S15_a_bound_session_is_the_requests_and_the_browsers_from_then_on(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    before, after = await begun(sessions), await begun(sessions)
    results: list[LiveSession | None] = []

    async def bind(request: web.Request) -> None:
        await sessions.bind(request, after)
        results.append(await sessions.find(request))

    (cookie,) = await visited(aiohttp_client, sessions, bind, before.cookie)

    assert cookie.startswith(f"{COOKIE}={after.cookie.text};")
    assert results == [after]


async def test_S18_an_unbound_session_is_taken_from_the_browser(
    aiohttp_client: AiohttpClient, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    results: list[LiveSession | None] = []

    async def unbind(request: web.Request) -> None:
        await sessions.unbind(request)
        results.append(await sessions.find(request))

    (cookie,) = await visited(aiohttp_client, sessions, unbind, session.cookie)

    assert cookie.startswith(f'{COOKIE}="";')
    assert results == [None], "from then on"


async def test_a_route_whose_row_does_not_say_so_neither_binds_nor_unbinds(sessions: SessionStore) -> None:
    session = await begun(sessions)
    request = make_mocked_request("GET", "/")
    request[aiohttp_session.STORAGE_KEY] = SessionStorage(sessions, lambda _: (), writes=False)

    for work in (sessions.bind(request, session), sessions.unbind(request)):
        with pytest.raises(
            RuntimeError, match=r"^the row of this route does not say that it binds sessions$"
        ):
            await work


@pytest.mark.parametrize(
    "accept, forgets", [("text/event-stream", False), ("application/json", True), (None, True)]
)
async def test_A1_two_cookies_are_taken_back_by_an_answer_that_its_page_can_read(
    sessions: SessionStore, accept: str | None, *, forgets: bool
) -> None:
    fields = {"Cookie": f"{COOKIE}=a; {COOKIE}=b", **({"Accept": accept} if accept else {})}
    request = make_mocked_request("GET", "/", fields)
    request[aiohttp_session.STORAGE_KEY] = SessionStorage(sessions, lambda _: ())

    with pytest.raises(SignInRequired) as caught:
        await sessions.require(request)

    assert caught.value.reason == "duplicate-cookie"
    assert ("Clear-Site-Data" in caught.value.headers) is forgets


async def test_S18_signing_out_again_ends_what_a_step_up_made_of_the_session(sessions: SessionStore) -> None:
    old = await begun(sessions)
    cookie = SessionCookie.new(old.cookie.family)
    assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(old.ref, b"0"))

    assert await sessions.load(cookie)
    await sessions.confirm_end(old.cookie)
    assert await sessions.load(cookie) is None
