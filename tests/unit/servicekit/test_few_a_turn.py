"""A few pieces of work in each turn of the event loop, the others in those that follow (L6)."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
import uvloop

from servicekit.few_a_turn import FewATurn

LOOPS = pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)


@LOOPS
def test_L6_of_many_that_come_at_once_a_few_begin_in_each_turn_and_all_of_them_in_order(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def crowd() -> tuple[list[int], Counter[int]]:
        loop, line, turn = asyncio.get_running_loop(), FewATurn(3), 0
        begun, in_turn = list[int](), Counter[int]()

        def count() -> None:
            nonlocal turn
            turn += 1
            if len(begun) < 20:
                loop.call_soon(count)

        def begin(number: int) -> None:
            begun.append(number)
            in_turn[turn] += 1

        count()
        for number in range(10):
            if line.begin(lambda number=number: begin(number)):  # type: ignore[misc]
                begin(number)
        await asyncio.sleep(0)
        # Who comes behind a line waits as well, however few there are by now.
        for number in range(10, 20):
            if line.begin(lambda number=number: begin(number)):  # type: ignore[misc]
                begin(number)
        while len(begun) < 20:  # noqa: ASYNC110 - turns are what is counted
            await asyncio.sleep(0)
        return begun, in_turn

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        begun, in_turn = runner.run(crowd())

    assert begun == list(range(20))
    assert max(in_turn.values()) == 3


async def test_whoever_comes_when_nobody_else_does_begins_at_once_again_and_again() -> None:
    line = FewATurn(1)

    for _ in range(5):
        assert line.begin(pytest.fail)
        for _ in range(3):
            await asyncio.sleep(0)


async def test_a_piece_that_fails_keeps_nobody_behind_it_waiting() -> None:
    line, done, told = FewATurn(1), asyncio.Event(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))

    def fail() -> None:
        raise ZeroDivisionError

    assert line.begin(pytest.fail)
    assert not line.begin(fail)
    assert not line.begin(done.set)
    await done.wait()

    assert len(told) == 1
