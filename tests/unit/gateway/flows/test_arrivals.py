"""One outcome for the same answer, however often it comes, and a new judgement after a failure."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.flows.arrivals import Arrivals


class Work:
    """Work that waits until it may end, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self.fails = False

    async def __call__(self) -> int:
        self.begun += 1
        mine = self.begun
        await self.may_end.wait()
        if self.fails:
            raise ValueError
        return mine


@pytest.fixture
def arrivals() -> Arrivals[int]:
    return Arrivals(now=lambda: 0.0)


def begun(*calls: Awaitable[int]) -> list[asyncio.Future[int]]:
    return [asyncio.ensure_future(call) for call in calls]


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_D6_who_comes_meanwhile_or_a_moment_later_is_given_the_same(arrivals: Arrivals[int]) -> None:
    work = Work()
    calls = begun(arrivals.once("a", work), arrivals.once("a", work), arrivals.once("b", work))
    await a_moment()
    work.may_end.set()

    assert await asyncio.gather(*calls) == [1, 1, 2]
    assert await arrivals.once("a", work) == 1
    assert work.begun == 2


async def test_D6_without_a_name_nothing_is_shared(arrivals: Arrivals[int]) -> None:
    work = Work()
    work.may_end.set()

    assert [await arrivals.once(None, work) for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("end", ["fails", "is cancelled"])
async def test_D6_a_failure_is_nobody_elses(arrivals: Arrivals[int], end: str) -> None:
    first, second = Work(), Work()
    second.may_end.set()
    calls = begun(arrivals.once("a", first), arrivals.once("a", second))
    await a_moment()
    if end == "fails":
        first.fails = True
        first.may_end.set()
    else:
        calls[0].cancel()

    assert await calls[1] == 1
    with pytest.raises((ValueError, asyncio.CancelledError)):
        await calls[0]
    assert (first.begun, second.begun) == (1, 1)


async def test_D6_whoever_waits_may_go_without_a_harm_to_the_others(arrivals: Arrivals[int]) -> None:
    work = Work()
    calls = begun(*(arrivals.once("a", work) for _ in range(3)))
    await a_moment()
    calls[1].cancel()
    await a_moment()
    work.may_end.set()

    assert await calls[0] == await calls[2] == 1


async def test_D6_an_outcome_is_kept_for_a_minute() -> None:
    now = [0.0]
    arrivals: Arrivals[int] = Arrivals(now=lambda: now[0])
    work = Work()
    work.may_end.set()
    outcomes: list[int] = []
    once: Callable[[], Awaitable[int]] = lambda: arrivals.once("a", work)  # noqa: E731 - said four times below

    for now[0] in (0.0, 59.0, 60.0, 61.0):
        outcomes.append(await once())

    assert outcomes == [1, 1, 2, 2]


async def test_D6_after_that_minute_who_comes_meanwhile_shares_again() -> None:
    now = [0.0]
    arrivals: Arrivals[int] = Arrivals(now=lambda: now[0])
    work = Work()
    work.may_end.set()
    assert await arrivals.once("a", work) == 1

    now[0] = 60.0
    work.may_end.clear()
    calls = begun(arrivals.once("a", work), arrivals.once("a", work))
    await a_moment()
    work.may_end.set()

    assert await asyncio.gather(*calls) == [2, 2]


async def test_D6_a_thousand_outcomes_are_kept_and_no_more(arrivals: Arrivals[int]) -> None:
    work = Work()
    work.may_end.set()
    for number in range(1_001):
        await arrivals.once(str(number), work)

    assert await arrivals.once("999", work) == 1_000
    assert await arrivals.once("1000", work) == 1_002
