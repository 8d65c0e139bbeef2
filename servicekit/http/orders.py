"""What a process has been told from outside: to end, not to wait, or to take up its settings anew.

Owns what each signal means, for a process that serves by itself and for one that others answer for.
Never ends anything: whoever serves waits for what is set here.

| signal | meaning |
|---|---|
| SIGTERM, SIGQUIT | end: say so, take no more connections, finish what is under way; a second one changes nothing |
| SIGINT | the same, without the time in which it is only said; a second one: do not wait for what is under way |
| SIGHUP | read the settings again |
| SIGUSR1, SIGUSR2 | nothing; the log says that one came |
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterator
from typing import Final

from servicekit.logs import log_event

# Those that would end a process which has not said yet what they mean.
SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGQUIT,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)

_log = logging.getLogger(__name__)


class Orders:
    """What the process was told so far; each event stays set."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        """It shall end."""
        self.hurried = asyncio.Event()
        """It shall not go on taking connections while it says that it ends."""
        self.abandoned = asyncio.Event()
        """It shall not wait for requests that are under way."""

    def stop(self) -> None:
        """Ask for the end."""
        self.stopping.set()

    def hurry(self) -> None:
        """Ask for the end, where nobody has to be told of it first."""
        self.stopping.set()
        self.hurried.set()

    def abandon(self) -> None:
        """Ask for the end now, whoever waits for an answer."""
        self.hurry()
        self.abandoned.set()

    def interrupt(self) -> None:
        """Take what a person at a terminal says: once, and then once more."""
        (self.abandon if self.hurried.is_set() else self.hurry)()

    async def announced(self, seconds: float) -> None:
        """Return when others have had `seconds` to notice that the process ends, or when there is no time for that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.hurried.wait()


def take_signals(orders: Orders, *, on_reload: Callable[[], None]) -> None:
    """Let signals mean what the table says, from now on; `on_reload` is called for SIGHUP."""
    meanings: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: orders.stop,
        signal.SIGQUIT: orders.stop,
        signal.SIGINT: orders.interrupt,
        signal.SIGHUP: on_reload,
    }
    _take(meanings)


def take_workers_signals(orders: Orders) -> None:
    """Let signals mean what they do in a process to which another one tells the rest.

    A terminal and a service's supervisor send theirs to the whole group, and so does who means the gateway: each
    worker is told by its parent, too.
    """
    _take(
        {
            signal.SIGTERM: orders.stop,
            signal.SIGQUIT: orders.stop,
            signal.SIGINT: _nothing,
            signal.SIGHUP: _nothing,
        }
    )


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Keep signals for later while the block runs; a process that it starts keeps them until it takes them itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def hold_signals() -> None:
    """Keep signals for later: until they are taken one would end the process, as the system has it by itself."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _take(meanings: dict[signal.Signals, Callable[[], None]]) -> None:
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        meaning = meanings.get(number)
        if meaning is None:
            loop.add_signal_handler(number, _tell_of, number)
        else:
            loop.add_signal_handler(number, meaning)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _tell_of(number: signal.Signals) -> None:
    log_event(_log, logging.INFO, "signal-ignored", signal=signal.Signals(number).name)


def _nothing() -> None:
    """Leave it to the parent."""
