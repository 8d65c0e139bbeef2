"""One person's flood is nothing to another, and nobody's made-up codes use up the authority's patience."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

from gateway.app_keys import METRICS
from tests.product.test_limits import problem
from tests.stage.other_front_end import GRACE, Answer, OtherFrontEnd
from tests.stage.witnesses import SESSION
from tests.stage.world import World, ready

MakeWorld = Callable[..., Awaitable[World]]


async def test_A5_a_flood_of_one_account_is_nothing_to_another_person(make_world: MakeWorld) -> None:
    world = await make_world(EDITS_PER_MINUTE="4", READS_PER_MINUTE="40", STEP_UPS_PER_MINUTE="4")
    ada = await world.confirmed()
    grace = await world.front_end()
    await grace.sign_in(GRACE)
    await flood(ada)

    assert (await grace.call("GET", "/api/profile")).status == 200
    assert (await grace.call("GET", "/api/sessions")).status == 200
    assert await grace.step_up("/auth/step-up?action=profile.edit&return_to=/edit", GRACE[0]) == "/edit"
    assert (await grace.call("PATCH", "/api/profile", {"city": "Arlington"})).status == 200


async def flood(person: OtherFrontEnd) -> None:
    """Do everything far too often, from two sessions."""
    second = {"Cookie": f"{SESSION}={person.cookie()}"}
    edits = [await person.call("PATCH", "/api/profile", {"city": "Turin"}, headers=second) for _ in range(6)]
    reads: list[Answer] = []
    while not reads or reads[-1].status == 200:
        reads.append(await person.call("GET", "/api/profile"))
    lists = [await person.call("GET", "/api/sessions") for _ in range(6)]
    ways = [
        (await person.navigate("/auth/step-up?action=profile.edit")).headers["Location"] for _ in range(6)
    ]

    assert [answer.status for answer in edits] == [200] * 4 + [429] * 2
    assert len(reads) > 40
    assert [answer.status for answer in lists] == [200] * 4 + [429] * 2
    assert [way.startswith("/problem?type=too-many-requests&") for way in ways[-3:]] == [True] * 3
    for refused in (edits[-1], reads[-1], lists[-1]):
        assert refused.slug == "too-many-requests"
        assert 1 <= int(refused.headers["Retry-After"]) <= 15


async def test_A5_eighty_made_up_codes_are_few_token_requests_and_hold_nobody_else(
    make_world: MakeWorld,
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="600")
    ada = await world.signed_in()
    before = await world.asked("token.authorization_code")
    fault = {"status": 429, "retry_after": 60, "times": 100}
    await world.admin("PUT", "/faults/token.authorization_code", fault)
    for _ in range(80):
        way = (await ada.navigate("/auth/step-up?action=profile.edit")).headers["Location"]
        if way.startswith("/problem"):
            assert problem(way)["type"] == "too-many-requests"
            continue
        state = parse_qs(urlsplit(way).query)["state"][0]
        await ada.navigate("/auth/callback", {"state": state, "code": "made-up"})
    assert 30 <= await world.asked("token.authorization_code") - before < 60
    await world.admin("DELETE", "/faults")

    grace = await world.front_end()
    assert await grace.sign_in(GRACE) == "/edit"


async def test_A5_made_up_codes_of_strangers_from_one_network_hold_nobody_else(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="600", TRUSTED_PROXIES="127.0.0.0/8,::1")
    stranger, grace = await world.front_end(), await world.front_end()
    stranger.session.headers["X-Forwarded-For"] = "203.0.113.9"
    grace.session.headers["X-Forwarded-For"] = "203.0.114.9"
    await world.admin(
        "PUT", "/faults/token.authorization_code", {"status": 429, "retry_after": 60, "times": 8}
    )
    for _ in range(8):
        way = (await stranger.navigate("/auth/sign-in")).headers["Location"]
        state = parse_qs(urlsplit(way).query)["state"][0]
        page = await stranger.navigate("/auth/callback", {"state": state, "code": "made-up"})
        assert problem(page.headers["Location"])["type"] == "authority-unavailable"

    assert await grace.sign_in(GRACE) == "/edit"


async def test_A5_a_step_up_that_is_one_too_many_is_refused_by_every_gateway(make_world: MakeWorld) -> None:
    world = await make_world(STEP_UPS_PER_MINUTE="3")
    ada = await world.signed_in()
    other = await (await world.new_gateway()).front_end()
    cookie = {"Cookie": f"{SESSION}={ada.cookie()}"}

    async def begins(url: str) -> bool:
        path = f"{url}/auth/step-up?action=profile.edit"
        async with other.session.get(path, headers=cookie, allow_redirects=False) as answer:
            return answer.headers["Location"].startswith(world.tenant_url)

    begun = [await begins(url) for _ in range(3) for url in (world.gateway_url, other.gateway_url)]

    assert begun == [True] * 3 + [False] * 3


async def test_A5_what_was_refused_is_shown_by_the_metrics_under_its_limit(make_world: MakeWorld) -> None:
    world = await make_world(READS_PER_MINUTE="3")
    ada = await world.front_end()
    await ready(ada)
    for _ in range(5):
        await ada.call("GET", "/api/profile")

    assert b'stepup_limited_total{limit="reads"} 2.0' in world.app[METRICS].drawn()
