"""Work that can wait: one piece, and then some turns of the event loop for everybody else (L6)."""

import asyncio
import itertools
from collections.abc import Callable

import pytest
import uvloop

from gateway.tokens.pace import Pace

LOOPS = pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
LONG = 3600.0


async def turns_of_pieces(pace: Pace, pieces: int) -> list[int]:
    """Return in which turn each of so many pieces began that are waited for at once, in the order of their coming."""
    loop, turn, begun = asyncio.get_running_loop(), 0, list[tuple[int, int]]()

    def count() -> None:
        nonlocal turn
        turn += 1
        if len(begun) < pieces:
            loop.call_soon(count)

    async def piece(number: int) -> None:
        await pace.turn()
        begun.append((number, turn))

    count()
    await asyncio.gather(*map(piece, range(pieces)))
    assert [number for number, _ in begun] == list(range(pieces))
    return [turn for _, turn in begun]


@LOOPS
def test_L6_behind_each_piece_come_turns_that_are_everybody_elses(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        turns = runner.run(turns_of_pieces(Pace(4, LONG), 10))

    assert min(later - sooner for sooner, later in itertools.pairwise(turns)) >= 4


@LOOPS
def test_L6_where_turns_are_long_pieces_do_not_wait_for_so_many_of_them(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        turns = runner.run(turns_of_pieces(Pace(1_000_000, 0), 10))

    steps = [later - sooner for sooner, later in itertools.pairwise(turns)]
    assert min(steps) >= 1, "never two in one turn"
    assert max(steps) <= 3


async def test_whoever_gives_up_waiting_takes_no_turn_from_anybody() -> None:
    pace = Pace(2, LONG)
    await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting[:-1]:
        task.cancel()
    await asyncio.wait(waiting[:-1])
    for _ in range(5):
        await asyncio.sleep(0)

    assert waiting[-1].done()
    assert not waiting[-1].cancelled()


async def test_L6_a_turn_that_was_given_in_the_moment_of_giving_up_is_one_too_few_for_nobody() -> None:
    pace = Pace(1, LONG)
    for steps in range(6):
        await pace.turn()
        given_up = asyncio.create_task(pace.turn())
        next_one = asyncio.create_task(pace.turn())
        for _ in range(steps):
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, next_one, return_exceptions=True)

    turns = await turns_of_pieces(pace, 5)
    assert min(later - sooner for sooner, later in itertools.pairwise(turns)) >= 1


async def test_whoever_comes_when_nobody_else_does_waits_for_nothing() -> None:
    pace = Pace(3, LONG)

    for _ in range(4):
        turn = pace.turn()
        with pytest.raises(StopIteration):
            turn.send(None)
        for _ in range(4):
            await asyncio.sleep(0)
