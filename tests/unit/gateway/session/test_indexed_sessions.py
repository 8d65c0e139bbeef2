"""Indexes of any length (A4): looked through and ended some at a time, and what was done stays done."""

import asyncio

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.session.indexed_sessions import IndexedSessions
from gateway.session.sessions import SessionStore
from gateway.store.indexes import PAGE
from gateway.store.names import SessionRef, index_key
from gateway.store.redis.budget import redis_budget
from gateway.store.scripts import LIST
from gateway.store.vault import Successor, Vault
from tests.stage.redis_wire import Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.store_of_tests import NOW, OWNERS, ada, begun, indexed

PERSON, SUB = ("person", OWNERS["person"]), ("sub", OWNERS["sub"])


async def references(vault: Vault, count: int, *, at: float) -> list[SessionRef]:
    """Note sessions that are not there."""
    refs = [SessionCookie.new().ref for _ in range(count)]
    for index in (PERSON, SUB):
        await vault.redis.zadd(index_key(*index), {ref.packed: at for ref in refs})
    return refs


async def test_A4_no_step_takes_more_than_a_page_and_the_index_gets_shorter_with_each(
    vault: Vault, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions)
    await IndexedSessions(vault).living(PERSON)  # the server knows the script from here on
    await references(vault, 3 * PAGE, at=NOW - 100)
    steps = way_to_redis.watch(runs(LIST))

    living = await IndexedSessions(vault).living(PERSON, [SUB])

    assert [one.ref for one in living] == [session.ref]
    assert len(steps.met) == 4
    assert {command.arguments[-2:] for command in steps.met} == {(b"0", b"%d" % PAGE)}
    assert await indexed(vault, "person") == await indexed(vault, "sub") == [session.ref]


async def test_A4_what_lives_between_the_orphans_is_found_and_stays(
    vault: Vault, sessions: SessionStore
) -> None:
    living = []
    for number in range(5):
        await references(vault, PAGE // 2, at=NOW - 200 + number)
        living.append((await begun(sessions, created_at=int(NOW) - 200 + number)).ref)

    found = await IndexedSessions(vault).living(PERSON)

    assert {one.ref for one in found} == set(living)
    assert set(await indexed(vault, "person")) == set(living)


async def test_A4_who_is_held_up_says_how_many_ended_and_goes_on_from_there(
    vault: Vault, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    count = PAGE + 5
    for _ in range(count):
        await begun(sessions)
    steps = way_to_redis.watch(runs(LIST))
    way_to_redis.cut(lambda command: runs(LIST)(command) and len(steps.met) > 1, times=None)

    with pytest.raises(SessionStoreUnavailable) as held_up:
        await IndexedSessions(vault).end(PERSON, "ended-elsewhere", beside=[SUB])
    assert held_up.value.members == {"ended": PAGE}
    assert len(await indexed(vault, "person")) == len(await indexed(vault, "sub")) == count - PAGE

    way_to_redis.heal()
    assert await IndexedSessions(vault).end(PERSON, "ended-elsewhere", beside=[SUB]) == count - PAGE
    assert await indexed(vault, "person") == await indexed(vault, "sub") == []


async def test_A4_R3_a_request_ends_what_it_can_in_its_time_and_says_that_there_are_more(
    vault: Vault, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    await references(vault, 2 * PAGE, at=NOW - 300)
    meant = await begun(sessions)
    await IndexedSessions(vault).living(("person", "nobody"))  # the server knows the script from here on
    way_to_redis.slow(runs(LIST), 1.6)

    with redis_budget(60), pytest.raises(SessionStoreUnavailable) as held_up:
        await IndexedSessions(vault).end(PERSON, "ended-elsewhere")
    assert held_up.value.members == {"ended": 0}
    assert await sessions.load(meant.cookie)

    way_to_redis.heal()
    assert await IndexedSessions(vault).end(PERSON, "ended-elsewhere") == 1
    assert await sessions.load(meant.cookie) is None


async def test_A4_who_fails_before_anything_ended_says_nothing_of_it(
    vault: Vault, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    await begun(sessions)
    way_to_redis.cut(runs(LIST), times=None)

    with pytest.raises(SessionStoreUnavailable) as failed:
        await IndexedSessions(vault).end(PERSON, "ended-elsewhere")
    assert "ended" not in failed.value.members


async def test_A4_S18_a_step_up_meanwhile_saves_no_session_of_many(
    vault: Vault, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    old = await begun(sessions)
    other = await begun(sessions)
    looked = way_to_redis.hold(runs(LIST), answered=True)

    async def end() -> int:
        return await IndexedSessions(vault).end(PERSON, "ended-elsewhere", beside=[SUB])

    ending = asyncio.create_task(end())
    await looked.reached()
    cookie = SessionCookie.new(old.cookie.family)
    assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(old.ref, b"0"))
    looked.release()

    assert await ending == 2
    assert await sessions.load(cookie) is None
    assert await sessions.load(other.cookie) is None
    assert await indexed(vault, "person") == []


async def test_A4_a_session_that_is_about_to_begin_does_not(vault: Vault) -> None:
    (arriving,) = await references(vault, 1, at=NOW)

    assert await IndexedSessions(vault).end(PERSON, "ended-elsewhere") == 0

    assert await vault.ends.reason(arriving) == "ended-elsewhere"
    assert await indexed(vault, "person") == []


async def test_A4_those_that_are_spared_hide_none_behind_them(vault: Vault, sessions: SessionStore) -> None:
    spared = await references(vault, PAGE + 10, at=NOW - 300)
    meant = await begun(sessions)

    ended = await IndexedSessions(vault).end(PERSON, "ended-elsewhere", spares=set(spared).__contains__)

    assert ended == 1
    assert await sessions.load(meant.cookie) is None
    assert set(await indexed(vault, "person")) == set(spared)
