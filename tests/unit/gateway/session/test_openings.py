"""So many sessions are opened in one turn of the event loop, and the others in the next ones (L6)."""

import asyncio

from gateway.session.openings import Openings

CROWD = 20
MOST = 3


class Turns:
    """Notes who was served in which turn of the loop."""

    def __init__(self) -> None:
        self.now = 0
        self.served: list[tuple[int, int]] = []
        self._counting = asyncio.create_task(self._count())

    async def _count(self) -> None:
        while True:
            self.now += 1
            await asyncio.sleep(0)

    async def one(self, openings: Openings, number: int) -> None:
        """Open a session, so to say."""
        await openings.turn()
        self.served.append((self.now, number))

    def end(self) -> None:
        """Count no more."""
        self._counting.cancel()

    def most_at_once(self) -> int:
        """Return how many were served in one turn at the most."""
        turns = [turn for turn, _ in self.served]
        return max(turns.count(turn) for turn in turns)


async def test_L6_a_crowd_is_served_some_at_a_time_in_the_order_in_which_it_came() -> None:
    openings, turns = Openings(MOST), Turns()
    await asyncio.gather(*(turns.one(openings, number) for number in range(CROWD)))
    turns.end()

    assert [number for _, number in turns.served] == list(range(CROWD))
    assert turns.most_at_once() <= MOST
    assert turns.now <= CROWD, "and no turn passes in which nobody is served"


async def test_L6_who_comes_alone_waits_for_nobody() -> None:
    openings = Openings(MOST)
    for _ in range(CROWD):
        alone = openings.turn()
        assert [*alone.__await__()] == [], "it is ready at once"
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_L6_who_leaves_while_waiting_costs_nobody_a_turn() -> None:
    openings, turns = Openings(MOST), Turns()
    crowd = [asyncio.create_task(turns.one(openings, number)) for number in range(CROWD)]
    await asyncio.sleep(0)
    for left in crowd[MOST : CROWD - 1]:
        left.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    turns.end()

    assert [number for _, number in turns.served] == [0, 1, 2, CROWD - 1]
    assert turns.served[-1][0] <= turns.served[0][0] + 3
