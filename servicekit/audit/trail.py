"""The trail of one process: facts become chained lines, in a thread on which nobody waits.

Owns the queue, the order, the first and the last line of the process, and what becomes of facts that cannot be written:
they wait as long as there is room, are counted when there is none, and the count is a line of its own once writing goes
on. The service serves meanwhile: who could fill a disk could otherwise sign everybody out.
Never decides what is worth a line, and knows nothing of who or where.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, Final

from servicekit.audit.chain import Chain, TrailKeys, last_hash, torn_part
from servicekit.audit.fact import Fact
from servicekit.audit.folding import Folding
from servicekit.audit.target import Target
from servicekit.logs import log_event
from servicekit.version import VERSION

MOST_WAITING: Final = 16_384
"""Eight megabytes as entries are."""
_SHARE_OF_STRANGERS: Final = 0.25
_AT_ONCE: Final = 64
_LOOK_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.02
_TRY_AGAIN_SECONDS: Final = 0.5
ENDING_SECONDS: Final = 2.0

BEGIN: Final = Fact("start", "sys_startup")
END: Final = Fact("stop", "sys_shutdown")
_LOST: Final = Fact("trail-lost", "sys_monitor_disabled")
_TRUNCATED: Final = Fact("trail-truncated", "sys_monitor_disabled")

_log = logging.getLogger(__name__)


class Trail:
    """Writes facts to `target`, in a chain of its own; `now` is the wall clock in seconds."""

    def __init__(
        self,
        target: Target,
        keys: TrailKeys,
        *,
        service: str,
        now: Callable[[], float] = time.time,
        folding: Folding | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._target = target
        self._now = now
        self._folding = folding or Folding()
        self._most_waiting = most_waiting
        self._of_all = {
            "service": service,
            "version": VERSION,
            "instance": socket.gethostname(),
            "process": os.getpid(),
        }
        tail = target.tail()
        self._chain = Chain(keys, previous=last_hash(tail))
        self._torn = len(torn_part(tail.rpartition(b"\n")[2]))
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._is_over = threading.Event()
        self._wrote_at = 0.0
        self._lost_before = 0
        self.lost = 0
        """How many facts found no room since the start."""
        self.written = 0
        """How many lines were written since the start, those about the trail itself included."""
        self.is_written = True
        """Whether the last line could be written."""
        self._thread = threading.Thread(target=self._run, name="audit trail", daemon=True)
        self._thread.start()

    def record(self, fact: Fact, members: Mapping[str, Any], *, kind: Hashable = None) -> None:
        """Record a fact; members that are empty are left out. One that has a `kind` is folded with others of it."""
        entry = {
            "at": self._time(),
            **self._of_all,
            "event": fact.event_of(members.get("outcome")),
            "fact": fact.name,
            **{name: value for name, value in members.items() if value not in (None, "", (), [])},
        }
        if kind is not None and self._folding.takes((fact.name, kind), entry):
            return
        if self._queue.qsize() >= self._most_waiting * (1 if kind is None else _SHARE_OF_STRANGERS):
            self.lost += 1
            return
        self._queue.put(entry)

    def end(self, seconds: float = ENDING_SECONDS) -> None:
        """Write what waits and the last line, for so long at most."""
        self._queue.put(None)
        self._thread.join(seconds)
        self._is_over.set()
        self._thread.join(seconds)
        with contextlib.suppress(OSError):
            self._target.close()

    def _time(self) -> str:
        text = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")

    def _own(self, fact: Fact, **members: Any) -> dict[str, Any]:
        return {"at": self._time(), **self._of_all, "event": fact.event, "fact": fact.name, **members}

    def _run(self) -> None:
        self._write([self._own(BEGIN, **({"torn": self._torn} if self._torn else {}))])
        is_last = False
        while not is_last and not self._is_over.is_set():
            entries: list[dict[str, Any]] = []
            with contextlib.suppress(Empty):
                entry = self._queue.get(timeout=_LOOK_SECONDS)
                # Where facts come one upon the other a piece is worth a moment, as each would change threads; where it
                # is full already, it would only make more of them wait.
                is_soon = time.monotonic() < self._wrote_at + _GATHER_SECONDS
                if is_soon and entry is not None and self._queue.qsize() < _AT_ONCE:
                    self._is_over.wait(_GATHER_SECONDS)
                while entry is not None and len(entries) < _AT_ONCE:
                    entries.append(entry)
                    entry = self._queue.get_nowait()
                # What was taken beyond the most goes along.
                is_last = entry is None
                entries += [entry] if entry is not None else []
            entries += self._news(at_the_end=is_last)
            if is_last:
                entries.append(self._own(END))
            if entries:
                self._write(entries)
                self._wrote_at = time.monotonic()

    def _news(self, *, at_the_end: bool) -> list[dict[str, Any]]:
        """Return what is due of what was counted: facts about nobody, and those that were lost."""
        news = [{**members, "at": self._time()} for members in self._folding.due(at_the_end=at_the_end)]
        if self.lost > self._lost_before:
            news.append(self._own(_LOST, count=self.lost - self._lost_before))
            self._lost_before = self.lost
        with contextlib.suppress(OSError):
            if self._target.was_truncated():
                news.append(self._own(_TRUNCATED))
        return news

    def _write(self, entries: list[dict[str, Any]]) -> None:
        rest = b"".join(map(self._chain.line, entries))
        while rest and not self._is_over.is_set():
            try:
                taken = self._target.write(rest)
            except OSError as error:
                self._note(is_written=False, reason=error.strerror or type(error).__name__)
                self._is_over.wait(_TRY_AGAIN_SECONDS)
                continue
            self.written += rest[:taken].count(b"\n")
            rest = rest[taken:]
            if taken:
                self._note(is_written=True)
            else:
                self._is_over.wait(0.01)

    def _note(self, *, is_written: bool, reason: str = "") -> None:
        if is_written != self.is_written:
            self.is_written = is_written
            event, level = (
                ("audit-written", logging.INFO) if is_written else ("audit-not-written", logging.ERROR)
            )
            log_event(_log, level, event, reason=reason)
