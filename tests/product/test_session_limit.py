"""How many sessions a person may have (A2), and that any number of references can be dealt with (A4)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.app_keys import OWN_SESSIONS, SETTINGS
from gateway.session.cookie import SessionCookie
from gateway.store.indexes import PAGE
from gateway.store.names import digest_of, index_key
from tests.product.listeners import QUICK, listening
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
MANY = 5 * PAGE


async def alive(people: list[OtherFrontEnd]) -> list[bool]:
    answers = [await person.call("GET", "/api/session") for person in people]
    return [answer.body["authenticated"] for answer in answers]


async def used(world: World, *people: OtherFrontEnd) -> None:
    """Let people use their sessions, one after another: a use is noted once in a while."""
    for person in people:
        world.forward(30)
        assert (await person.call("GET", "/api/profile")).status == 200


async def test_A2_S22_one_session_more_ends_the_one_that_was_used_longest_ago_and_says_so(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="3")
    grace = await world.front_end()
    await grace.sign_in(GRACE)
    first, second, third = [await world.signed_in() for _ in range(3)]
    await used(world, second, first, third)

    fourth = await world.signed_in()

    assert await alive([first, second, third, fourth, grace]) == [True, False, True, True, True]
    told = await second.call("GET", "/api/profile")
    assert (told.status, told.slug, told.body["reason"]) == (401, "sign-in-required", "too-many-sessions")
    assert len((await fourth.call("GET", "/api/sessions")).body["sessions"]) == 3


async def test_A2_S22_a_page_that_is_open_hears_at_once_that_its_session_gave_way(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="1", stream_limits=QUICK)
    first = await world.signed_in()

    async with listening(first) as stream:
        await world.signed_in()
        event = await stream.event()

    assert (event.event, event.data) == ("session-ended", {"reason": "too-many-sessions"})


async def test_A2_S22_a_step_up_and_a_second_sign_in_of_one_browser_end_nobody_else_s_session(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="3")
    people = [await world.signed_in() for _ in range(3)]

    assert await people[2].step_up("/auth/step-up?action=profile.edit&return_to=/edit") == "/edit"

    assert await alive(people) == [True] * 3
    await used(world, *people)
    # The session before it ends last; until then there are four.
    assert await people[0].sign_in() == "/edit"
    assert (await alive(people)).count(True) >= 2


async def test_A2_S22_sign_ins_at_once_end_as_many_as_there_are_too_many_and_none_twice(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="4")
    people = [await world.front_end() for _ in range(10)]
    pages = [await person.leave("/auth/sign-in?return_to=/edit") for person in people]

    async def come_back(person: OtherFrontEnd, page: object) -> None:
        email, password = "ada@example.com", "Analytical-Engine-1843"
        answered = await person.visitor.submit(page, email=email, password=password)  # type: ignore[arg-type]
        assert await person.come_back(answered) == "/edit"

    await asyncio.gather(*(come_back(*one) for one in zip(people, pages, strict=True)))

    assert (await alive(people)).count(True) == 4
    (index,) = [key for key in await world.keys() if ":index:person:" in key]
    assert await world.redis.zcard(index) == 4


async def test_A2_S22_no_index_remembers_whom_the_limit_ended(make_world: MakeWorld) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="1")
    for _ in range(3):
        await world.signed_in()

    for kind in ("person", "sub", "sid"):
        indexes = [key for key in await world.keys() if f":index:{kind}:" in key]
        assert [await world.redis.zcard(index) for index in indexes] == [1], kind


async def owner_of(world: World, person: OtherFrontEnd) -> tuple[str, str]:
    oid = (await person.call("GET", "/api/session")).body["user"]["id"]
    return str(world.app[SETTINGS].tenant_id), oid


async def with_many_references(world: World, person: OtherFrontEnd, *, at: float) -> str:
    """Let the index of a person name thousands of sessions that are gone, all from one moment."""
    index = index_key("person", digest_of(*await owner_of(world, person)))
    await world.redis.zadd(index, {SessionCookie.new().ref.packed: at for _ in range(MANY)})
    return index


@pytest.mark.parametrize("age", [3600, 0])
async def test_A4_S22_all_others_end_however_many_references_there_are(world: World, age: float) -> None:
    here, others = await world.signed_in(), [await world.signed_in() for _ in range(3)]
    index = await with_many_references(world, here, at=world.clock.now - age)

    answer = await here.call("DELETE", "/api/sessions")

    assert (answer.status, answer.body) == (200, {"ended": 3})
    assert await alive([here, *others]) == [True, False, False, False]
    assert await world.redis.zcard(index) == 1
    tombstones = [key for key in await world.keys() if key.endswith(":ended")]
    assert len(tombstones) == (3 if age else 3 + MANY), "only what may be about to begin needs one"


async def test_A4_S22_a_list_and_one_end_pass_over_any_number_of_references(world: World) -> None:
    here, there = await world.signed_in(), await world.signed_in()
    await with_many_references(world, here, at=world.clock.now - 3600)

    listed = (await here.call("GET", "/api/sessions")).body["sessions"]

    (other,) = [one["id"] for one in listed if not one["current"]]
    assert len(listed) == 2
    index = await with_many_references(world, here, at=world.clock.now - 3600)
    assert (await here.call("DELETE", f"/api/sessions/{other}")).status == 204
    assert await alive([here, there]) == [True, False]
    assert await world.redis.zcard(index) == 1, "what is looked through is cleared away"


async def test_A4_S22_an_operator_ends_a_person_s_sessions_however_many_references_there_are(
    world: World,
) -> None:
    people = [await world.signed_in() for _ in range(2)]
    owner = await owner_of(world, people[0])
    index = await with_many_references(world, people[0], at=world.clock.now - 3600)

    assert await world.app[OWN_SESSIONS].end_all(*owner) == 2
    assert await alive(people) == [False, False]
    assert await world.redis.zcard(index) == 0


async def test_A4_S20_the_authority_ends_a_session_however_many_references_there_are(world: World) -> None:
    ada = await world.signed_in()
    (index,) = [key for key in await world.keys() if ":index:sid:" in key]
    await world.redis.zadd(
        index, {SessionCookie.new().ref.packed: world.clock.now - 3600 for _ in range(MANY)}
    )

    await world.admin("POST", "/people/ada@example.com/sign-out")

    assert await alive([ada]) == [False]
    assert await world.redis.zcard(index) == 0


async def test_A4_S22_a_sign_in_meets_any_number_of_references_and_still_keeps_the_limit(
    make_world: MakeWorld,
) -> None:
    world = await make_world(MAX_SESSIONS_PER_PERSON="2")
    people = [await world.signed_in() for _ in range(2)]
    await used(world, *people)
    index = await with_many_references(world, people[0], at=world.clock.now - 3600)

    people.append(await world.signed_in())

    assert await alive(people) == [False, True, True]
    assert await world.redis.zcard(index) == 2
