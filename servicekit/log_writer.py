"""The way of a log line out of the process: a bounded queue, and a thread that writes.

Owns that nobody who logs waits for whoever reads: a pipe that is full or closed, a stopped terminal and a full disk
cost lines and never an answer. What found no room is counted, and told in a line once there is room again; what is
folded (`log_folding.py`) as soon as its count is due.
Never decides what a line says or whether it is worth writing, and never buffers what could be written.

It is the standard library's QueueHandler and QueueListener, around four traps of theirs. `queue.Queue` has a lock that
a finalizer which logs would wait for in its own thread, for ever; SimpleQueue has none. A handler that writes keeps its
own lock while it does, and `logging.shutdown` waits for it at the end; here no handler writes. So does `sys.stderr`,
which the interpreter flushes; here the descriptor is written to. And QueueListener.stop waits without an end.
"""

import contextlib
import os
import select
import stat
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from logging import ERROR, WARNING, Formatter, LogRecord, getLevelName, makeLogRecord
from logging.handlers import QueueHandler, QueueListener
from queue import Empty, SimpleQueue
from typing import Any, Final

from servicekit.log_folding import Folding
from servicekit.log_strangers import FIELDS

MOST_LINES: Final = 8_192
"""Two megabytes or three as lines are, 32 at most; six seconds of a thousand requests a second."""
LONGEST_LINE: Final = 4_096
"""Bytes that a pipe of Linux takes in one piece (PIPE_BUF), so that no other process' line comes in between."""
FLUSH_SECONDS: Final = 2.0
"""For how long the end of the process waits for what is still queued."""

# Errors are dropped last: a part of the queue is theirs alone, and another theirs and the warnings'.
_SHARES: Final = ((ERROR, 1.0), (WARNING, 0.875), (0, 0.75))
_LOOK_SECONDS: Final = 0.2
_TRY_AGAIN_SECONDS: Final = 1.0
_TELL_SECONDS: Final = 10.0
_GATHER_SECONDS: Final = 0.02
_LONGEST_OF_A_FILE: Final = 65_536

_Lines = SimpleQueue[bytes | None]


class _Writer(QueueListener):
    """The thread: writes to `descriptor`, and asks `news` for more lines whenever there is a moment."""

    queue: _Lines

    def __init__(self, queue: _Lines, descriptor: int, news: Callable[[], list[bytes]]) -> None:
        super().__init__(queue)
        self._descriptor = descriptor
        self._longest_piece = longest_piece(descriptor)
        self._news = news
        self._is_over = threading.Event()
        self._asked_at = time.monotonic()
        self._wrote_at = 0.0
        self._held: list[bytes | None] = []

    def dequeue(self, block: bool) -> Any:  # noqa: FBT001, ARG002 - QueueListener's, which always waits
        """Return the lines that are there, as many as make one piece; None at the end."""
        first = self._held.pop() if self._held else self._next()
        if first is None:
            return None
        lines, room = [first], self._longest_piece - len(first)
        with contextlib.suppress(Empty):
            while True:
                line = self.queue.get_nowait()
                if line is None or len(line) > room:
                    self._held.append(line)
                    break
                lines.append(line)
                room -= len(line)
        return b"".join(lines)

    def handle(self, record: Any) -> None:
        self._write(record)
        if self.queue.empty() or time.monotonic() > self._asked_at + _TELL_SECONDS:
            self._write_news()
        self._wrote_at = time.monotonic()

    def _next(self) -> bytes | None:
        while True:
            try:
                line = self.queue.get(timeout=_TRY_AGAIN_SECONDS)
            except Empty:
                self._write_news()
                continue
            # Where lines come one upon the other a piece is worth a moment: it spares a change of threads for each.
            if line is not None and time.monotonic() < self._wrote_at + _GATHER_SECONDS:
                self._is_over.wait(_GATHER_SECONDS)
            return line

    def end(self, seconds: float) -> None:
        """Write what is queued, for so long at most; QueueListener's own `stop` waits for ever."""
        self.enqueue_sentinel()
        if self._thread:
            self._thread.join(seconds)
            self._is_over.set()
            self._thread.join(2 * _LOOK_SECONDS)

    def write_at_once(self, line: bytes) -> None:
        """Write a line where that takes no waiting, and otherwise not."""
        with contextlib.suppress(OSError):
            if _writable(self._descriptor).poll(0):
                os.write(self._descriptor, line)

    def _write_news(self) -> None:
        self._asked_at = time.monotonic()
        try:
            news = self._news()
        except Exception:  # noqa: BLE001 - whatever it is: without its thread there is no log at all
            return
        for line in news:
            self._write(line)

    def _write(self, line: bytes) -> None:
        """Write a line, in one piece where the system allows; wait as long as that takes."""
        waiting, rest = _writable(self._descriptor), line
        while rest and not self._is_over.is_set():
            # Never inside of `write`: a thread that waits there cannot be told that it is over.
            if not waiting.poll(_LOOK_SECONDS * 1000):
                continue
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                self._is_over.wait(_LOOK_SECONDS)
            except OSError:  # nobody reads any more, the disk is full
                self._is_over.wait(_TRY_AGAIN_SECONDS)


