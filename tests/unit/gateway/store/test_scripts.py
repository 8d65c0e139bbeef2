"""The scripts, each by itself: run a second time, as after an answer that nobody heard, they change nothing more."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.store import scripts
from gateway.store.names import PREFIX, tombstone_key
from gateway.store.scripts import (
    CLAIM,
    CREATE,
    END,
    INDEX,
    LEAVE,
    LIST,
    PREPEND,
    READ,
    READ_ALL,
    RELEASE,
    RENEW,
    REPEATABLE,
    SPEND,
    TOUCH,
    WRITE,
)
from tests.unit.gateway.store.script_runs import (
    ENDS,
    INDEXED,
    LOCK,
    MS,
    NEW,
    OLD,
    ROOM,
    TOMBSTONE_SECONDS,
    Call,
    run,
)
from tests.unit.gateway.store_of_tests import NOW

State = dict[bytes, Any]
Answer = list[Any] | int | None


async def state(client: Redis) -> State:
    """Return all that the server holds, and whether it ends; how often a session was written is left out.

    A write that is repeated counts twice there, so that a step-up reads the session once more: that costs nothing else.
    """
    readers: dict[bytes | str, Callable[[bytes], Any]] = {
        b"hash": client.hgetall,
        b"zset": functools.partial(client.zrange, start=0, end=-1, withscores=True),
        b"string": client.get,
    }
    held: State = {}
    async for key in client.scan_iter():
        value = await readers[await client.type(key)](key)
        if isinstance(value, dict):
            value.pop(b"writes", None)
        held[key] = (value, await client.ttl(key) > 0)
    return held


SUCCEEDING = Call(
    CREATE,
    [NEW.key, tombstone_key(NEW), OLD.key, tombstone_key(OLD)],
    [600_000, MS, TOMBSTONE_SECONDS, "4", NEW.digest, "session", "n"],
)
# Each with what it says the first time and the second.
REPEATED = {
    "a session": (Call(CREATE, [NEW.key, tombstone_key(NEW)], [600_000, MS, 900, "", NEW.digest]), 1, 1),
    "a successor": (SUCCEEDING, 1, 1),
    "a use": (Call(TOUCH, [OLD.key], [MS, 600_000]), 1, 1),
    "some records": (
        Call(READ, [OLD.key], ["session", "nothing", "seen"]),
        [b"s", None, b"1"],
        [b"s", None, b"1"],
    ),
    "all records": (
        Call(READ_ALL, [OLD.key]),
        [b"seen", b"1", b"writes", b"4", b"session", b"s", b"parked:a", ENDS + b"a"],
        [b"seen", b"1", b"writes", b"4", b"session", b"s", b"parked:a", ENDS + b"a"],
    ),
    "a write": (
        Call(WRITE, [OLD.key, LOCK], [MS, "mark", "", "", ROOM, "note", "x", 0, "session", "", 0]),
        [1, 5],
        [1, 6],
    ),
    "a write over a version": (
        Call(WRITE, [OLD.key], [MS, "", "note_version", "0", ROOM, "note", "x", 0, "beside", "y", 0]),
        [1, 5],
        [1, 6],
    ),
    "an end": (
        Call(END, [OLD.key, tombstone_key(OLD)], ["signed-out", TOMBSTONE_SECONDS]),
        [1, b"signed-out"],
        [0, b"signed-out"],
    ),
    "an end of what nobody used since": (
        Call(END, [OLD.key, tombstone_key(OLD)], ["too-many-sessions", TOMBSTONE_SECONDS, "1"]),
        [1, b"too-many-sessions"],
        [0, b""],
    ),
    "a reference": (Call(INDEX, [INDEXED], [NEW.packed, NOW, NOW - 60, 600, 1]), 1, 1),
    "leaving an index": (Call(LEAVE, [INDEXED, NEW.key], [OLD.packed]), 1, 0),
    "a list": (
        Call(LIST, [INDEXED], [PREFIX, "session", "seen", "+inf", 0, 9]),
        [OLD.packed, b"1750000000", b"s", b"1"],
        [OLD.packed, b"1750000000", b"s", b"1"],
    ),
    "an entry": (Call(PREPEND, [f"{PREFIX}:activity:ada"], [b"piece", 50, 600]), 1, 0),
    "some bytes": (Call(SPEND, ["stepup:parked-bytes:ada"], [60, 100, 600, "mark"]), 1, 1),
    "a lock": (Call(CLAIM, [f"{LOCK}2", OLD.key], ["mark", 60_000, "session"]), [b"s"], [b"s"]),
    "letting go": (Call(RELEASE, [LOCK], ["mark"]), 1, 0),
    "renewing": (Call(RENEW, [LOCK], ["mark", 60_000]), 1, 1),
}


@pytest.mark.parametrize("call, first, second", REPEATED.values(), ids=REPEATED)
async def test_R13_a_script_that_runs_twice_does_what_it_does_once(
    plain: Redis, call: Call, first: Answer, second: Answer
) -> None:
    assert await run(plain, call) == first
    after = await state(plain)

    assert await run(plain, call) == second
    assert await state(plain) == after


def test_R13_every_script_was_run_twice() -> None:
    assert {call.script for call, _, _ in REPEATED.values()} == REPEATABLE
    assert {
        text for name, text in vars(scripts).items() if isinstance(text, str) and "redis.call" in text
    } == (REPEATABLE)


async def test_R24_whatever_a_script_leaves_behind_ends_by_itself(plain: Redis) -> None:
    for call, _, _ in REPEATED.values():
        await run(plain, call)

    assert [key for key, (_, ends) in (await state(plain)).items() if not ends] == []


async def test_S15_a_successor_is_the_old_session_no_more(plain: Redis) -> None:
    assert await run(plain, SUCCEEDING) == 1

    assert await plain.hgetall(NEW.key) == {b"seen": b"%d" % MS, b"session": b"n"}
    assert await plain.exists(OLD.key) == 0
    assert await plain.get(tombstone_key(OLD)) == b"rotated:" + NEW.digest.encode()
    assert 590_000 < await plain.pttl(NEW.key) <= 600_000
    assert 890 < await plain.ttl(tombstone_key(OLD)) <= TOMBSTONE_SECONDS


async def test_S15_a_session_that_was_written_or_has_ended_gets_no_successor(plain: Redis) -> None:
    await plain.hset(OLD.key, "writes", "5")
    assert await run(plain, SUCCEEDING) == 2
    await plain.delete(OLD.key)
    assert await run(plain, SUCCEEDING) == 0

    assert await plain.exists(NEW.key, tombstone_key(OLD)) == 0


async def test_S20_a_session_that_was_ended_before_it_began_does_not_begin(plain: Redis) -> None:
    await plain.set(tombstone_key(NEW), "signed-out", ex=60)

    assert await run(plain, SUCCEEDING) == 0
    assert await plain.exists(NEW.key) == 0
    assert await plain.exists(OLD.key) == 1, "and the old one is as it was"


async def test_R13_neither_a_use_nor_a_write_revives_a_session(plain: Redis) -> None:
    await plain.delete(OLD.key)

    assert await run(plain, Call(TOUCH, [OLD.key], [MS, 600_000])) == 0
    assert await run(plain, Call(WRITE, [OLD.key], [MS, "", "", "", ROOM, "note", "x", 0])) == [0, 0]
    assert await run(plain, Call(READ_ALL, [OLD.key])) == []
    assert await plain.exists(OLD.key) == 0


async def test_R11_a_lock_is_let_go_of_also_where_the_session_has_ended_and_only_by_its_holder(
    plain: Redis,
) -> None:
    others = Call(WRITE, [OLD.key, LOCK], [MS, "another", "", "", ROOM, "note", "x", 0])
    assert await run(plain, others) == [1, 5]
    assert await run(plain, Call(RELEASE, [LOCK], ["another"])) == 0
    assert await run(plain, Call(RENEW, [LOCK], ["another", 60_000])) == 0
    assert await run(plain, Call(CLAIM, [LOCK, OLD.key], ["another", 60_000, "session"])) is None
    assert await plain.get(LOCK) == b"mark"
    assert await plain.pttl(LOCK) > 900_000

    await plain.delete(OLD.key)
    assert await run(plain, Call(WRITE, [OLD.key, LOCK], [MS, "mark", "", "", ROOM, "note", "x", 0])) == [
        0,
        0,
    ]
    assert await plain.exists(LOCK) == 0


async def test_R13_over_another_version_all_is_written_but_the_first_field(plain: Redis) -> None:
    late = Call(WRITE, [OLD.key], [MS, "", "note_version", "7", ROOM, "note", "late", 0, "beside", "y", 0])

    assert await run(plain, late) == [2, 5]

    assert await plain.hmget(OLD.key, ["note", "note_version", "beside"]) == [None, None, b"y"]
    assert await plain.hget(OLD.key, "writes") == b"5"


async def test_R24_an_index_forgets_what_is_older_than_a_session_may_be(plain: Redis) -> None:
    await plain.zadd(INDEXED, {b"old": NOW - 61, b"as old": NOW - 60, b"younger": NOW - 59})

    await run(plain, Call(INDEX, [INDEXED], [NEW.packed, NOW, NOW - 60, 600, 9]))

    assert set(await plain.zrange(INDEXED, 0, -1)) == {b"younger", OLD.packed, NEW.packed}
    assert 590 < await plain.ttl(INDEXED) <= 600


async def test_S18_the_first_reason_stands(plain: Redis) -> None:
    for reason in ("signed-out", "ended-elsewhere"):
        await run(plain, Call(END, [OLD.key, tombstone_key(OLD)], [reason, TOMBSTONE_SECONDS]))

    assert await plain.get(tombstone_key(OLD)) == b"signed-out"


async def test_a_session_that_lives_does_not_leave_its_index(plain: Redis) -> None:
    assert await run(plain, Call(LEAVE, [INDEXED, OLD.key], [OLD.packed])) == 0
    assert await plain.zscore(INDEXED, OLD.packed) == NOW


async def test_A6_of_a_list_of_entries_the_oldest_beyond_the_most_are_gone(plain: Redis) -> None:
    key = f"{PREFIX}:activity:ada"
    for number in range(5):
        await run(plain, Call(PREPEND, [key], [b"entry %d" % number, 3, 600]))

    assert await plain.get(key) == b"0007entry 40007entry 30007entry 2"
    assert 590 < await plain.ttl(key) <= 600


async def test_A6_a_list_that_was_damaged_goes_on_with_what_is_whole(plain: Redis) -> None:
    key = f"{PREFIX}:activity:ada"
    await plain.set(key, b"0003onexxxx")

    await run(plain, Call(PREPEND, [key], [b"two", 50, 600]))

    assert await plain.get(key) == b"0003two0003one"
