"""What each signal means; that a real process obeys is shown in tests/real/processes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from servicekit.http.orders import SIGNALS, Orders, signals_held, take_signals, take_workers_signals
from tests.stage.patience import PATIENCE


@pytest.fixture
async def orders() -> AsyncIterator[Orders]:
    """Give orders, and take the signals back from the loop afterwards."""
    yield Orders()
    for number in SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)


async def set_by(number: signal.Signals, event: asyncio.Event) -> bool:
    """Send a signal to this process, and wait for the event."""
    os.kill(os.getpid(), number)
    async with asyncio.timeout(PATIENCE):
        return await event.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
async def test_L8_a_signal_asks_for_the_end_and_a_second_one_changes_nothing(
    orders: Orders, number: signal.Signals
) -> None:
    take_signals(orders, on_reload=lambda: None)

    for _ in range(2):
        assert await set_by(number, orders.stopping)

    assert not orders.hurried.is_set()


async def test_L8_ctrl_c_does_not_wait_for_anybody_to_notice_and_a_second_one_for_nobody(
    orders: Orders,
) -> None:
    take_signals(orders, on_reload=lambda: None)

    assert await set_by(signal.SIGINT, orders.hurried)
    assert (orders.stopping.is_set(), orders.abandoned.is_set()) == (True, False)
    assert await set_by(signal.SIGINT, orders.abandoned)


async def test_L8_hangup_reads_the_settings_again_and_ends_nothing(orders: Orders) -> None:
    asked = asyncio.Event()
    take_signals(orders, on_reload=asked.set)

    assert await set_by(signal.SIGHUP, asked)
    assert not orders.stopping.is_set()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
async def test_L8_a_signal_without_a_meaning_ends_nothing_and_the_log_names_it(
    orders: Orders, caplog: pytest.LogCaptureFixture, number: signal.Signals
) -> None:
    caplog.set_level("INFO", "servicekit")
    take_signals(orders, on_reload=lambda: None)

    os.kill(os.getpid(), number)
    async with asyncio.timeout(PATIENCE):
        while "signal-ignored" not in caplog.messages:  # noqa: ASYNC110 - the log wakes nobody
            await asyncio.sleep(0)

    assert not orders.stopping.is_set()


async def test_L7_what_a_terminal_sends_to_the_whole_group_a_worker_leaves_to_its_parent(
    orders: Orders,
) -> None:
    take_workers_signals(orders)

    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGHUP)

    assert await set_by(signal.SIGTERM, orders.stopping)
    assert not orders.hurried.is_set()


async def test_L8_a_signal_that_comes_too_early_is_kept_until_it_has_a_meaning(orders: Orders) -> None:
    with signals_held():
        # To this thread alone: another one, such as a test runner's own, may hold nothing, and the process would end.
        signal.raise_signal(signal.SIGHUP)
        assert signal.SIGHUP in signal.sigpending()
        asked = asyncio.Event()
        take_signals(orders, on_reload=asked.set)
        async with asyncio.timeout(PATIENCE):
            await asked.wait()


async def test_L8_the_time_in_which_the_end_is_announced_ends_early_where_nobody_has_to_notice() -> None:
    orders = Orders()
    waiting = asyncio.create_task(orders.announced(10 * PATIENCE))
    orders.stop()
    await asyncio.sleep(0)
    assert not waiting.done()

    orders.hurry()

    async with asyncio.timeout(PATIENCE):
        await waiting
    await orders.announced(0)
