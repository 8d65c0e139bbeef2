"""Sessions that a process keeps opened: how many, and for how long (S15, S18)."""

import asyncio
import gc
import weakref

from gateway.session.kept_sessions import KeptSessions
from tests.stage.patience import PATIENCE
from tests.stage.tenant import MovableClock

MINUTE = 60.0


async def is_empty(kept: KeptSessions[str]) -> None:
    """Wait until none is kept any more, though nobody asks for one."""
    async with asyncio.timeout(PATIENCE):
        while len(kept):  # noqa: ASYNC110 - forgetting is nothing that anybody is told
            await asyncio.sleep(0.005)


async def test_S15_a_session_is_kept_for_a_minute_at_most_however_often_it_is_asked_for() -> None:
    clock = MovableClock(100.0)
    kept = KeptSessions[str](now=clock)

    kept.keep("a cookie", "a session", 10)

    for seconds in (0.0, MINUTE / 2, MINUTE - 0.001):
        clock.now = 100.0 + seconds
        assert kept.get("a cookie") == "a session"
    clock.now = 100.0 + MINUTE
    assert kept.get("a cookie") is None
    assert len(kept) == 0


async def test_S15_who_does_not_come_back_is_forgotten_as_well() -> None:
    loop = asyncio.get_running_loop()
    kept = KeptSessions[str](now=loop.time, seconds=0.04)

    kept.keep("a cookie", "a session", 10)
    kept.keep("another", "session", 10)

    await is_empty(kept)
    kept.keep("another", "session", 10)
    kept.clear()
    kept.keep("another", "session", 10)
    await is_empty(kept)


async def test_S15_who_does_not_come_back_is_forgotten_when_the_time_is_over_to_the_letter() -> None:
    clock = MovableClock(100.0)
    kept = KeptSessions[str](now=clock, seconds=0.04)
    kept.keep("a cookie", "a session", 10)
    clock.now += 0.04

    await is_empty(kept)


async def test_nothing_holds_those_that_are_kept_once_there_are_none() -> None:
    swept, cleared = (
        KeptSessions[str](now=MovableClock(0.0), seconds=0.04),
        KeptSessions[str](now=MovableClock(0.0), seconds=3600),
    )
    for number in range(3):
        swept.keep(f"a cookie {number}", "a session", 10)
        cleared.keep(f"a cookie {number}", "a session", 10)
        swept.drop(f"a cookie {number}")
    held = [weakref.ref(swept), weakref.ref(cleared)]

    cleared.clear()
    del swept, cleared

    async with asyncio.timeout(PATIENCE):
        while any(one() is not None for one in held):
            await asyncio.sleep(0.005)
            gc.collect()


async def test_no_more_are_kept_than_there_is_room_for_and_the_oldest_go_first() -> None:
    kept = KeptSessions[int](now=MovableClock(0.0), most_bytes=100)

    for number in range(10):
        kept.keep(f"cookie {number}", number, 22)

    assert [kept.get(f"cookie {number}") for number in range(6, 10)] == [None, 7, 8, 9]
    kept.keep("one that is larger than all room", 11, 101)
    assert len(kept) == 0
    kept.keep("one with all that its browser sends" * 3, 12, 1)
    assert len(kept) == 0


async def test_all_together_take_32_mib_to_the_byte() -> None:
    kept = KeptSessions[int](now=MovableClock(0.0))
    half = 16 * 1024 * 1024 - 1  # and a byte for its key

    kept.keep("1", 1, half)
    kept.keep("2", 2, half)
    assert (kept.get("1"), kept.get("2")) == (1, 2)
    kept.keep("3", 3, half + 1)
    assert (kept.get("1"), kept.get("2"), kept.get("3")) == (None, None, 3)

    kept.clear()
    kept.keep("1", 1, half)
    kept.keep("2", 2, half)
    assert (kept.get("1"), kept.get("2")) == (1, 2)


async def test_what_is_kept_again_takes_its_own_place_and_no_other() -> None:
    kept = KeptSessions[int](now=MovableClock(0.0), most_bytes=100)
    kept.keep("one", 1, 45)
    kept.keep("two", 2, 45)

    for _ in range(5):
        kept.keep("one", 3, 45)

    assert (kept.get("one"), kept.get("two")) == (3, 2)
    kept.drop("one")
    kept.drop("one")
    kept.keep("three", 4, 45)
    assert (kept.get("two"), kept.get("three")) == (2, 4)
    kept.clear()
    assert (len(kept), kept.get("two")) == (0, None)