def longest_piece(descriptor: int) -> int:
    """Return how many bytes are written in one piece: into a file any number, as it is locked meanwhile.

    Lines that come one upon the other are then written by a twentieth of the system calls, at each of which the
    interpreter may go over to another thread.
    """
    try:
        return _LONGEST_OF_A_FILE if stat.S_ISREG(os.fstat(descriptor).st_mode) else LONGEST_LINE
    except OSError:
        return LONGEST_LINE


def _writable(descriptor: int) -> "select.poll":
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    return waiting


class LogQueue(QueueHandler):
    """What loggers hand their records to, for `descriptor`; `most` lines wait at a time, the older ones first.

    `formatter` makes the lines, in the thread that logs: what a record names may have changed later.
    """

    queue: _Lines

    def __init__(
        self,
        descriptor: int,
        formatter: Formatter,
        *,
        most: int = MOST_LINES,
        folding: Folding | None = None,
    ) -> None:
        super().__init__(SimpleQueue())
        self.setFormatter(formatter)
        self.descriptor = descriptor
        self._shares = [(level, int(most * share)) for level, share in _SHARES]
        self._fewest = min(share for _, share in self._shares)
        # logging's own, which it holds around `emit`.
        self._alone: contextlib.AbstractContextManager[Any] = self.lock or threading.RLock()
        self._folding = folding or Folding()
        self._dropped: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._begin()
        os.register_at_fork(after_in_child=_begins_again(weakref.ref(self)))

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many lines found no room since the start, by the names of their levels in small letters."""
        return self._dropped.copy()

    def prepare(self, record: LogRecord) -> Any:
        """Return the record's line, with its end."""
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def emit(self, record: LogRecord) -> None:
        """Queue the record's line, unless it is one of many alike; count it where there is no room for its level."""
        if self._folding.takes(record):
            return
        if self._has_room(record.levelno):
            super().emit(record)

    def write(self, line: bytes, level: int) -> None:
        """Queue a line that is ready, with its end, and of which there are not many alike."""
        # As a rule there is room for every level, and the queue needs no lock of ours.
        if self.queue.qsize() < self._fewest and not self._has_ended:
            self.queue.put(line)
            return
        with self._alone:
            if self._has_room(level):
                self.enqueue(line)

    def counts_stranger(
        self,
        network: str,
        status: int,
        kind: tuple[Any, ...],
        reference: Any,
        record: Callable[[], LogRecord],
    ) -> bool:
        """Return whether a line about a stranger is one of too many, and count it then (`log_strangers.py`)."""
        with self._alone:
            strangers = self._folding.strangers
            if strangers.lets_in(network, status):
                return False
            strangers.count(kind, network, reference, record)
            return True

    def _has_room(self, level: int) -> bool:
        waiting = self.queue.qsize()
        if waiting < self._fewest or waiting < next(most for least, most in self._shares if level >= least):
            return True
        self._dropped[getLevelName(level).lower()] += 1
        return False

    def enqueue(self, record: Any) -> None:
        """Put a line where the thread finds it, for as long as there is one."""
        if self._has_ended:
            self._writer.write_at_once(record)  # by what is still being tidied up
        else:
            self.queue.put(record)

    def handleError(self, record: LogRecord) -> None:  # noqa: N802, ARG002 - logging's
        """Count a record that makes no line; logging's own way writes to `sys.stderr`, and waits for it."""
        self.count_unreadable()

    def count_unreadable(self) -> None:
        """Count what makes no line."""
        with self._alone:
            self._dropped["unreadable"] += 1

    def end(self, *, seconds: float = FLUSH_SECONDS) -> None:
        """Write what is queued, for so long at most."""
        with self._alone:
            for record in self._folding.due(at_the_end=True):
                self.enqueue(self.prepare(record))
            self._has_ended = True
        self._writer.end(seconds)

    def _begin(self) -> None:
        self._has_ended = False
        self.queue = SimpleQueue()
        self._writer = _Writer(self.queue, self.descriptor, self._news)
        self._writer.start()

    def _news(self) -> list[bytes]:
        """Return the lines with the counts of what was folded, and of what was dropped since the last time."""
        with self._alone:
            records = self._folding.due()
            if self._dropped != self._reported:
                now = self._dropped.copy()
                since, self._reported = now - self._reported, now
                warning = {"name": __name__, "levelno": WARNING, "levelname": "WARNING"}
                fields = {FIELDS: dict(sorted(since.items()))}
                records.append(makeLogRecord({**warning, "msg": "log-lines-dropped", **fields}))
        return [self.prepare(record) for record in records]


def _begins_again(queue: "weakref.ref[LogQueue]") -> Callable[[], None]:
    """Return what a fork does in its child: the thread is the parent's, and so are the lines that wait."""

    def begin() -> None:
        if mine := queue():
            mine._begin()  # noqa: SLF001 - the same module's

    return begin
