"""Several processes behind one port.

Owns the life of workers that share listening sockets: they start together and end together.
Never restarts one: a worker that died takes the others with it, in good order, so that whatever runs the gateway sees
one failure and starts it anew.
"""

import logging
import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Final

from servicekit.logs import log_event

# Longer than a worker takes to finish what is under way, shorter than what runs the gateway waits.
_GRACE_SECONDS: Final = 49
# Its files are closed a moment before its end can be read.
_REAPING_SECONDS: Final = 5

_log = logging.getLogger(__name__)


def run_workers(
    count: int, work: Callable[[int, Sequence[socket.socket]], None], listeners: Sequence[socket.socket]
) -> int:
    """Run `work(number, listeners)` in `count` processes until a signal or the end of one; return the exit status.

    Fresh interpreters and no forks: threads, connections and event loops do not survive one.
    """
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work, args=(number, listeners)) for number in range(count)]
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        for worker in workers:
            if worker.is_alive():
                worker.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for worker in workers:
        worker.start()
    if stopping.is_set():  # the signal came before the last one had started
        stop(signal.SIGTERM, None)
    ended = wait([worker.sentinel for worker in workers])
    by_signal = stopping.is_set()
    if not by_signal:
        _tell_of([worker for worker in workers if worker.sentinel in ended])
    stop(signal.SIGTERM, None)
    for worker in workers:
        worker.join(_GRACE_SECONDS)
        if worker.is_alive():
            worker.kill()
    return 0 if by_signal else 1


def _tell_of(ended: Sequence[SpawnProcess]) -> None:
    """Log an end that nobody asked for: a worker that the system killed could not do so itself."""
    for worker in ended:
        worker.join(_REAPING_SECONDS)
        # Negative for a signal: -9 is, as a rule, the system's when memory is short.
        log_event(_log, logging.ERROR, "worker-ended", worker=worker.name, exit_code=worker.exitcode)
