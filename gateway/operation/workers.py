"""Several processes behind one port, and the parent that keeps their number.

Owns the life of workers that share listening sockets: each has a place, one that ended is replaced, and all of them end
with their parent. They are forked from a process that has imported everything, so that a place is empty for no longer
than it takes to make an application, and all of them share what was imported.
Never accepts a connection, and closes the listening sockets before the workers do: who was let in by the system and by
no worker is told nothing.
docs/explanation/decisions/2026-11-26-workers-and-their-parent.md says why this is our own.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Final

from gateway.operation.forks import Forget, Forked, ForkServer, Fresh, Read, Refused, Report
from gateway.operation.restarts import Restarts
from gateway.operation.worker import HERE, Place, Word, hand_over
from servicekit.http.orders import Orders
from servicekit.logs import log_event

# Its files are closed a moment before its end can be asked for.
_REAPING_SECONDS: Final = 1
# In which one that is no longer waited for has ended by itself, as a rule.
_MARGIN_SECONDS: Final = 2

_log = logging.getLogger(__name__)


class _Worker:
    """One process in its place, with the parent's end of the pipe to it."""

    def __init__(self, place: int, forks: ForkServer, number: int) -> None:
        self.number = number
        self.name = f"worker-{number}"
        self.place = place
        self.forks = forks
        """Who forked it, and tells of its end for as long as that one lives."""
        self.pipe: Connection = forks.fork(number)
        self.pid: int | None = None
        self.is_here = False
        self.is_gone = False
        self.serving_since: float | None = None

    def tell(self, message: Place | Word) -> None:
        with contextlib.suppress(OSError):  # it has ended, and is heard of by its end
            self.pipe.send(message)

    def kill(self) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Workers:
    """`count` workers, forked by what runs `command` in `environment` as a fork server.

    `on_settings` is told which settings are in use, and `on_refusal` the faults of those that were not taken up;
    `patience` is how many seconds a worker may take to finish what is under way.
    """

    def __init__(
        self,
        count: int,
        command: Sequence[str],
        environment: Mapping[str, str],
        listeners: Sequence[socket.socket],
        orders: Orders,
        *,
        on_settings: Callable[[Fresh], None],
        on_refusal: Callable[[list[str]], None],
        patience: float,
    ) -> None:
        self._command = command
        self._environment = environment
        self._listeners = listeners
        self._orders = orders
        self._on_settings = on_settings
        self._on_refusal = on_refusal
        self._patience = patience
        self._settings: Fresh | None = None
        self._pickled = b""
        self._restarts = [Restarts() for _ in range(count)]
        self._restarts_of_forks = Restarts()
        self._forks: ForkServer | None = None
        self._workers: dict[int, _Worker] = {}
        self._last_number = 0
        self._failed = False
        self._changed = asyncio.Event()

    async def run(self) -> int:
        """Keep the workers until the process is told to end, or none comes up; return the exit status."""
        self._start_forks()
        await self._orders.stopping.wait()
        await self._end()
        return 1 if self._failed else 0

    def read_settings(self) -> None:
        """Have the settings read again, and handed to every worker, and to those that come."""
        if self._forks:
            self._forks.tell(Read())

    def _start_forks(self) -> None:
        if not self._orders.stopping.is_set():
            self._forks = ForkServer(
                self._command, self._environment, on_report=self._reported, on_end=self._forks_ended
            )

    def _fill(self, place: int) -> None:
        """Give the place to a new worker, unless it has one; a fork server that is not here yet does it when it is."""
        is_taken = any(worker.place == place for worker in self._workers.values())
        if is_taken or self._orders.stopping.is_set() or not self._forks or not self._forks.here_since:
            return
        self._last_number += 1
        worker = _Worker(place, self._forks, self._last_number)
        self._workers[self._last_number] = worker
        asyncio.get_running_loop().add_reader(worker.pipe.fileno(), self._heard, worker)

    def _reported(self, report: Report) -> None:
        if isinstance(report, Fresh):
            self._use(report)
        elif isinstance(report, Refused):
            self._on_refusal(report.faults)
            self._go_on()
        elif isinstance(report, Forked):
            if worker := self._workers.get(report.number):
                worker.pid = report.pid
            if report.pid is None:
                self._ended(report.number, None)
        else:
            self._ended(report.number, report.exit_code)

    def _use(self, settings: Fresh) -> None:
        self._settings, self._pickled = settings, settings.settings
        self._on_settings(settings)
        for worker in self._workers.values():
            if worker.is_here:
                worker.tell(Place(worker.place, settings.settings))
        self._go_on()

    def _go_on(self) -> None:
        """Fill what places are empty, with the settings that are in use."""
        if self._settings is None:  # they were read a moment ago, and cannot be any more
            self._give_up(None)
            return
        for place in range(len(self._restarts)):
            self._fill(place)

    def _heard(self, worker: _Worker) -> None:
        loop = asyncio.get_running_loop()
        try:
            word = worker.pipe.recv()
        except (EOFError, OSError):
            loop.remove_reader(worker.pipe.fileno())
            worker.is_gone = True
            if worker.forks is not self._forks:
                loop.call_later(_REAPING_SECONDS, self._ended_alone, worker)
            return
        if word == HERE:
            worker.is_here = True
            with contextlib.suppress(OSError):  # the same
                hand_over(worker.pipe, Place(worker.place, self._pickled), self._listeners)
            return
        worker.serving_since = loop.time()
        log_event(
            _log, logging.INFO, "worker-serving", worker=worker.name, place=worker.place, pid=worker.pid
        )

    def _forks_ended(self, forks: ForkServer) -> None:
        """Start another one; the workers of the one that ended go on, and are heard of by their pipes."""
        code = forks.close()
        self._forks = None
        loop = asyncio.get_running_loop()
        for worker in self._workers.values():
            if worker.is_gone:
                loop.call_later(_REAPING_SECONDS, self._ended_alone, worker)
        if self._orders.stopping.is_set():
            return
        log_event(_log, logging.ERROR, "fork-server-ended", pid=forks.pid, exit_code=code)
        delay = self._restarts_of_forks.after(loop.time() - forks.here_since if forks.here_since else None)
        if self._restarts_of_forks.in_vain and not self._workers:
            self._give_up(code)
            return
        loop.call_later(delay, self._start_forks)

    def _ended_alone(self, worker: _Worker) -> None:
        """Note the end of one whose fork server has ended before; it is a child of process 1, which we may be."""
        with contextlib.suppress(ChildProcessError):
            if worker.pid is not None:
                os.waitpid(worker.pid, os.WNOHANG)
        self._ended(worker.number, None)

    def _ended(self, number: int, code: int | None) -> None:
        worker = self._workers.pop(number, None)
        if worker is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(worker.pipe.fileno())
        worker.pipe.close()
        if worker.pid is not None and self._forks:
            self._forks.tell(Forget(worker.pid))
        self._changed.set()
        if self._orders.stopping.is_set():
            return
        log_event(_log, logging.ERROR, "worker-ended", worker=worker.name, place=worker.place, exit_code=code)
        restarts = self._restarts[worker.place]
        delay = restarts.after(loop.time() - worker.serving_since if worker.serving_since else None)
        if restarts.in_vain and not any(one.serving_since for one in self._workers.values()):
            self._give_up(code)
            return
        loop.call_later(delay, self._fill, worker.place)

    def _give_up(self, code: int | None) -> None:
        log_event(_log, logging.ERROR, "no-worker-starts", exit_code=code)
        self._failed = True
        self._orders.hurry()

    async def _end(self) -> None:
        for listener in self._listeners:
            listener.close()
        for worker in self._workers.values():
            if worker.serving_since is None:
                worker.kill()  # it lets nobody in, and may hold the listening sockets open
        relaying = [
            asyncio.create_task(self._relay(event, word))
            for event, word in (
                (self._orders.stopping, Word.STOP),
                (self._orders.hurried, Word.HURRY),
                (self._orders.abandoned, Word.ABANDON),
            )
        ]
        delay = self._settings.shutdown_delay_seconds if self._settings else 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay + self._patience + _MARGIN_SECONDS):
                await self._all_ended()
        for task in relaying:
            task.cancel()
        for worker in self._workers.values():
            log_event(_log, logging.ERROR, "worker-killed", worker=worker.name, place=worker.place)
            worker.kill()
        await self._all_ended()
        if self._forks:
            self._forks.close()

    async def _all_ended(self) -> None:
        while self._workers:
            self._changed.clear()
            await self._changed.wait()

    async def _relay(self, event: asyncio.Event, word: Word) -> None:
        await event.wait()
        for worker in self._workers.values():
            worker.tell(word)
