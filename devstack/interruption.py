"""Ctrl-C, SIGTERM and SIGHUP as one exception, and the moments at which none of them may come.

Owns the process's signal handlers. A child is such a moment: between its start and its registration an exception
would leave it behind, known to nobody.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from devstack.errors import StopRequested

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The exit code of what was ended before its time, as shells have it.
INTERRUPTED = 130


def raise_on_signals() -> None:
    """Raise StopRequested in the main thread when one of the signals arrives."""
    for number in ENDING:
        # A shell starts background jobs with SIGINT ignored, but Ctrl-C is not the only sender; nohup means it.
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        signal.signal(number, _stop)


def ignore_all_but_ctrl_c() -> None:
    """While stopping, only an impatient person's second Ctrl-C counts."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def deferred() -> Iterator[None]:
    """Hold the signals back until the end of the block; elsewhere than in the main thread they never come."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    # A blocked mask would be inherited by the child, a Python handler is not. Ignored ones stay ignored.
    noted = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in noted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if pending:
            signal.raise_signal(pending[0])


def _stop(number: int, _frame: FrameType | None) -> None:
    raise StopRequested(number)
