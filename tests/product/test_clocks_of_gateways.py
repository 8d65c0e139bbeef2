"""One gateway's clock is wrong, by half an hour or a year: nobody is signed out for it or stays longer (R21)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest
from yarl import URL

from devstack.embedded_valkey import EmbeddedValkey
from gateway.app_keys import SESSIONS, VAULT
from gateway.session.cookie import SessionCookie
from tests.stage.other_front_end import GRACE, Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
HALF_AN_HOUR, DAY, YEAR = 1900, 86_400, 365 * 86_400
APART = [HALF_AN_HOUR, -HALF_AN_HOUR, DAY, -DAY, YEAR, -YEAR]
IDLE = 1800


@dataclass
class Browser:
    """A person's browser, whose requests come to either gateway, as behind one address."""

    person: OtherFrontEnd

    async def at(self, world: World, method: str, path: str, body: object = None) -> Answer:
        """Call a JSON endpoint at one gateway."""
        there = OtherFrontEnd(self.person.session, world.gateway_url, world.tenant_url)
        cookie = {"Cookie": f"__Host-Http-session={self.person.cookie()}"}
        return await there.call(method, path, body, headers=cookie)


async def parked(browser: Browser, world: World) -> str:
    """Let an edit be parked, as there was no step-up yet; return its address."""
    answer = await browser.at(world, "PATCH", "/api/profile", {"city": "Turin"})
    assert (answer.status, answer.slug) == (403, "step-up-required")
    return f"/api/parked-edits/{answer.body['parked_edit']['id']}"


async def life_in_redis(world: World, person: OtherFrontEnd) -> float:
    """Return for how long Redis keeps the person's session."""
    cookie = SessionCookie.parse(person.cookie())
    assert cookie
    return float(await world.redis.pttl(cookie.ref.key)) / 1000


def left(answer: Answer, until: str) -> float:
    """Return the seconds to a moment of an answer, as a page counts them."""
    end = datetime.fromisoformat(answer.body["expires"][until])
    return (end - parsedate_to_datetime(answer.headers["Date"])).total_seconds()


@pytest.mark.parametrize("ahead", APART)
async def test_L2_a_gateway_whose_clock_is_wrong_serves_people_and_ends_nothing(
    make_world: MakeWorld, ahead: float
) -> None:
    right = await make_world(by_redis=True)
    wrong = await right.new_gateway(ahead=ahead)
    ada, grace = Browser(await right.confirmed()), Browser(await right.front_end())
    await grace.person.sign_in(GRACE)
    edit = await parked(grace, right)
    requests = await right.asked("token.refresh_token")

    session = await ada.at(wrong, "GET", "/api/session")
    assert session.body["access"] == {"profile.edit": "granted"}
    assert left(session, "idle_at") == pytest.approx(IDLE, abs=20)
    assert left(session, "absolute_at") == pytest.approx(28_800, abs=20)
    assert (await ada.at(wrong, "GET", "/api/profile")).status == 200
    assert (await ada.at(wrong, "PATCH", "/api/profile", {"city": "Ockham"})).status == 200
    assert len((await ada.at(wrong, "GET", "/api/sessions")).body["sessions"]) == 1
    assert (await grace.at(wrong, "GET", edit)).status == 200
    other = await parked(grace, wrong)

    assert (await ada.at(right, "GET", "/api/profile")).body["city"] == "Ockham"
    assert (await ada.at(right, "PATCH", "/api/profile", {"city": "London"})).status == 200
    assert len((await ada.at(right, "GET", "/api/sessions")).body["sessions"]) == 1
    assert [(await grace.at(right, "GET", one)).status for one in (edit, other)] == [200, 200]
    assert left(await ada.at(right, "GET", "/api/session"), "absolute_at") == pytest.approx(28_800, abs=20)
    assert await life_in_redis(right, ada.person) == pytest.approx(IDLE, abs=60)
    assert await right.asked("token.refresh_token") == requests, "nobody took a token for one that has ended"


