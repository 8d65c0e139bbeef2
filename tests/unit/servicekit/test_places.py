"""Places: none is lost, whoever leaves, and they are had in the order of arrival."""

import asyncio

import pytest

from servicekit.places import Places


async def waiting(places: Places, number: int) -> "list[asyncio.Task[None]]":
    tasks = [asyncio.create_task(places.take()) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def test_a_free_place_is_had_at_once_and_there_are_no_more_than_there_are() -> None:
    places = Places(2)

    assert [places.take_at_once() for _ in range(3)] == [True, True, False]


async def test_whoever_waits_is_served_before_whoever_comes_next() -> None:
    places = Places(1)
    await places.take()
    first, second = await waiting(places, 2)
    places.give_back()

    assert not places.take_at_once()
    await first
    assert not second.done()
    places.give_back()
    await second


@pytest.mark.parametrize("handed_over", [False, True])
async def test_R9_whoever_leaves_while_waiting_takes_no_place_along(*, handed_over: bool) -> None:
    places = Places(1)
    await places.take()
    leaves, stays = await waiting(places, 2)
    if handed_over:
        places.give_back()
    leaves.cancel()
    await asyncio.wait({leaves})
    if not handed_over:
        places.give_back()

    await stays
    places.give_back()
    assert [places.take_at_once() for _ in range(2)] == [True, False]
