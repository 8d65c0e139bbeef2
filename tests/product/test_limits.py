"""Nobody can fill Redis by beginning flows: the pages go on, and a request that begins nothing costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from servicekit.log_strangers import FIELDS
from tests.stage.other_front_end import GRACE
from tests.stage.witnesses import SESSION
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


async def counts(world: World) -> list[str]:
    """Return the keys of all counts in Valkey."""
    return [key.decode() async for key in world.redis.scan_iter("stepup:rate:*")]


def problem(way: str) -> dict[str, str]:
    """Return what the address of a problem's page says."""
    parts = urlsplit(way)
    assert parts.path == "/problem", way
    return {name: texts[0] for name, texts in parse_qs(parts.query).items()}


async def test_S51_an_address_begins_so_many_flows_in_a_minute_and_no_more(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5")
    person = await world.front_end()

    ways = [(await person.navigate("/auth/sign-in")).headers["Location"] for _ in range(8)]

    assert [way.startswith(world.tenant_url) for way in ways] == [True] * 5 + [False] * 3
    assert ways[-1].startswith("/problem?type=too-many-requests&")
    assert len([key for key in await world.keys() if ":flow:" in key]) == 5
    assert (await person.navigate("/")).status == 200, "the pages are still there"


async def test_S51_a_head_request_begins_nothing(world: World) -> None:
    person = await world.front_end()

    async with person.session.head(f"{world.gateway_url}/auth/sign-in", allow_redirects=False) as answer:
        assert answer.status == 405

    assert await world.keys() == []


async def test_A5_S51_gateways_count_sign_ins_together(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5")
    other = await world.new_gateway()
    people = [await world.front_end(), await other.front_end()]

    begun = [
        (await people[number % 2].navigate("/auth/sign-in")).headers["Location"].startswith(world.tenant_url)
        for number in range(9)
    ]

    assert begun == [True] * 5 + [False] * 4
    assert len([key for key in await world.keys() if ":flow:" in key]) == 5, (
        "what was one too many is taken back"
    )


async def test_A5_S51_the_wait_that_a_person_is_told_is_true(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="60")
    person = await world.front_end()
    while (way := (await person.navigate("/auth/sign-in?return_to=/edit")).headers["Location"])[0] != "/":
        pass
    told = problem(way)
    assert (told["type"], told["return_to"]) == ("too-many-requests", "/edit")
    assert told["retry_after"] == "1"

    await asyncio.sleep(int(told["retry_after"]))  # the wait is what is judged

    assert await person.sign_in() == "/edit"


async def test_A5_S48_forwarding_headers_lift_no_limit(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5")
    person = await world.front_end()
    began = 0
    for number in range(20):
        headers = {"X-Forwarded-For": f"203.0.{number}.9", "Forwarded": f"for=203.0.{number}.9"}
        async with person.session.get(
            f"{world.gateway_url}/auth/sign-in", headers=headers, allow_redirects=False
        ) as answer:
            began += answer.headers["Location"].startswith(world.tenant_url)

    assert began == 5


async def test_A5_a_flood_behind_a_trusted_proxy_is_nothing_to_another_address(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5", TRUSTED_PROXIES="127.0.0.0/8,::1")
    flood, person = await world.front_end(), await world.front_end()
    flood.session.headers["X-Forwarded-For"] = "203.0.113.9"
    person.session.headers["X-Forwarded-For"] = "203.0.114.9"
    for _ in range(30):
        await flood.navigate("/auth/sign-in")

    assert await person.sign_in() == "/edit"


async def test_A5_S51_limits_of_a_network_are_there_while_redis_is_away_and_after_it(
    make_world: MakeWorld,
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5")
    person = await world.front_end()
    for _ in range(3):
        await person.navigate("/auth/sign-in")
    limit = (await world.redis.config_get("maxmemory"))["maxmemory"]
    await world.redis.config_set("maxmemory", 1)
    try:
        full = [
            problem((await person.navigate("/auth/sign-in")).headers["Location"])["type"] for _ in range(6)
        ]
    finally:
        await world.redis.config_set("maxmemory", limit or "0")

    assert full == ["session-store-unavailable"] * 2 + ["too-many-requests"] * 4
    assert (
        problem((await person.navigate("/auth/sign-in")).headers["Location"])["type"] == "too-many-requests"
    )


async def test_A5_S51_strangers_who_only_look_write_nothing_to_redis(world: World) -> None:
    stranger = await world.front_end()
    for number in range(25):
        await stranger.call("GET", "/api/session")
        made_up = f"{SESSION}={number:022d}.{number:043d}.{number:042d}A"
        await stranger.call("GET", "/api/session", headers={"Cookie": made_up})
        await stranger.navigate("/")

    assert await world.keys() == []
    assert await counts(world) == []


async def test_A5_made_up_cookies_are_refused_and_people_of_the_same_network_go_on(
    make_world: MakeWorld,
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="10")
    ada, stranger = await world.signed_in(), await world.front_end()
    answers = []
    for number in range(15):
        made_up = f"{SESSION}={number:022d}.{number:043d}.{number:042d}A"
        answers.append(await stranger.call("GET", "/api/session", headers={"Cookie": made_up}))

    assert [answer.status for answer in answers] == [200] * 10 + [429] * 5
    assert answers[-1].slug == "too-many-requests"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 6, "ten in a minute, and some of it has passed"
    assert (await ada.call("GET", "/api/session")).body["authenticated"]
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await stranger.call("GET", "/api/session")).status == 200, "without a cookie"
    assert await (await world.front_end()).sign_in(GRACE) == "/edit"
    assert (await ada.call("POST", "/auth/sign-out")).status == 200


async def test_A5_a_session_that_has_ended_is_asked_for_so_often_and_no_more(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="10")
    ada = await world.signed_in()
    ended = {"Cookie": f"{SESSION}={ada.cookie()}"}
    await ada.call("POST", "/auth/sign-out")
    stranger = await world.front_end()

    statuses = [(await stranger.call("GET", "/api/session/claims", headers=ended)).status for _ in range(14)]

    assert statuses == [401] * 10 + [429] * 4
    assert await (await world.front_end()).sign_in(GRACE) == "/edit", "its network is not at fault"


async def test_A5_answers_that_belong_to_no_flow_are_refused_and_sign_ins_begun_are_not(
    make_world: MakeWorld,
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="10")
    stranger = await world.front_end()
    ways = [
        (await stranger.navigate("/auth/callback", {"state": f"made-up-{number}", "code": "x"})).headers[
            "Location"
        ]
        for number in range(13)
    ]

    assert [problem(way)["type"] for way in ways] == ["sign-in-expired"] * 10 + ["too-many-requests"] * 3
    assert int(problem(ways[-1])["retry_after"]) <= 6


async def test_A5_fifty_people_of_one_address_come_back_and_sign_out_and_nobody_is_counted(
    make_world: MakeWorld,
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="60", MAX_SESSIONS_PER_PERSON="100")
    for _ in range(50):
        person = await world.front_end()
        assert await person.sign_in() == "/edit"
        assert (await person.call("POST", "/auth/sign-out")).status == 200

    assert len(await counts(world)) <= 7, "sign-ins begun, and nothing else"


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/auth/sign-out"),
        ("GET", "/auth/frontchannel-logout?sid=made-up"),
        ("GET", "/auth/end-session?ticket=made-up"),
    ],
)
async def test_A5_calls_that_sign_nobody_out_are_limited_and_whoever_has_a_session_still_signs_out(
    make_world: MakeWorld, method: str, path: str
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="6")
    ada, stranger = await world.signed_in(), await world.front_end()

    async def ask() -> tuple[int, str]:
        async with stranger.session.request(
            method, world.gateway_url + path, headers={"X-CSRF": "1"}, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers.get("Location", "")

    answers = [await ask() for _ in range(9)]

    refused = [status == 429 or "too-many-requests" in way for status, way in answers]
    assert refused == [False] * 6 + [True] * 3
    assert (await ada.call("POST", "/auth/sign-out")).status == 200


async def test_A5_bad_logout_tokens_are_refused_sooner(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="6", BACKCHANNEL_LOGOUT="1")
    stranger = await world.front_end()
    statuses = []
    for _ in range(9):
        async with stranger.session.post(
            f"{world.gateway_url}/auth/backchannel-logout", data={"logout_token": "made.up.token"}
        ) as answer:
            statuses.append(answer.status)

    assert statuses == [400] * 6 + [429] * 3


async def test_A5_no_key_and_no_line_of_the_log_has_an_address_in_redis_or_a_person(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="2", EDITS_PER_MINUTE="1")
    ada = await world.confirmed()
    for _ in range(3):
        await ada.navigate("/auth/sign-in")
        await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    keys = await counts(world)
    assert keys
    assert "127.0" not in " ".join(keys)
    said = [record for record in caplog.records if record.getMessage() == "rate-limited"]
    assert [vars(record)[FIELDS]["limit"] for record in said] == ["sign-ins", "edits"]
    assert "ada@" not in " ".join(str(vars(record)) for record in said)
    assert all([await world.redis.pttl(key) != -1 for key in keys]), "every count ends"