@pytest.mark.parametrize("ahead", [100, -100])
async def test_L2_a_session_begins_and_ends_by_the_clock_of_redis_whoever_began_it(
    make_world: MakeWorld, ahead: float
) -> None:
    right = await make_world(by_redis=True)
    wrong = await right.new_gateway(ahead=ahead, PUBLIC_URL=right.gateway_url)
    ada = await right.front_end()
    # The authority sends the browser to the public address, behind which both gateways stand.
    page = await ada.leave("/auth/sign-in?return_to=/edit")
    page = await ada.visitor.submit(page, email="ada@example.com", password="Analytical-Engine-1843")
    cookies = {
        name: one.value for name, one in ada.session.cookie_jar.filter_cookies(URL(right.gateway_url)).items()
    }
    async with ada.session.post(
        f"{wrong.gateway_url}/auth/callback", data=page.form.inputs, cookies=cookies, allow_redirects=False
    ) as response:
        assert response.headers["Location"] == "/edit"
        ada.session.cookie_jar.update_cookies(response.cookies, URL(right.gateway_url))

    session = await ada.call("GET", "/api/session")
    seconds, microseconds = await right.redis.time()
    created = (await ada.call("GET", "/api/sessions")).body["sessions"][0]["created_at"]
    assert datetime.fromisoformat(created).timestamp() == pytest.approx(seconds + microseconds / 1e6, abs=10)
    assert left(session, "absolute_at") == pytest.approx(28_800, abs=10)


@pytest.mark.parametrize("limit", ["SESSION_IDLE_SECONDS", "SESSION_ABSOLUTE_SECONDS"])
async def test_L2_a_session_ends_by_the_clock_of_redis_although_every_gateways_clock_stands_still(
    make_world: MakeWorld, limit: str
) -> None:
    world = await make_world(by_redis=True, **{"SESSION_IDLE_SECONDS": "2", limit: "2"})
    ada = await world.signed_in()

    async def ended() -> bool:
        if limit == "SESSION_ABSOLUTE_SECONDS":  # and no use makes it longer
            return (await ada.call("GET", "/api/profile")).status == 401
        return await life_in_redis(world, ada) < 0

    for _ in range(PATIENCE * 10):
        if await ended():
            break
        await asyncio.sleep(0.1)
    answer = await ada.call("GET", "/api/profile")
    assert (answer.status, answer.body["reason"]) == (401, "expired")


async def test_L2_no_jump_of_a_gateways_clock_ends_anything(make_world: MakeWorld) -> None:
    world = await make_world(by_redis=True)
    ada = await world.confirmed()

    for jump in (HALF_AN_HOUR, -2 * HALF_AN_HOUR, YEAR, -YEAR - DAY):
        world.clock.now += jump
        assert (await ada.call("GET", "/api/profile")).status == 200
        assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}


async def test_L2_a_session_that_is_looked_at_too_late_is_not_deleted(make_world: MakeWorld) -> None:
    """What a gateway judges too old, another one may still keep: Redis alone drops it."""
    world = await make_world()
    ada = await world.signed_in()

    world.clock.now += HALF_AN_HOUR
    assert (await ada.call("GET", "/api/profile")).status == 401
    assert await life_in_redis(world, ada) > 0
    world.clock.now -= HALF_AN_HOUR
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_L2_a_user_of_redis_who_may_not_ask_for_the_time_is_served_as_before(
    make_world: MakeWorld, valkey_server: EmbeddedValkey
) -> None:
    world = await make_world(by_redis=True)
    ada = await world.signed_in()
    valkey_server.command("ACL", "SETUSER", "default", "-time")
    try:
        late = await world.new_gateway(ahead=HALF_AN_HOUR)
        assert (await Browser(ada).at(late, "GET", "/api/profile")).status == 200
        assert not late.app[VAULT].known_time(), (
            "what others keep is not removed by a clock that may be wrong"
        )
        assert (await ada.call("GET", "/api/profile")).status == 200
    finally:
        valkey_server.command("ACL", "SETUSER", "default", "+time")
    assert await world.app[SESSIONS].time() > 0
