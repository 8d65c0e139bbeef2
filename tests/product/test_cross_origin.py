"""Front ends of other origins: what they may call and read, and that nobody else may (S23, S24)."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from gateway.edge.guard import RequestKind
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.witnesses import ask, asked_in_all, commands, forget_commands, paths_of
from tests.stage.world import World

APP = "http://localhost:5173"
BESIDE = {"Origin": APP, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
STRANGERS = (
    "null",
    "http://localhost:5174",
    "https://localhost:5173",
    "http://localhost:5173.evil.example",
    "*",
)
MakeWorld = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture
async def world(make_world: MakeWorld) -> AsyncIterator[World]:
    """Give a gateway that a front end on another port may call."""
    yield await make_world(ALLOWED_ORIGINS=f"{APP},http://localhost:4200/")


def preflight(method: str, headers: str = "x-csrf") -> dict[str, str]:
    """Return what a browser asks before a request with a header of ours."""
    return {**BESIDE, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


def told(answer: Answer) -> dict[str, str]:
    """Return what an answer says about other origins, in small letters."""
    return {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


async def test_S24_every_json_route_may_be_called_and_read_by_pages_of_a_named_origin(world: World) -> None:
    ada = await world.signed_in()

    for method, path in paths_of(world, RequestKind.JSON, RequestKind.EVENTS):
        if (method, path) in {("POST", "/auth/sign-out"), ("DELETE", "/api/sessions")}:
            continue
        before = await ask(ada, "OPTIONS", path, preflight(method))
        assert (before.status, before.text) == (204, ""), path
        assert method in before.headers["Access-Control-Allow-Methods"].split(", ")
        answer = await ask(ada, method, path, BESIDE | {"X-CSRF": "1", "Content-Type": "application/json"})
        assert answer.status not in {401, 403, 405} or method == "PATCH", (method, path)
        for response in (before, answer):
            assert told(response)["access-control-allow-origin"] == APP, (method, path)
            assert told(response)["access-control-allow-credentials"] == "true"
            assert "Origin" in response.headers["Vary"].split(", ")
        assert {"ETag", "Retry-After", "Date", "Location"} <= {
            *answer.headers["Access-Control-Expose-Headers"].split(", ")
        }


async def test_S24_problems_and_addresses_that_do_not_exist_can_be_read_too(world: World) -> None:
    stranger = await world.front_end()

    refused = await ask(stranger, "GET", "/api/profile", BESIDE | {"X-CSRF": "1"})
    without = await ask(stranger, "GET", "/api/profile", BESIDE)
    nowhere = await ask(stranger, "GET", "/api/nowhere", BESIDE | {"X-CSRF": "1"})
    wrong = await ask(stranger, "PUT", "/api/profile", BESIDE | {"X-CSRF": "1"})
    asked = await ask(stranger, "OPTIONS", "/api/nowhere", preflight("PUT"))

    assert [refused.status, without.status, nowhere.status, wrong.status] == [401, 403, 404, 405]
    assert "Allow" in wrong.headers["Access-Control-Expose-Headers"]
    assert (asked.status, "PUT" in asked.headers["Access-Control-Allow-Methods"]) == (204, True)
    for answer in (refused, without, nowhere, wrong, asked):
        assert told(answer)["access-control-allow-origin"] == APP


async def test_S24_a_preflight_is_answered_by_the_route_before_anything_is_read(world: World) -> None:
    ada = await world.signed_in()
    before = await asked_in_all(world)
    await forget_commands(world.redis)

    profile = await ask(ada, "OPTIONS", "/api/profile", preflight("PATCH", "x-csrf,content-type,if-match"))
    session = await ask(ada, "OPTIONS", "/api/session", preflight("DELETE"))
    inside = await ask(
        ada, "OPTIONS", "/api/session", preflight("GET") | {"Access-Control-Request-Private-Network": "true"}
    )

    assert profile.headers["Access-Control-Allow-Methods"] == "GET, HEAD, PATCH"
    assert session.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert {"X-CSRF", "Content-Type", "If-Match", "Idempotency-Key"} <= {
        *profile.headers["Access-Control-Allow-Headers"].split(", ")
    }
    assert profile.headers["Access-Control-Max-Age"] == "7200"
    assert profile.headers["Vary"] == "Access-Control-Request-Method, Access-Control-Request-Headers, Origin"
    assert "access-control-allow-private-network" not in told(profile)
    assert told(inside)["access-control-allow-private-network"] == "true"
    for answer in (profile, session, inside):
        assert "Set-Cookie" not in answer.headers
    assert await commands(world.redis) == 0
    assert await asked_in_all(world) == before


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/callback", "/auth/frontchannel-logout"])
async def test_S24_what_is_for_navigation_has_no_preflight(world: World, path: str) -> None:
    answer = await ask(await world.front_end(), "OPTIONS", path, preflight("GET"))

    assert answer.status == 405


async def test_S24_nobody_else_is_told_anything_or_let_through(world: World) -> None:
    ada = await world.signed_in()
    await forget_commands(world.redis)

    for origin in STRANGERS:
        for site in ({"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            asks = {"Origin": origin, **site}
            before = await ask(
                ada, "OPTIONS", "/api/profile", {**asks, "Access-Control-Request-Method": "PATCH"}
            )
            answer = await ask(ada, "GET", "/api/profile", {**asks, "X-CSRF": "1"})
            assert (before.status, answer.status) == (405, 403), asks
            assert told(before) == told(answer) == {}
            assert "Origin" in answer.headers["Vary"], "a cache must not mix the two up"
    across = {**BESIDE, "Sec-Fetch-Site": "cross-site", "X-CSRF": "1"}
    assert (await ask(ada, "GET", "/api/profile", across)).status == 403

    assert await commands(world.redis) == 0


async def test_S24_a_plain_options_request_is_none_of_it(world: World) -> None:
    answer = await ask(await world.front_end(), "OPTIONS", "/api/session", BESIDE)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_S24_the_stream_of_events_is_heard_without_a_header_of_ours(world: World) -> None:
    ada: OtherFrontEnd = await world.signed_in()

    heard = await ask(ada, "GET", "/api/session/events", BESIDE)
    refused = await ask(ada, "GET", "/api/session/events", {"Origin": APP})

    assert (heard.status, told(heard)["access-control-allow-origin"]) == (200, APP)
    assert refused.status == 403


async def test_S24_files_say_that_they_differ_by_who_asks(world: World) -> None:
    answer = await ask(await world.front_end(), "GET", "/app.js", {})

    assert answer.headers["Vary"] == "Accept-Encoding, Origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
