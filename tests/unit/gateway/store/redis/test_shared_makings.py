"""How the connection that reads share is made, given up and ended, and who is blamed for what befell it."""

import asyncio
import gc
import time
from collections import deque
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.budget import Budget, RedisLimits
from gateway.store.redis.packing import packed
from gateway.store.redis.places import OwnDelay
from tests.stage.patience import PATIENCE
from tests.stage.scripted_redis import Manner
from tests.unit.gateway.store.redis.making import BRIEF, REQUEST, Unfinished, scene
from tests.unit.gateway.store.redis.sharing import asked, ends, own, refuses_some, until


async def test_R19_whoever_waits_for_a_connection_hears_of_the_end_and_nothing_is_left_of_either() -> None:
    half_made = Unfinished()
    async with scene(half_made) as one:
        asking = asked(one.connection, 1)
        await half_made.begun.wait()

        await one.connection.aclose()

        assert asking.done()
        with pytest.raises(RedisConnectionError, match=r"^the gateway ends$"):
            await asking
        assert half_made.left == [True]
        assert not await one.is_ticking()
        with pytest.raises(RedisConnectionError, match=r"^the gateway has ended$"):
            await asked(one.connection, 2)


async def test_R19_whoever_waits_for_an_answer_hears_of_the_end_and_the_connection_is_gone_by_then() -> None:
    async with scene(manners=(Manner(silent=True),)) as one:
        asking = asked(one.connection, 1)
        await until(lambda: bool(one.server.commands))
        wire = one.connection._wire
        assert wire

        await one.connection.aclose()

        assert wire.closed.done()
        assert asking.done()
        with pytest.raises(RedisConnectionError, match=r"^the gateway ends$"):
            await asking
        assert not await one.is_ticking()


async def test_the_connection_belongs_to_no_request_and_its_clock_stops_when_nothing_is_under_way() -> None:
    REQUEST.set("somebody's")
    async with scene() as one:
        for key in "12":
            assert await asked(one.connection, key) == own(key)

        assert one.doors.asked_in == ["none"]
        async with asyncio.timeout(PATIENCE):
            while await one.is_ticking():  # noqa: ASYNC110 - the clock tells nobody
                await asyncio.sleep(0.02)


async def test_what_is_to_be_asked_along_goes_with_the_next_commands_and_only_when_it_is_wanted() -> None:
    class Once:
        def __init__(self) -> None:
            self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.wants = deque([(self.answer, packed("HMGET", "key-along", "a", "b"))])

        def wanted(self) -> tuple[Any, bytes] | None:
            return self.wants.popleft() if self.wants else None

    async with scene() as one:
        one.connection.along = once = Once()
        assert await asked(one.connection, 1) == own(1)
        assert await once.answer == own("along")
        assert await asked(one.connection, 2) == own(2)
        assert len(one.server.commands) == 3


async def test_R3_idle_connections_are_left_where_the_server_failed_and_not_before() -> None:
    async with scene() as one:
        assert await asked(one.connection, 1) == own(1)
        assert one.doors.done == ["connection"]

        one.breaker.hold(PATIENCE)
        await one.connection.leave()
        assert await asked(one.connection, 2) == own(2)
        assert one.doors.done == ["connection", "leave", "connection"]


async def test_R3_a_connection_that_could_not_be_made_is_closed_and_the_fault_is_named() -> None:
    broken = [Unfinished(OSError("no route")), Unfinished(ConnectionResetError("reset"))]
    async with scene(*broken) as one:
        with pytest.raises(RedisConnectionError, match=r"^ConnectionResetError$"):
            await asked(one.connection, 1)

        assert [each.left for each in broken] == [[True], [True]]
        assert one.breaker.is_open
        assert await asked(one.connection, 2) == own(2)


