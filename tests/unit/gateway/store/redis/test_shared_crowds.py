"""Many callers of one shared connection, some of whom leave at any moment (R9): nobody is given another's answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from gateway.store.redis.shared_connection import SharedConnection
from servicekit import event_loop
from tests.stage.scripted_redis import Manner, ScriptedRedis
from tests.unit.gateway.store.redis.sharing import asked, ends, own, refuses_some, shared


@dataclass(frozen=True)
class Caller:
    """Somebody who asks after so many turns of the event loop, and may leave after so many more."""

    comes: int
    leaves: int | None
    refused: bool


CALLERS = st.lists(
    st.builds(Caller, st.integers(0, 4), st.none() | st.integers(0, 14), st.booleans()),
    min_size=1,
    max_size=9,
)
MANNERS = st.lists(
    st.builds(Manner, piece=st.integers(1, 90), cut_after=st.none() | st.integers(0, 260)), max_size=2
)


async def crowd(callers: Sequence[Caller], manners: Sequence[Manner]) -> None:
    """Let all of them ask; whoever stays is given their own answer, their own refusal, or a fault of both tries."""
    server = ScriptedRedis(manners, answer=refuses_some)
    may_fail = sum(manner.cut_after is not None for manner in manners) == 2

    async def ask(connection: SharedConnection, number: int, caller: Caller) -> None:
        for _ in range(caller.comes):
            await asyncio.sleep(0)
        key = f"{number}-refused" if caller.refused else number
        (answer,) = await ends(asked(connection, key))
        if isinstance(answer, RedisConnectionError):
            assert may_fail
        elif caller.refused:
            assert isinstance(answer, NoPermissionError)
        else:
            assert answer == own(key)

    async def leave(task: asyncio.Task[None], turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()

    async with shared(server) as connection:
        tasks = [asyncio.create_task(ask(connection, *one)) for one in enumerate(callers)]
        leaving = [
            leave(task, caller.comes + caller.leaves)
            for task, caller in zip(tasks, callers, strict=True)
            if caller.leaves is not None
        ]
        results = await ends(*tasks, *leaving)
        for caller, result in zip(callers, results, strict=False):
            if caller.leaves is None or not isinstance(result, asyncio.CancelledError):
                assert result is None, result
        server.heal()
        for key in ("one more", "and another"):
            assert await asked(connection, key) == own(key), "and nothing of before is left on the connection"


@settings(max_examples=60)
@given(callers=CALLERS, manners=MANNERS)
def test_R9_whoever_is_cancelled_at_any_moment_leaves_no_answer_to_anybody_else(
    callers: list[Caller], manners: list[Manner]
) -> None:
    asyncio.run(crowd(callers, manners))


@settings(max_examples=20)
@given(callers=CALLERS, manners=MANNERS)
def test_R9_the_same_on_the_event_loop_that_the_product_runs_on(
    callers: list[Caller], manners: list[Manner]
) -> None:
    event_loop.run(crowd(callers, manners))
