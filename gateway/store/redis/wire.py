"""One connection to Redis on which many commands are under way at once, and their answers in order.

Owns which answer belongs to which command, and takes over a connection that redis-py has made: by then it is
introduced, encrypted and at the right database.
Never makes a connection, sends nothing again, and judges no server: whoever holds it hears that it is over, and why.

An answer that nobody waits for any more is thrown away in its turn, so it never goes to anybody else. A server that
says more than it was asked is believed nothing more.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError

from gateway.store.redis.batch import Batch

_INCOMPLETE: Final = object()


class Wire(asyncio.Protocol):
    """The protocol of a connection; `on_answered` is called with each batch that is, `on_over` once, with the fault."""

    def __init__(
        self,
        connection: AbstractConnection,
        *,
        on_answered: Callable[[Batch], None],
        on_room: Callable[[], None],
        on_over: Callable[["Wire", RedisError], None],
    ) -> None:
        self._connection = connection
        self._on_answered = on_answered
        self._on_room = on_room
        self._on_over = on_over
        # redis-py's own words for what the server refuses.
        self._reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=DefaultParser.parse_error,
            notEnoughData=_INCOMPLETE,
        )
        self._unanswered = 0
        self.sent: deque[Batch] = deque()
        """What was sent and is not answered, the oldest first."""
        self.is_full = False
        """Whether the socket takes no more for the moment."""
        self.is_over = False
        writer = connection._writer  # noqa: SLF001 - docs/explanation/decisions/2026-11-26-redis-py-internals.md
        self._transport = cast("asyncio.Transport", writer.transport)  # type: ignore[union-attr]  # it is connected
        self._transport.set_protocol(self)
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when nothing is left of it."""

    def write(self, batch: Batch) -> None:
        """Send a batch."""
        entries = batch.entries
        self.sent.append(batch)
        self._unanswered += len(entries)
        self._transport.write(
            entries[0][1] if len(entries) == 1 else b"".join([command for _, command, _ in entries])
        )

    def close(self) -> None:
        """Be over, at once and without a farewell; nobody is told."""
        if not self.is_over:
            self.is_over = True
            self._connection._close()  # type: ignore[no-untyped-call]  # noqa: SLF001 - the same; it would warn that it was forgotten
            self._transport.abort()

    # What the event loop calls

    def data_received(self, data: bytes) -> None:
        """Give answers to those who wait for them; none of what came in one piece with too much, or with nonsense."""
        if self.is_over:
            return
        try:
            answers = self._read(data)
        except RedisError as error:
            self._end(error)
            return
        given = 0
        while given < len(answers):
            batch = self.sent[0]
            asked = batch.entries[batch.answered :]
            more = min(len(asked), len(answers) - given)
            batch.answered += more
            for (who, _, budget), answer in zip(asked, answers[given:], strict=False):
                if isinstance(answer, Exception):
                    batch.refused += budget is not None
                    if not who.done():
                        who.set_exception(answer)
                elif not who.done():
                    who.set_result(answer)
            given += more
            if more == len(asked):
                self.sent.popleft()
                self._on_answered(batch)

    def _read(self, data: bytes) -> list[Any]:
        """Return the answers that are whole by now; raises RedisError for what was said of the connection itself."""
        answers = []
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not _INCOMPLETE:
            if isinstance(answer, RedisConnectionError):
                raise answer  # it is loading, or does not know us any more
            answers.append(answer)
        self._unanswered -= len(answers)
        if self._unanswered < 0:
            raise RedisConnectionError("Redis said more than it was asked")
        return answers

    def eof_received(self) -> None:
        """Hear that the server closes."""
        self._end(RedisConnectionError("Redis closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is no more."""
        if not self.closed.done():
            self.closed.set_result(None)
        self._end(RedisConnectionError(type(exc).__name__ if exc else "Redis closed the connection"))

    def pause_writing(self) -> None:
        """Hear that the server does not read as fast as we write."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Hear that it does again."""
        self.is_full = False
        self._on_room()

    def _end(self, fault: RedisError) -> None:
        if not self.is_over:
            self.close()
            self._on_over(self, fault)