@pytest.mark.parametrize("kind", ["hangs", "is broken by us"])
async def test_R3_a_connection_that_does_not_come_about_is_tried_anew_for_the_next_one(kind: str) -> None:
    hangs = Unfinished()
    async with scene(hangs if kind == "hangs" else ValueError("ours"), limits=BRIEF) as one:
        heard: list[Any] = []
        if kind != "hangs":
            asyncio.get_running_loop().set_exception_handler(
                lambda _, context: heard.append(context["exception"])
            )
        (first,) = await ends(asked(one.connection, 1))
        assert first == own(1) or isinstance(first, RedisTimeoutError)

        async with asyncio.timeout(PATIENCE):
            while await ends(asked(one.connection, 2)) != [own(2)]:  # noqa: ASYNC110 - the next one asks
                await asyncio.sleep(0)
        # On a busy computer a second one may take longer than a tenth of a second as well, and is left in its turn.
        assert one.doors.done[0] == one.doors.done[-1] == "connection"
        assert one.doors.done.count("connection") >= 2
        if kind == "hangs":
            assert hangs.left == [True]
        else:
            gc.collect()
            assert [type(fault) for fault in heard] == [ValueError], "our own faults are told"


async def test_R5_a_connection_that_is_left_is_closed() -> None:
    async with scene() as one:
        assert await asked(one.connection, 1) == own(1)
        wire = one.connection._wire
        assert wire

        await one.connection.leave()

        assert wire.is_over
        await asyncio.wait_for(wire.closed, PATIENCE)


async def test_R9_what_nobody_waits_for_any_more_is_not_asked_again() -> None:
    async with scene(manners=(Manner(silent=True),)) as one:
        early = asked(one.connection, "early")
        await until(lambda: len(one.server.commands) == 1)
        late = asked(one.connection, "late")
        await until(lambda: len(one.server.commands) == 2)
        early.cancel()

        await one.connection.leave()

        assert await late == own("late")
        assert [command.words[1] for command in one.server.commands] == [
            b"key-early",
            b"key-late",
            b"key-late",
        ]


async def test_R3_of_an_idle_connection_that_ends_nobody_hears_and_none_is_made_in_its_place() -> None:
    async with scene() as one:
        assert await asked(one.connection, 1) == own(1)

        one.server.cut_all()
        await until(lambda: one.connection._wire is None)
        for _ in range(9):
            await asyncio.sleep(0)

        assert not one.breaker.is_open
        assert one.doors.done == ["connection"]


async def test_R3_of_our_own_standing_still_twice_whoever_waits_hears_and_the_breaker_does_not() -> None:
    limits = RedisLimits(command=0.1, attempt=PATIENCE, request=PATIENCE)
    # The first time-out may be anybody's.
    async with scene(limits=limits, manners=(Manner(silent=True), Manner(silent=True)), failures=2) as one:
        asking = asked(one.connection, 1)
        while not asking.done():
            one.connection.clock.stood_still += 60
            await asyncio.sleep(0.01)

        with pytest.raises(OwnDelay, match="stood still"):
            await asking
        assert one.server.connections == 2
        assert not one.breaker.is_open


async def test_R3_a_connection_that_breaks_is_the_servers_fault_although_we_stood_still_meanwhile() -> None:
    budget = Budget(PATIENCE)
    async with scene(manners=(Manner(cut_after=0), Manner(cut_after=0)), failures=9) as one:
        asking = one.connection.send(packed("HMGET", "key-1", "a", "b"), budget)
        await asyncio.sleep(0)
        time.sleep(0.15)  # noqa: ASYNC251 - the fault: nothing else runs meanwhile
        with pytest.raises(RedisConnectionError) as refused:
            await asking

    assert not isinstance(refused.value, OwnDelay)
    assert one.heard.asked == [("failed", 1)]
    assert 0 < budget.remaining < PATIENCE
    assert budget.goes_first


async def test_R3_what_is_answered_and_what_is_refused_is_counted_apart_and_only_for_requests() -> None:
    budgets = [Budget(PATIENCE) for _ in range(3)]
    async with scene(answer=refuses_some) as one:
        keys = ["1", "refused", "2"]
        asking = [
            one.connection.send(packed("HMGET", f"key-{key}", "a", "b"), budget)
            for key, budget in zip(keys, budgets, strict=True)
        ]
        asking.append(asked(one.connection, "of no request"))
        first, refused, second, other = await ends(*asking)

    assert (first, second, other) == (own("1"), own("2"), own("of no request"))
    assert isinstance(refused, NoPermissionError)
    assert one.heard.asked == [("refused", 1), ("answered", 2)]
    assert all(budget.goes_first for budget in budgets)
