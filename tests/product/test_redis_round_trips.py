"""How often a request waits for Redis (R23): each time is a network's way there and back, on every request."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.embedded_valkey import EmbeddedValkey
from tests.stage import other_apis
from tests.stage.other_front_end import ADA, GRACE, OtherFrontEnd
from tests.stage.redis_traffic import CountedRedis
from tests.stage.world import World, ready

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
Deed = Callable[[OtherFrontEnd], Awaitable[object]]


@pytest.fixture
async def counted(valkey_server: EmbeddedValkey) -> AsyncIterator[CountedRedis]:
    """Give an empty Valkey that counts what it is asked."""
    valkey_server.command("FLUSHALL")
    async with CountedRedis.before(valkey_server.url) as counted:
        yield counted


@pytest.fixture
def valkey(counted: CountedRedis) -> str:
    """Let the world's gateway ask the Valkey that counts."""
    return counted.url


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> World:
    """Give a world in which somebody has done everything before: what only the first request does is not counted."""
    world = await make_world()
    grace = await world.front_end()
    await grace.sign_in(GRACE)
    assert (await grace.call("PATCH", "/api/profile", {"city": "Arlington"})).status == 403
    await grace.step_up(STEP_UP, GRACE[0])
    key = {"Idempotency-Key": "of-grace"}
    assert (await grace.call("PATCH", "/api/profile", {"city": "Arlington"}, headers=key)).status == 200
    assert (await grace.call("GET", "/api/sessions")).status == 200
    return world


async def _session(person: OtherFrontEnd) -> None:
    assert (await person.call("GET", "/api/session")).status == 200


async def _profile(person: OtherFrontEnd) -> None:
    assert (await person.call("GET", "/api/profile")).status == 200


async def _sign_in(person: OtherFrontEnd) -> None:
    assert await person.sign_in() == "/edit"


async def _step_up(person: OtherFrontEnd) -> None:
    assert await person.step_up(STEP_UP) == "/edit"


async def _save(person: OtherFrontEnd, **headers: str) -> None:
    answer = await person.call("PATCH", "/api/profile", {"city": "Turin"}, headers=headers)
    assert (answer.status, answer.body["city"]) == (200, "Turin")


async def _save_too_soon(person: OtherFrontEnd) -> None:
    assert "parked_edit" in (await person.call("PATCH", "/api/profile", {"city": "Turin"})).body


async def _save_once(person: OtherFrontEnd) -> None:
    await _save(person, **{"Idempotency-Key": "a-key"})


async def _save_what_was_seen(person: OtherFrontEnd) -> None:
    await _save(person, **{"If-Match": "*"})


@dataclass(frozen=True)
class Limit:
    """What somebody does, and how often Redis may be asked for it at most."""

    deed: Deed
    before: str
    """nobody, signed in, or confirmed."""
    round_trips: int
    commands: int | None = None
    """None where several that are sent together do no harm."""


LIMITS = {
    "GET /api/session of nobody": Limit(_session, "nobody", 0, 0),
    "GET /api/session": Limit(_session, "signed in", 1, 1),
    "GET /api/session after a step-up": Limit(_session, "confirmed", 1, 1),
    "GET /api/profile with a fresh token": Limit(_profile, "signed in", 1, 1),
    "a sign-in, begun and completed": Limit(_sign_in, "nobody", 3),
    "a step-up, begun and completed": Limit(_step_up, "signed in", 5),
    "PATCH /api/profile": Limit(_save, "confirmed", 3),
    "PATCH /api/profile that waits for a step-up": Limit(_save_too_soon, "signed in", 5),
    "PATCH /api/profile with Idempotency-Key": Limit(_save_once, "confirmed", 3),
    "PATCH /api/profile with If-Match": Limit(_save_what_was_seen, "confirmed", 3),
}


async def test_R23_redis_is_asked_once_for_what_a_session_may_do_at_twenty_upstreams(
    make_world: Callable[..., Awaitable[World]], counted: CountedRedis, tmp_path: Path
) -> None:
    rows = "".join(
        f'[[upstream]]\nname = "api-{number}"\nprefix = "/api/api-{number}"\ntarget = "https://{number}.example"\n'
        f'scope = "api://{number}/Read"\nmax_age = 300\n'
        for number in range(18)
    )
    apis = other_apis.write(tmp_path, rows=rows)
    world = await make_world(tenant_file=apis.tenant_file, UPSTREAMS=str(apis.rows_file))
    ada = await world.signed_in()
    await ada.step_up("/auth/step-up?action=bills&return_to=/edit")
    assert len((await ada.call("GET", "/api/session")).body["access"]) == 1 + 20

    async with counted.counting() as traffic:
        await _session(ada)
    assert (traffic.round_trips, len(traffic.commands)) == (1, 1), traffic

    async with counted.counting() as traffic:
        assert await ada.step_up("/auth/step-up?action=notes&return_to=/edit") == "/edit"
    assert traffic.round_trips <= LIMITS["a step-up, begun and completed"].round_trips, traffic


@pytest.mark.parametrize("what", LIMITS)
async def test_R23_redis_is_asked_no_more_often_than(world: World, counted: CountedRedis, what: str) -> None:
    limit = LIMITS[what]
    ada = await world.front_end()
    if limit.before != "nobody":
        await ready(ada)
    if limit.before == "confirmed":
        await ready(ada, step_up=True)

    async with counted.counting() as traffic:
        await limit.deed(ada)

    assert traffic.round_trips <= limit.round_trips, traffic
    assert limit.commands in {None, len(traffic.commands)}, traffic
    assert traffic.round_trips or not limit.round_trips, "what was counted was this"


@pytest.mark.parametrize("sessions", [1, 12])
async def test_R23_a_list_of_sessions_takes_one_round_trip_however_many_there_are(
    world: World, counted: CountedRedis, sessions: int
) -> None:
    ada = await world.signed_in()
    for _ in range(sessions - 1):
        await (await world.front_end()).sign_in(ADA)

    trips = []
    for _ in range(2):
        async with counted.counting() as traffic:
            listed = (await ada.call("GET", "/api/sessions")).body["sessions"]
        assert len(listed) == sessions
        trips.append(traffic.round_trips)

    # The first time it is not known yet whose cookie it is.
    assert trips == [2, 1], traffic


async def test_R23_what_was_asked_ahead_is_told_to_nobody_whose_session_has_ended_meanwhile(
    world: World, counted: CountedRedis
) -> None:
    ada, elsewhere = await world.signed_in(), await world.front_end()
    await elsewhere.sign_in(ADA)
    (other,) = [
        one for one in (await ada.call("GET", "/api/sessions")).body["sessions"] if not one["current"]
    ]
    assert (await elsewhere.call("GET", "/api/sessions")).status == 200
    assert (await ada.call("DELETE", f"/api/sessions/{other['id']}")).status == 204

    async with counted.counting() as traffic:
        answer = await elsewhere.call("GET", "/api/sessions")
    assert (answer.status, answer.slug) == (401, "sign-in-required"), answer.text
    assert "EVALSHA" in traffic.commands, "it was asked, and not told"
