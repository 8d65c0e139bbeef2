"""Several processes behind one port, and the parent that keeps their number.

Owns the life of workers that share listening sockets: each has a place, one that ended is replaced, and all of them end
with their parent. One more waits beside them, with everything imported, so that a place is empty for no longer than it
takes to make an application.
Never accepts a connection, and closes the listening sockets before the workers do: who was let in by the system and by
no worker is told nothing.
docs/explanation/decisions/2026-11-26-workers-and-their-parent.md says why this is our own.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import socket
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from multiprocessing.connection import Connection
from typing import Final

from gateway.operation.restarts import Restarts
from gateway.operation.worker import HERE, Place, Word, hand_over
from gateway.settings import Settings
from servicekit.http.orders import Orders, signals_held
from servicekit.logs import log_event

# Its files are closed a moment before its end can be read.
_REAPING_SECONDS: Final = 5
# In which one that is no longer waited for has ended by itself, as a rule.
_MARGIN_SECONDS: Final = 2

_log = logging.getLogger(__name__)

Entry = Callable[[Connection], None]


class _Worker:
    """One process, with the parent's end of the pipe to it; `place` is None while it waits for one."""

    def __init__(self, entry: Entry) -> None:
        # Fresh interpreters and no forks: threads, connections and event loops do not survive one.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=entry, args=(theirs,))
        with signals_held():
            self.process.start()
        theirs.close()
        self.is_here = False
        self.place: int | None = None
        self.serving_since: float | None = None

    def tell(self, message: Place | Word) -> None:
        with contextlib.suppress(OSError):  # it has ended, and is heard of by its end
            self.pipe.send(message)


class Workers:
    """`count` workers that run `entry(pipe)`, and one that waits.

    `on_end` is told the process id of each that ended; `patience` is how many seconds a worker may take to finish what
    is under way.
    """

    def __init__(
        self,
        count: int,
        entry: Entry,
        listeners: Sequence[socket.socket],
        orders: Orders,
        *,
        settings: Settings,
        on_end: Callable[[int], None],
        patience: float,
    ) -> None:
        self._entry = entry
        self._listeners = listeners
        self._orders = orders
        self._settings = settings
        self._on_end = on_end
        self._patience = patience
        self._restarts = [Restarts() for _ in range(count)]
        self._workers: set[_Worker] = set()
        self._failed = False
        self._changed = asyncio.Event()

    async def run(self) -> int:
        """Keep the workers until the process is told to end, or none comes up; return the exit status."""
        for number in range(len(self._restarts)):
            self._fill(number)
        await self._orders.stopping.wait()
        await self._end()
        return 1 if self._failed else 0

    def use(self, settings: Settings) -> None:
        """Hand new settings to every worker, and to those that come."""
        self._settings = settings
        for worker in self._workers:
            if worker.place is not None and worker.is_here:
                worker.tell(Place(worker.place, settings))

    def _fill(self, number: int) -> None:
        """Give the place to who waits for one, or to a new worker."""
        if self._orders.stopping.is_set():
            return
        worker = next((one for one in self._workers if one.place is None), None) or self._start()
        worker.place = number
        if worker.is_here:
            self._install(worker, number)

    def _install(self, worker: _Worker, number: int) -> None:
        with contextlib.suppress(OSError):  # the same
            hand_over(worker.pipe, Place(number, self._settings), self._listeners)

    def _start(self) -> _Worker:
        worker = _Worker(self._entry)
        self._workers.add(worker)
        loop = asyncio.get_running_loop()
        loop.add_reader(worker.process.sentinel, self._ended, worker)
        loop.add_reader(worker.pipe.fileno(), self._heard, worker)
        return worker

    def _heard(self, worker: _Worker) -> None:
        loop = asyncio.get_running_loop()
        try:
            word = worker.pipe.recv()
        except (EOFError, OSError):
            loop.remove_reader(worker.pipe.fileno())
            return
        if word == HERE:
            worker.is_here = True
            if worker.place is not None:
                self._install(worker, worker.place)
            return
        worker.serving_since = loop.time()
        name, pid = worker.process.name, worker.process.pid
        log_event(_log, logging.INFO, "worker-serving", worker=name, place=worker.place, pid=pid)
        self._have_one_waiting()

    def _have_one_waiting(self) -> None:
        """Start the one that waits, once the others need the processor no more."""
        if not self._orders.stopping.is_set() and all(worker.serving_since for worker in self._workers):
            self._start()

    def _ended(self, worker: _Worker) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(worker.process.sentinel)
        loop.remove_reader(worker.pipe.fileno())
        worker.process.join(_REAPING_SECONDS)
        worker.pipe.close()
        self._workers.discard(worker)
        if worker.process.pid is not None:
            self._on_end(worker.process.pid)
        self._changed.set()
        if self._orders.stopping.is_set():
            return
        # Negative for a signal: -9 is, as a rule, the system's when memory is short.
        name, code = worker.process.name, worker.process.exitcode
        log_event(_log, logging.ERROR, "worker-ended", worker=name, place=worker.place, exit_code=code)
        if worker.place is None:
            loop.call_later(1, self._have_one_waiting)
            return
        restarts = self._restarts[worker.place]
        served = loop.time() - worker.serving_since if worker.serving_since else None
        delay = restarts.after(served)
        if restarts.in_vain and not any(one.serving_since for one in self._workers):
            log_event(_log, logging.ERROR, "no-worker-starts", exit_code=code)
            self._failed = True
            self._orders.hurry()
            return
        loop.call_later(delay, self._fill, worker.place)

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        await self._end_those_who_wait()
        relaying = [
            asyncio.create_task(self._relay(event, word))
            for event, word in (
                (self._orders.stopping, Word.STOP),
                (self._orders.hurried, Word.HURRY),
                (self._orders.abandoned, Word.ABANDON),
            )
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                self._settings.shutdown_delay_seconds + self._patience + _MARGIN_SECONDS
            ):
                await self._ended_all(self._workers)
        for task in relaying:
            task.cancel()
        for worker in list(self._workers):
            log_event(_log, logging.ERROR, "worker-killed", worker=worker.process.name, place=worker.place)
            worker.process.kill()
        await self._ended_all(self._workers)

    async def _end_those_who_wait(self) -> None:
        """End the workers that do not serve: they let nobody in, and hold the listening sockets open."""
        waiting = {worker for worker in self._workers if worker.serving_since is None}
        for worker in waiting:
            worker.process.kill()
        await self._ended_all(waiting)

    async def _ended_all(self, workers: AbstractSet[_Worker]) -> None:
        while self._workers & workers:
            self._changed.clear()
            await self._changed.wait()

    async def _relay(self, event: asyncio.Event, word: Word) -> None:
        await event.wait()
        for worker in self._workers:
            worker.tell(word)
