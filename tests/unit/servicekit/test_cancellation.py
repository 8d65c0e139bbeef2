"""Tasks end, also where a cancellation is lost."""

import asyncio

import pytest

from servicekit.cancellation import ended
from tests.stage.patience import PATIENCE


async def goes_on(losing: int) -> None:
    """Run until it was cancelled once more than `losing` times, as a loop over redis-py's commands does."""
    while True:
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            if not losing:
                raise
            losing -= 1


async def fails() -> None:
    """End with a fault of its own."""
    try:
        await asyncio.sleep(PATIENCE)
    except asyncio.CancelledError:
        raise OSError from None


@pytest.mark.parametrize("losing", [0, 1, 3])
async def test_L9_a_task_that_loses_cancellations_ends_all_the_same(losing: int) -> None:
    task = asyncio.create_task(goes_on(losing))
    await asyncio.sleep(0)

    await asyncio.wait_for(ended(task, None, again=0.01), PATIENCE)

    assert task.cancelled()


async def test_L9_whatever_a_task_ends_with_is_nobodys_affair() -> None:
    tasks = [asyncio.create_task(fails()), asyncio.create_task(goes_on(0))]
    await asyncio.sleep(0)

    await ended(*tasks)

    assert [task.done() for task in tasks] == [True, True]


async def test_L9_a_task_that_has_ended_is_not_waited_for() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "a result"))
    assert await task == "a result"

    await ended(task)
    await ended()
