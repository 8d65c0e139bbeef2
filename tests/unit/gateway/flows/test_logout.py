"""The ends of a session: by its person (S18), and by the authority, through the browser (S20) or not (S21)."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp_session
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient

from gateway.errors import SessionStoreUnavailable
from gateway.flows.logout import Logout
from gateway.flows.logout_token import LogoutOrder
from gateway.session.cookie import COOKIE, SessionCookie, SessionStorage
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.names import digest_of, record_key
from gateway.store.scripts import END
from gateway.store.vault import Successor, Vault
from servicekit.errors import BadRequest
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW, ada, begun

ISSUER, TENANT = "https://login.example.com/tenant/v2.0", "a-tenant"
TOKEN = "a.logout.token"
LEEWAY = 120


class Judge:
    """Stands where the judge of logout tokens does, and believes one token."""

    def __init__(self) -> None:
        self.order_to_give = LogoutOrder("a-name", int(NOW), "a-sid", None)

    async def order(self, logout_token: str) -> LogoutOrder:
        """Return what it orders."""
        assert logout_token == TOKEN
        return self.order_to_give


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def logout(sessions: SessionStore, vault: Vault, judge: Judge, clock: MovableClock) -> Logout:
    clock.now = NOW + 1
    judging: Any = judge
    return Logout(sessions, vault, judging, issuer=ISSUER, tenant=TENANT, now=clock)


async def visited(
    aiohttp_client: AiohttpClient,
    sessions: SessionStore,
    work: Callable[[web.Request], Awaitable[object]],
    *brought: SessionCookie,
) -> Sequence[str]:
    """Do `work` with the request of a browser that has these cookies; return those that it is given."""

    async def handler(request: web.Request) -> web.Response:
        await work(request)
        return web.Response()

    storage = SessionStorage(sessions, lambda _: ())
    app = web.Application(middlewares=[aiohttp_session.session_middleware(storage)])
    app.router.add_get("/", handler)
    client = await aiohttp_client(app)
    header = "; ".join(f"{COOKIE}={cookie.text}" for cookie in brought)
    answer = await client.get("/", headers={"Cookie": header})
    assert answer.status == 200
    return answer.headers.getall("Set-Cookie", [])


def is_taken_back(cookies: Sequence[str]) -> bool:
    return [cookie.partition(";")[0] for cookie in cookies] == [f'{COOKIE}=""']


async def test_S18_whoever_signs_out_has_no_session_and_no_cookie(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="gateway")
    session = await begun(sessions)
    ended: list[LiveSession | None] = []

    async def sign_out(request: web.Request) -> None:
        ended.append(await logout.sign_out(request))

    assert is_taken_back(await visited(aiohttp_client, sessions, sign_out, session.cookie))

    assert ended == [session]
    assert await sessions.load(session.cookie) is None
    assert await sessions.why_ended(session.cookie) == "signed-out"
    assert caplog.messages == ["signed-out"]


async def test_S18_signing_out_ends_what_a_step_up_in_another_tab_makes_of_the_session_meanwhile(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout
) -> None:
    session = await begun(sessions)
    cookie = SessionCookie.new(session.cookie.family)

    async def sign_out(request: web.Request) -> None:
        assert await sessions.find(request)
        assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(session.ref, b"0"))
        await logout.sign_out(request)

    assert is_taken_back(await visited(aiohttp_client, sessions, sign_out, session.cookie))
    assert await sessions.load(cookie) is None


async def test_S18_signing_out_without_a_session_asks_for_the_end_of_the_last_one_again(
    aiohttp_client: AiohttpClient, sessions: SessionStore, logout: Logout
) -> None:
    old = await begun(sessions)
    cookie = SessionCookie.new(old.cookie.family)
    assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(old.ref, b"0"))
    ended: list[LiveSession | None] = []

    async def sign_out(request: web.Request) -> None:
        ended.append(await logout.sign_out(request))

    assert is_taken_back(await visited(aiohttp_client, sessions, sign_out, old.cookie))
    assert ended == [None]
    assert await sessions.load(cookie) is None


async def test_R5_a_session_that_redis_cannot_end_keeps_its_cookie_to_ask_again_with(
    aiohttp_client: AiohttpClient,
    sessions: SessionStore,
    logout: Logout,
    way_to_redis: RequestProxy[Command],
) -> None:
    session = await begun(sessions)
    way_to_redis.refuse(runs(END), NOT_NOW, times=None)

    async def sign_out(request: web.Request) -> None:
        with pytest.raises(SessionStoreUnavailable):
            await logout.sign_out(request)

    assert await visited(aiohttp_client, sessions, sign_out, session.cookie) == []


@pytest.mark.parametrize("issuers", [[], [ISSUER]], ids=["unnamed", "ours"])
async def test_S20_the_authority_ends_its_session_through_the_browser(
    sessions: SessionStore, logout: Logout, issuers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="gateway")
    session, other = await begun(sessions, sid="a-sid"), await begun(sessions, sid="another")

    assert await logout.frontchannel(["a-sid"], issuers) == 1

    assert await sessions.load(session.cookie) is None
    assert await sessions.why_ended(session.cookie) == "signed-out"
    assert await sessions.load(other.cookie)
    assert caplog.messages == ["frontchannel-logout"]


@pytest.mark.parametrize(
    "sids, issuers",
    [
        ([], []),
        ([""], []),
        (["a-sid", "a-sid"], []),
        (["a-sid"], [f"{ISSUER}/"]),
        (["a-sid"], [""]),
        (["a-sid"], [ISSUER, ISSUER]),
        (["a-sid"], [ISSUER, "another"]),
    ],
)
async def test_S20_what_is_not_the_authoritys_word_or_is_said_twice_ends_nothing(
    sessions: SessionStore,
    logout: Logout,
    sids: list[str],
    issuers: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="gateway")
    session = await begun(sessions, sid="a-sid")

    assert await logout.frontchannel(sids, issuers) == 0

    assert await sessions.load(session.cookie)
    assert caplog.messages == []


async def test_S20_a_name_of_2048_characters_is_the_longest(sessions: SessionStore, logout: Logout) -> None:
    shortest = await begun(sessions, sid="s")
    longest = await begun(sessions, sid="s" * 2048)
    longer = await begun(sessions, sid="s" * 2049)

    for session in (shortest, longest, longer):
        await logout.frontchannel([session.user.sid], [])

    assert await sessions.load(shortest.cookie) is None
    assert await sessions.load(longest.cookie) is None
    assert await sessions.load(longer.cookie)


async def test_S21_a_logout_token_ends_the_sessions_that_it_names(
    sessions: SessionStore, logout: Logout, judge: Judge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="gateway")
    session, other = await begun(sessions, sid="a-sid"), await begun(sessions, sid="another")
    graces = await begun(sessions, sid="a-sid", sub="sub-of-grace")

    await logout.backchannel(TOKEN)
    assert await sessions.load(session.cookie) is None
    assert await sessions.load(graces.cookie) is None
    assert await sessions.load(other.cookie)
    assert await sessions.why_ended(session.cookie) == "signed-out"
    judge.order_to_give = LogoutOrder("another-name", int(NOW), None, "sub-of-ada")
    await logout.backchannel(TOKEN)
    assert await sessions.load(other.cookie) is None
    assert caplog.messages == ["backchannel-logout"] * 2


async def test_S21_a_session_that_began_after_the_token_was_issued_stays(
    sessions: SessionStore, logout: Logout
) -> None:
    meant = await begun(sessions, sid="a-sid", created_at=int(NOW) + LEEWAY)
    after = await begun(sessions, sid="a-sid", created_at=int(NOW) + LEEWAY + 1)

    await logout.backchannel(TOKEN)

    assert await sessions.load(meant.cookie) is None
    assert await sessions.load(after.cookie)


async def test_S21_a_token_counts_once_for_as_long_as_it_is_believed(
    sessions: SessionStore, logout: Logout, vault: Vault
) -> None:
    began = time.monotonic()
    await logout.backchannel(TOKEN)

    with pytest.raises(BadRequest, match="jti seen before") as refused:
        await logout.backchannel(TOKEN)
    assert refused.value.detail == "The logout token was used before."
    assert await sessions.end_matching(tid=TENANT, sid="a-sid", reason="x") == 0
    key = record_key("logout-token", digest_of(ISSUER, "a-name"))
    # Whoever's clock is ahead by the leeway believes it so long, and whoever's is behind by it believed it before.
    left = await vault.redis.pttl(key)
    passed = (time.monotonic() - began) * 1000
    assert 120_000 + 2 * LEEWAY * 1000 - passed < left <= 121_000 + 2 * LEEWAY * 1000


async def test_S21_a_token_that_met_a_failing_redis_may_come_again(
    sessions: SessionStore, logout: Logout, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions, sid="a-sid")
    way_to_redis.refuse(runs(END), NOT_NOW, times=None)
    with pytest.raises(SessionStoreUnavailable):
        await logout.backchannel(TOKEN)
    way_to_redis.heal()

    await logout.backchannel(TOKEN)

    assert await sessions.load(session.cookie) is None
