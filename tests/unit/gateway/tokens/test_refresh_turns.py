"""So many refreshes at once, of which one is worked on at the same moment (L6)."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from gateway.tokens.refresh_turns import RefreshTurns
from servicekit.bulkhead import BulkheadLimits
from servicekit.errors import Overloaded
from servicekit.token_threads import Purpose


class Crowd:
    """Refreshes that are let go one step at a time."""

    def __init__(self, turns: RefreshTurns) -> None:
        self._turns = turns
        self.answers = asyncio.Event()
        self.with_place = self.pieces = self.done = self.turn = 0
        self.in_turn = Counter[int]()

    async def one(self) -> None:
        """Do what a refresh does: a little, a wait for the authority, a little."""
        async with self._turns.place():
            self.with_place += 1
            try:
                await self._piece()
                await self.answers.wait()
                await self._piece()
            finally:
                self.with_place -= 1
        self.done += 1

    async def _piece(self) -> None:
        await self._turns.turn()
        self.pieces += 1
        self.in_turn[self.turn] += 1

    async def until(self, holds: Callable[[], bool]) -> None:
        """Count the turns of the event loop until something holds."""
        while not holds():
            self.turn += 1
            await asyncio.sleep(0)


async def test_L6_many_refreshes_have_a_place_and_one_piece_of_them_is_done_at_a_time() -> None:
    turns = RefreshTurns(Purpose("test", BulkheadLimits(places=16, waiting=100, seconds=5)))
    crowd = Crowd(turns)
    everybody = [asyncio.create_task(crowd.one()) for _ in range(50)]
    await crowd.until(lambda: crowd.pieces == 20)

    assert crowd.with_place == 20, "a quarter more than there are threads, and all wait for the authority"
    crowd.answers.set()
    await crowd.until(lambda: crowd.done == 50)
    await asyncio.gather(*everybody)
    assert (crowd.with_place, crowd.pieces) == (0, 100)
    assert set(crowd.in_turn.values()) == {1}


async def test_L6_whoever_waits_for_the_authority_or_for_redis_keeps_no_turn_from_others() -> None:
    turns = RefreshTurns(Purpose("test", BulkheadLimits(places=100, waiting=0, seconds=5)))
    crowd = Crowd(turns)
    waiting = [asyncio.create_task(crowd.one()) for _ in range(100)]
    await crowd.until(lambda: crowd.pieces == 100)

    await turns.turn()
    crowd.answers.set()
    await asyncio.gather(*waiting)


async def test_L6_who_finds_no_place_in_time_is_told_of_our_own_load_and_takes_none() -> None:
    turns = RefreshTurns(Purpose("test", BulkheadLimits(places=1, waiting=1, seconds=0.01)))

    async with turns.place():
        waiting = asyncio.create_task(Crowd(turns).one())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await Crowd(turns).one()  # nobody else may wait
        with pytest.raises(Overloaded):
            await waiting

    async with turns.place():
        pass


async def test_L6_a_refresh_that_fails_or_is_given_up_leaves_its_place_and_keeps_no_turn() -> None:
    turns = RefreshTurns(Purpose("test", BulkheadLimits(places=1, waiting=0, seconds=1)))

    async def fail() -> None:
        async with turns.place():
            await turns.turn()
            raise ZeroDivisionError

    for steps in range(12):
        with pytest.raises(ZeroDivisionError):
            await fail()
        given_up = asyncio.create_task(Crowd(turns).one())
        for _ in range(steps):
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)

    crowd = Crowd(turns)
    crowd.answers.set()
    await crowd.one()
    assert crowd.pieces == 2
