"""Requests that wait for their person: of one session, for ten minutes, and not too many."""

import pytest

from gateway.errors import NotFound
from gateway.proxy.parked_form import MOST_PARKED, ParkedRequest
from gateway.proxy.parked_requests import PARKED_SECONDS, PERSONS_BYTES, ParkedRequests
from gateway.session.sessions import SessionStore
from gateway.store.vault import Vault
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.waiting import NOISE, POST, anew, park, rotated
from tests.unit.gateway.store_of_tests import begun


async def test_it_waits_as_it_came_for_ten_minutes(
    parked: ParkedRequests, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)

    waiting = await parked.get(await anew(sessions, session), identifier)

    assert (waiting.method, waiting.path, waiting.body) == (POST.method, POST.path, POST.body)
    assert waiting.expires_at == clock() + PARKED_SECONDS
    clock.now += PARKED_SECONDS - 1
    await parked.get(await anew(sessions, session), identifier)
    clock.now += 1
    with pytest.raises(NotFound):
        await parked.get(session, identifier)


async def test_what_belongs_to_the_interrupted_request_alone_does_not_wait(parked: ParkedRequests) -> None:
    headers = (
        ("traceparent", "00-1-2-01"),
        ("TraceState", "a=b"),
        ("Content-Length", "5"),
        ("Expect", "100-continue"),
        ("If-Match", '"a"'),
    )
    _, entry = parked.parking(ParkedRequest("notes", "PUT", "/api/notes/7", headers, b"hello"))

    (field,) = entry.values()
    assert b"If-Match" in field.value
    assert b"race" not in field.value
    assert b"xpect" not in field.value
    assert b"ength" not in field.value


async def test_another_session_of_the_person_finds_none_and_another_upstream_is_not_it(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    session, other = await begun(sessions), await begun(sessions)
    identifier = await park(parked, session)

    for who, of in ((other, None), (session, "profile")):
        with pytest.raises(NotFound):
            await parked.get(who, identifier, of=of)
        with pytest.raises(NotFound):
            await parked.drop(who, identifier, of=of)
    assert (await parked.get(session, identifier, of="notes")).body == b"hello"


async def test_it_survives_a_step_up(parked: ParkedRequests, sessions: SessionStore) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session, ParkedRequest("notes", "PUT", "/api/notes/7", (), NOISE))

    successor = await rotated(sessions, session)

    assert (await parked.get(successor, identifier)).body == NOISE


async def test_A2_three_of_the_largest_wait_and_the_fourth_takes_the_place_of_the_first(
    parked: ParkedRequests, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    largest = ParkedRequest("notes", "PUT", "/api/notes/7", (("Content-Type", "image/png"),), NOISE)
    waiting = []
    for _ in range(MOST_PARKED):
        waiting.append(await park(parked, session, largest))
        clock.now += 1
    waiting.append(await park(parked, session))

    session = await anew(sessions, session)
    with pytest.raises(NotFound, match="three younger changes"):
        await parked.get(session, waiting[0])
    for identifier in waiting[1:]:
        await parked.get(session, identifier)


async def test_A2_what_a_person_parks_in_ten_minutes_is_bounded_in_all_sessions_together(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    people = [await begun(sessions) for _ in range(5)]
    _, entry = parked.parking(ParkedRequest("notes", "PUT", "/api/notes/7", (), NOISE))
    _, small = parked.parking(POST)

    fits = [await parked.has_room(person, entry) for person in people]

    assert fits == [True, True, True, False, False]
    assert 3 * len(next(iter(entry.values())).value) <= PERSONS_BYTES
    assert await parked.has_room(people[0], small), "what people write is not counted"


async def test_A2_the_last_of_redis_memory_is_not_for_large_ones(
    parked: ParkedRequests, sessions: SessionStore, vault: Vault
) -> None:
    session = await begun(sessions)
    _, large = parked.parking(ParkedRequest("notes", "PUT", "/api/notes/7", (), NOISE))
    _, small = parked.parking(POST)
    used = (await vault.redis.info("memory"))["used_memory"]
    await vault.redis.config_set("maxmemory", used + 100_000)
    try:
        await vault.memory_watch.look()
        room = await parked.has_room(session, large), await parked.has_room(session, small)
    finally:
        await vault.redis.config_set("maxmemory", 0)

    assert room == (False, True)
