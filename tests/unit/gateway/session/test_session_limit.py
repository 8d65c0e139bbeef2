"""Which session ends when a person has too many (A2): one order for all at once, and none that is in use."""

import asyncio

import pytest

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.scripts import CREATE, END, LIST
from gateway.store.vault import Successor, Vault
from tests.stage.redis_wire import Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, ada, begun


def limited(vault: Vault, clock: MovableClock, most: int) -> SessionStore:
    return SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE, most=most)


async def alive(sessions: SessionStore, *those: LiveSession) -> list[bool]:
    return [await sessions.load(one.cookie) is not None for one in those]


async def test_A2_the_session_that_was_used_longest_ago_ends_and_its_browser_is_told(
    vault: Vault, clock: MovableClock
) -> None:
    sessions = limited(vault, clock, 3)
    first, second, third = [await begun(sessions) for _ in range(3)]
    clock.now += 60
    for one in (first, third):
        await sessions.slide(one)
    clock.now += 60

    fourth = await begun(sessions)

    assert await alive(sessions, first, second, third, fourth) == [True, False, True, True]
    assert await sessions.why_ended(second.cookie) == "too-many-sessions"


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
async def test_A2_as_many_live_as_may_whoever_signs_in_in_the_same_moment(
    vault: Vault, clock: MovableClock, most: int, seed: int
) -> None:
    sessions = limited(vault, clock, most)
    clock.now += seed
    before = [await begun(sessions) for _ in range(most)]

    at_once = await asyncio.gather(*(begun(sessions) for _ in range(6)))

    assert (await alive(sessions, *before, *at_once)).count(True) == most


async def test_A2_a_session_that_is_used_after_it_was_chosen_goes_on_and_the_next_one_ends(
    vault: Vault, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    sessions = limited(vault, clock, 2)
    first = await begun(sessions)
    clock.now += 60
    second = await begun(sessions)
    clock.now += 60
    ending = way_to_redis.hold(runs(END))

    third = asyncio.create_task(begun(sessions))
    await ending.reached()
    await sessions.slide(first)
    ending.release()

    assert await alive(sessions, first, second, await third) == [True, False, True]
    assert await sessions.why_ended(first.cookie) == "expired", "nothing says that it ended"


async def test_A2_a_session_that_another_ends_meanwhile_is_not_ended_for_two(
    vault: Vault, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    sessions = limited(vault, clock, 2)
    first, second = await begun(sessions), await begun(sessions)
    clock.now += 60
    await sessions.slide(second)
    looked = way_to_redis.hold(runs(LIST), answered=True)

    third = asyncio.create_task(begun(sessions))
    await looked.reached()
    await sessions.end(first, "signed-out")
    looked.release()

    assert await alive(sessions, second, await third) == [True, True]
    assert await sessions.why_ended(first.cookie) == "signed-out"


async def test_A2_a_redis_that_fails_then_costs_no_sign_in_and_the_next_one_keeps_the_limit(
    vault: Vault,
    clock: MovableClock,
    way_to_redis: RequestProxy[Command],
    caplog: pytest.LogCaptureFixture,
) -> None:
    sessions = limited(vault, clock, 1)
    first = await begun(sessions)
    clock.now += 60
    way_to_redis.cut(runs(LIST), times=None)
    second = await begun(sessions)
    assert await alive(sessions, first, second) == [True, True]
    assert "session-limit-not-kept" in caplog.messages

    way_to_redis.heal()
    clock.now += 60
    third = await begun(sessions)

    assert await alive(sessions, first, second, third) == [False, False, True]


async def test_A2_a_step_up_asks_for_no_room(
    vault: Vault, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    sessions = limited(vault, clock, 1)
    old = await begun(sessions)
    looked = way_to_redis.watch(runs(LIST))
    cookie = SessionCookie.new(old.cookie.family)

    assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(old.ref, b"0"))

    assert await sessions.load(cookie)
    assert looked.met == []


async def test_A2_R23_a_sign_in_below_the_limit_asks_redis_once(
    vault: Vault, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    sessions = limited(vault, clock, 2)
    await begun(sessions)
    created, looked = way_to_redis.watch(runs(CREATE)), way_to_redis.watch(runs(LIST))

    await begun(sessions)

    assert (len(created.met), looked.met) == (1, [])


async def test_A2_another_persons_sessions_are_no_matter(vault: Vault, clock: MovableClock) -> None:
    sessions = limited(vault, clock, 1)
    people = [await begun(sessions, oid=oid, sub=oid) for oid in ("ada", "grace", "joan")]
    same_name_elsewhere = await begun(sessions, tid="another")

    assert await alive(sessions, *people, same_name_elsewhere) == [True] * 4


async def test_A2_the_authoritys_session_of_who_was_ended_is_forgotten_too(
    vault: Vault, clock: MovableClock
) -> None:
    sessions = limited(vault, clock, 1)
    for sid in ("one", "two", "three"):
        clock.now += 1
        await begun(sessions, sid=sid)

    keys = [key async for key in vault.redis.scan_iter(match="*:index:sid:*")]
    assert len(keys) == 1
