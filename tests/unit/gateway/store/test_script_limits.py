"""What the scripts limit: records of a kind, bytes of a session, members of an index, ends of what nobody uses (A2)."""

from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.store.names import tombstone_key
from gateway.store.scripts import END, INDEX, WRITE
from tests.unit.gateway.store.script_runs import (
    ENDED,
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


async def test_A2_R24_of_records_with_keys_the_ended_go_and_the_oldest_beyond_the_most_of_a_kind(
    plain: Redis,
) -> None:
    for number in range(25):
        await plain.hset(OLD.key, f"parked:{number:02}", str(MS + 1000 + number))
    await plain.hset(
        OLD.key, mapping={"parked:ended": ENDED, "parked:odd": "no digits", "other:ended": ENDED}
    )

    new = ["parked:new", b"%d" % (MS + 9000), 20]
    result, writes, *gone = await run(plain, Call(WRITE, [OLD.key], [MS, "", "", "", ROOM, *new]))
    assert (result, writes) == (1, 5)
    assert set(gone) == {
        *(b"parked:%02d" % number for number in range(6)),
        *(b"parked:ended", b"parked:odd", b"parked:a"),
    }, "whoever wrote is told of each"

    left: Any = await plain.hkeys(OLD.key)
    assert {name for name in left if name.startswith(b"parked:")} == {
        *(b"parked:%02d" % number for number in range(6, 25)),
        b"parked:new",
    }
    assert b"other:ended" in left, "nothing of that kind was written"


def parked(name: str, size: int, most: int = 3, *, ends: int = MS + 9000) -> list[Any]:
    return [f"parked:{name}", (b"%d" % ends).ljust(size, b"-"), most]


async def size_of(client: Redis) -> int:
    held: Any = await client.hgetall(OLD.key)
    return sum(map(len, (*held.keys(), *held.values())))


async def test_A2_what_a_person_may_write_as_often_as_they_like_is_left_out_beyond_the_budget(
    plain: Redis,
) -> None:
    room = await size_of(plain) + 1000
    for writes, name in enumerate(("b", "c"), start=5):
        assert await run(plain, Call(WRITE, [OLD.key], [MS, "", "", "", room, *parked(name, 400)])) == [
            1,
            writes,
        ]
    before = await plain.hgetall(OLD.key)

    both = [*parked("d", 900), "token:graph", b"%d-a-token" % (MS + 9000), 0]
    assert await run(plain, Call(WRITE, [OLD.key, LOCK], [MS, "mark", "", "", room, *both])) == [
        1,
        7,
        b"parked:d",
    ]

    after = await plain.hgetall(OLD.key)
    assert after.pop(b"token:graph") == b"%d-a-token" % (MS + 9000), "a token needs no room"
    assert {**after, b"writes": b""} == {**before, b"writes": b""}, "and nobody made room for nothing"
    assert await plain.exists(LOCK) == 0, "the lock is let go of all the same"


async def test_A2_a_record_that_is_written_again_takes_its_own_place(plain: Redis) -> None:
    room = await size_of(plain) + 1000
    for writes in (5, 6, 7):
        again = Call(WRITE, [OLD.key], [MS, "", "", "", room, *parked("b", 900)])
        assert await run(plain, again) == [1, writes]

    assert await plain.hget(OLD.key, "parked:b") == parked("b", 900)[1]


async def test_A2_the_oldest_of_a_kind_makes_room_for_the_youngest(plain: Redis) -> None:
    gone_by_then: list[bytes] = []
    for number in range(6):
        one = parked(str(number), 100, ends=MS + 2000 + number)
        result, _, *gone = await run(plain, Call(WRITE, [OLD.key], [MS, "", "", "", ROOM, *one]))
        assert result == 1
        gone_by_then += gone

    assert gone_by_then == [b"parked:a", b"parked:0", b"parked:1", b"parked:2"]
    left: Any = await plain.hkeys(OLD.key)
    assert {name for name in left if name.startswith(b"parked:")} == {b"parked:3", b"parked:4", b"parked:5"}
    assert await plain.hget(OLD.key, "session") == b"s"


@pytest.mark.parametrize("seen, ends", [("1", True), ("0", False), ("2", False)])
async def test_A2_a_session_that_was_used_since_it_was_chosen_does_not_end(
    plain: Redis, seen: str, *, ends: bool
) -> None:
    answer = await run(
        plain, Call(END, [OLD.key, tombstone_key(OLD)], ["too-many-sessions", TOMBSTONE_SECONDS, seen])
    )

    assert answer == ([1, b"too-many-sessions"] if ends else [0, b""])
    assert await plain.exists(OLD.key) == (not ends)
    assert await plain.exists(tombstone_key(OLD)) == ends


@pytest.mark.parametrize("most, crowded", [(1, 1), (2, 0), (9, 0)])
async def test_A2_an_index_says_when_it_names_more_than_it_should(
    plain: Redis, most: int, crowded: int
) -> None:
    assert await run(plain, Call(INDEX, [INDEXED], [NEW.packed, NOW, NOW - 60, 600, most])) == crowded


async def test_A2_a_record_that_takes_the_place_of_its_own_that_has_ended_is_there(plain: Redis) -> None:
    await plain.hset(OLD.key, mapping={"parked:a": ENDED, "parked:b": ENDED})

    call = Call(WRITE, [OLD.key], [MS, "", "", "", ROOM, *parked("a", 100)])

    assert await run(plain, call) == [1, 5, b"parked:b"]
    assert await plain.hget(OLD.key, "parked:a") == parked("a", 100)[1]
