"""The connection that reads share (R3, R9, R26): everybody is given their own answer, or a fault of two connections."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.budget import RedisLimits
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.connection import redis_client
from gateway.store.redis.shared_connection import Ways
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import Manner, ScriptedRedis, hash_of_names
from tests.unit.gateway.store.redis.heard_counts import HeardCounts
from tests.unit.gateway.store.redis.sharing import asked, ends, own, refuses_some, shared, until
from tests.unit.gateway.store.redis.test_places import hold_up

QUICK = RedisLimits(command=0.1, attempt=1.2, request=1.6)


async def test_R26_commands_of_one_turn_go_out_in_one_write_and_by_one_connection() -> None:
    pieces: list[int] = []

    class Counting(ScriptedRedis):
        async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            piece = await reader.read(65_536)
            pieces.append(piece.count(b"HMGET"))
            reader.feed_data(piece)  # in front of nothing: the client waits
            await super()._accept(reader, writer)

    async with shared(server := Counting()) as connection:
        assert await ends(*(asked(connection, key) for key in range(64))) == [own(key) for key in range(64)]
        assert (pieces, server.connections) == ([64], 1)
        assert await asked(connection, "later") == own("later")
        assert server.connections == 1


ANSWERS = 3 * len(hash_of_names(Command((b"HMGET", b"key-1", b"a", b"b"), b"")))


async def test_R2_a_connection_cut_at_any_byte_costs_nobody_an_answer() -> None:
    async with shared(server := ScriptedRedis(), counts=(heard := HeardCounts())) as connection:
        for cut in range(ANSWERS):
            server.next(Manner(cut_after=cut))
            await connection.leave()
            assert await ends(*(asked(connection, key) for key in "123")) == [own(key) for key in "123"], cut

    assert server.connections == 2 * ANSWERS, "each was cut, and replaced by one that was not"
    assert not heard.breaker_is_open


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 40])
async def test_R2_an_answer_may_come_in_any_pieces(piece: int) -> None:
    async with shared(ScriptedRedis([Manner(piece=piece)])) as connection:
        assert await ends(*(asked(connection, key) for key in "123")) == [own(key) for key in "123"]


async def test_R3_of_a_fault_of_two_connections_everybody_hears_at_once_and_the_breaker_twice() -> None:
    manners = [Manner(cut_after=0), Manner(cut_after=0)]
    async with shared(server := ScriptedRedis(manners), counts=(heard := HeardCounts())) as connection:
        faults = await ends(*(asked(connection, key) for key in range(64)))
        assert {type(fault) for fault in faults} == {RedisConnectionError}
        assert len(set(map(id, faults))) == 64, "nobody shares a traceback"
        assert server.connections == 2
        assert not heard.breaker_is_open

        assert await asked(connection, "next") == own("next")


async def test_R3_a_server_that_refuses_connections_is_left_alone_soon() -> None:
    heard = HeardCounts()
    client = redis_client("redis://127.0.0.1:1", counts=heard)
    assert isinstance(client, GuardedRedis)
    for _ in range(3):
        faults = await ends(*(asked(client.reads.connection, key) for key in range(9)))
        assert {type(fault) for fault in faults} == {RedisConnectionError}

    assert heard.breaker_is_open
    await client.aclose()


async def test_R3_a_silent_connection_is_left_for_another_and_two_silent_ones_are_a_time_out() -> None:
    heard = HeardCounts()
    async with shared(ScriptedRedis([Manner(silent=True)]), QUICK, heard) as connection:
        assert await ends(*(asked(connection, key) for key in "123")) == [own(key) for key in "123"]

    silent = [Manner(silent=True), Manner(silent=True)]
    async with shared(server := ScriptedRedis(silent), QUICK, heard) as connection:
        faults = await ends(*(asked(connection, key) for key in "123"))
        assert {type(fault) for fault in faults} == {RedisTimeoutError}
        assert server.connections == 2
        assert await asked(connection, "next") == own("next")


async def test_R3_a_connection_that_never_comes_about_is_waited_for_no_longer_than_two_tries() -> None:
    limits = RedisLimits(command=0.1, attempt=0.1, request=1.6)
    never = asyncio.Event()

    async def connecting() -> Any:
        await never.wait()

    async with shared(ScriptedRedis(), limits) as connection:
        connection._ways = Ways(connecting, connection._ways.leave)
        with pytest.raises(RedisTimeoutError):
            await asked(connection, 1)


async def test_R3_while_our_own_loop_stands_still_no_server_is_blamed() -> None:
    async with shared(server := ScriptedRedis(), QUICK) as connection:
        assert await asked(connection, "first") == own("first")
        late = asked(connection, "late")
        await asyncio.sleep(0)
        hold_up(0.4)
        assert await late == own("late")
    assert server.connections == 1


@pytest.mark.parametrize("extra", [b"+OK\r\n", b"*1\r\n$1\r\nx\r\n", b"nonsense\r\n"])
async def test_R9_a_server_that_says_more_than_it_was_asked_is_given_up(extra: bytes) -> None:
    async with shared(server := ScriptedRedis([Manner(extra=extra)])) as connection:
        assert await asked(connection, 1) == own(1), "from the next connection"
        assert server.connections == 2
        assert await ends(*(asked(connection, key) for key in "23")) == [own("2"), own("3")]


@pytest.mark.parametrize("said", ["LOADING Redis is loading", "NOAUTH Authentication required."])
async def test_R3_what_is_said_of_the_connection_is_no_answer_to_a_command(said: str) -> None:
    answers = [f"-{said}\r\n".encode()]

    def answer(command: Command) -> bytes:
        return answers.pop() if answers else hash_of_names(command)

    async with shared(server := ScriptedRedis(answer=answer)) as connection:
        assert await ends(*(asked(connection, key) for key in "12")) == [own("1"), own("2")]
    assert server.connections == 2


async def test_R3_a_refusal_is_that_of_its_command_alone_and_opens_no_breaker() -> None:
    heard = HeardCounts()
    async with shared(ScriptedRedis(answer=refuses_some), counts=heard) as connection:
        for _ in range(9):
            first, refused, last = await ends(*(asked(connection, key) for key in ("1", "refused", "2")))
            assert (first, last) == (own("1"), own("2"))
            assert isinstance(refused, NoPermissionError)
    assert not heard.breaker_is_open


async def test_R3_an_idle_connection_that_the_server_closes_costs_nobody_anything() -> None:
    heard = HeardCounts()
    async with shared(server := ScriptedRedis(), counts=heard) as connection:
        for key in range(6):
            assert await asked(connection, key) == own(key)
            server.cut_all()
            await until(lambda: connection._wire is None)
    assert server.connections == 6
    assert not heard.breaker_is_open


async def test_R9_a_client_that_waits_for_room_in_the_socket_loses_nothing() -> None:
    manner = Manner()
    manner.deaf.clear()
    many = [f"field-{number}-{'x' * 1000}" for number in range(60)]
    patient = RedisLimits(command=PATIENCE, attempt=PATIENCE, request=PATIENCE)
    async with shared(server := ScriptedRedis([manner]), patient) as connection:
        asking = []
        for key in range(80):
            asking.append(asked(connection, key, *many))
            await asyncio.sleep(0)
        assert connection._unsent, "the socket took no more"
        asking.append(asked(connection, "last"))
        manner.deaf.set()
        *large, last = await ends(*asking)
    assert [one[0] for one in large] == [f"key-{key}.{many[0]}".encode() for key in range(80)]
    assert last == own("last")
    assert server.connections == 1


async def test_R5_whoever_waits_when_the_server_is_left_is_answered_by_the_next_one() -> None:
    heard = HeardCounts()
    async with shared(server := ScriptedRedis([Manner(silent=True)]), counts=heard) as connection:
        asking = asked(connection, 1)
        await until(lambda: len(server.commands) == 1)
        await connection.leave()
        assert await asking == own(1)
    assert server.connections == 2
    assert heard.asked == []


async def test_R19_the_end_of_a_gateway_tells_whoever_waits_and_leaves_nothing_open() -> None:
    async with shared(server := ScriptedRedis([Manner(silent=True)])) as connection:
        asking = asked(connection, 1)
        await until(lambda: len(server.commands) == 1)
        late = asked(connection, 2)
        await connection.aclose()
        for waiting in (asking, late, asked(connection, 3)):
            with pytest.raises(RedisConnectionError):
                await waiting
        assert connection._wire is None
    assert server.connections == 1
