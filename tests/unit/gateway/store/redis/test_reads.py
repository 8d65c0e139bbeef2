"""What reads pass on their way to the shared connection (R3): the budget of a request, and the circuit breaker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.errors import SessionStoreUnavailable
from gateway.store.redis.budget import LIMITS, RedisLimits, redis_budget
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.packing import packed
from gateway.store.redis.places import OwnDelay
from gateway.store.redis.reads import Reads
from gateway.store.redis.shared_connection import SharedConnection
from servicekit.breaker import OPEN_SECONDS, CircuitBreaker
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import Manner, ScriptedRedis, hash_of_names
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store.redis.heard_counts import HeardCounts

ONE, OTHER = packed("HMGET", "one", "a", "b"), packed("HMGET", "other", "a", "b")
OF_ONE, OF_OTHER = [b"one.a", b"one.b"], [b"other.a", b"other.b"]
SILENT = Manner(silent=True)


@pytest.fixture
def heard() -> HeardCounts:
    return HeardCounts()


@asynccontextmanager
async def reading(
    server: ScriptedRedis, heard: HeardCounts, limits: RedisLimits = LIMITS
) -> AsyncIterator[Reads]:
    """Give the reads of a client of a server that runs meanwhile."""
    async with server.running():
        client = redis_client(server.url, limits=limits, counts=heard)
        assert isinstance(client, GuardedRedis)
        try:
            async with asyncio.timeout(PATIENCE):
                yield client.reads
        finally:
            await client.aclose()


async def test_R3_what_redis_took_is_taken_from_the_budget_of_the_request(heard: HeardCounts) -> None:
    async with reading(ScriptedRedis(), heard) as reads:
        with redis_budget(LIMITS.request) as budget:
            assert await asyncio.gather(reads.ask(ONE), reads.ask(OTHER)) == [OF_ONE, OF_OTHER]  # type: ignore[comparison-overlap]  # a list it is
            assert 0 < budget.remaining < LIMITS.request
            assert budget.goes_first
            left = budget.remaining
            assert await reads.ask_all([ONE, OTHER]) == [OF_ONE, OF_OTHER]
            assert budget.remaining < left
    assert heard.asked == [("answered", 2), ("answered", 2)]


async def test_R3_so_is_what_the_connection_took_that_it_waited_for(heard: HeardCounts) -> None:
    class SlowToGreet(ScriptedRedis):
        async def _serve(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manner: Manner
        ) -> None:
            await asyncio.sleep(0.1)
            await super()._serve(reader, writer, manner)

    def answer(command: Command) -> bytes:
        return b"+OK\r\n" if command.name == "AUTH" else hash_of_names(command)

    async with SlowToGreet(answer=answer).running() as server:
        client = redis_client(f"redis://:password@127.0.0.1:{server.port}", counts=heard)
        assert isinstance(client, GuardedRedis)
        with redis_budget(LIMITS.request) as budget:
            assert await client.reads.ask(ONE) == OF_ONE
        await client.aclose()
    assert budget.remaining < LIMITS.request - 0.05


async def test_R3_a_request_that_waited_long_enough_asks_nothing(heard: HeardCounts) -> None:
    async with reading(server := ScriptedRedis(), heard) as reads:
        with redis_budget(0), pytest.raises(RedisTimeoutError):
            await reads.ask(ONE)
    assert server.connections == 0


async def test_R3_whoever_has_little_time_left_waits_no_longer_and_holds_up_nobody(
    heard: HeardCounts,
) -> None:
    said = asyncio.Event()

    class Slow(ScriptedRedis):
        async def _serve(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, manner: Manner
        ) -> None:
            await said.wait()
            await super()._serve(reader, writer, manner)

    patient = RedisLimits(command=PATIENCE, attempt=PATIENCE, request=PATIENCE)
    async with reading(server := Slow(), heard, patient) as reads:
        other = asyncio.create_task(reads.ask(OTHER))
        # Our own delay it is where this computer lets us have no time.
        with redis_budget(0.05) as budget, pytest.raises((RedisTimeoutError, OwnDelay)):
            await reads.ask(ONE)
        assert budget.remaining < 0.05
        said.set()
        assert await other == OF_OTHER
        assert await reads.ask(ONE) == OF_ONE
    assert server.connections == 1
    assert heard.asked[0] in {("failed", 1), ("own-delay", 1)}
    assert heard.asked[1:] == [("answered", 1), ("answered", 1)]


async def test_R3_while_the_breaker_is_open_nothing_is_sent_and_then_one_finds_out(
    heard: HeardCounts,
) -> None:
    clock = MovableClock(0)
    breaker = CircuitBreaker(
        now=clock, on_turn=lambda is_open: heard.breaker_turned("redis", is_open=is_open)
    )
    async with reading(server := ScriptedRedis([Manner(cut_after=0)] * 6), heard) as plain:
        connection = SharedConnection(plain.connection._ways, breaker, limits=LIMITS, counts=heard)
        reads = Reads(connection, breaker, limits=LIMITS, counts=heard)
        for _ in range(3):
            with pytest.raises(RedisConnectionError):
                await reads.ask(ONE)
        assert breaker.is_open

        for _ in range(9):
            with redis_budget(LIMITS.request), pytest.raises(RedisConnectionError, match="a moment ago"):
                await reads.ask(ONE)
        assert server.connections == 6
        assert heard.asked[-1] == ("not-sent", 1)

        clock.now += OPEN_SECONDS
        finding_out = [asyncio.create_task(reads.ask(ONE)) for _ in range(5)]
        answers = await asyncio.gather(*finding_out, return_exceptions=True)
        await connection.aclose()
    assert answers[0] == OF_ONE
    assert {type(answer) for answer in answers[1:]} == {RedisConnectionError}
    assert breaker.is_closed
    assert server.connections == 7


@pytest.mark.parametrize("said", [b"*1\r\n$1\r\nx\r\n", b"$1\r\nx\r\n", b":1\r\n", b"*-1\r\n"])
async def test_R9_an_answer_to_something_else_is_believed_by_nobody(heard: HeardCounts, said: bytes) -> None:
    answers = [said]

    def answer(command: Command) -> bytes:
        return answers.pop() if answers else hash_of_names(command)

    async with reading(server := ScriptedRedis(answer=answer), heard) as reads:
        with pytest.raises(SessionStoreUnavailable):
            await reads.values(ONE, 2)
        assert await reads.values(ONE, 2) == OF_ONE
    assert server.connections == 2


async def test_R3_a_refusal_is_counted_as_one(heard: HeardCounts) -> None:
    async with reading(ScriptedRedis(answer=lambda _: b"-NOPERM no\r\n"), heard) as reads:
        with redis_budget(LIMITS.request):
            with pytest.raises(NoPermissionError):
                await reads.ask(ONE)
            with pytest.raises(SessionStoreUnavailable):
                await reads.values(ONE, 2)
    assert heard.asked == [("refused", 1), ("refused", 1)]
