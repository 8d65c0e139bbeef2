"""A body on its way to a server, piece by piece, while its answer may come already.

Owns how pieces are framed, that as many bytes go out as were announced, and that none lies here: the next piece is
asked for when the network has taken the last one.
Never reads an answer, and never decides how long the server may take: its connection does.
"""

import asyncio
from contextlib import aclosing
from typing import Protocol

from servicekit.outbound_error import CUT, OutboundError
from servicekit.remote_timeout import RemoteTimer
from servicekit.upload import Upload


class Carrier(Protocol):
    """The connection that a body goes out by."""

    timer: RemoteTimer
    has_room: asyncio.Event

    @property
    def awaits_head(self) -> bool:
        """Whether the head of the answer is still to come."""

    def write(self, *pieces: bytes) -> None:
        """Send bytes; raises ConnectionError where it is over."""

    def fail(self, fault: Exception) -> None:
        """End it, with a fault for whoever waits."""


class Sending:
    """An upload that goes out by `connection`, beside whoever waits for the answer."""

    def __init__(self, connection: Carrier, upload: Upload) -> None:
        self._connection = connection
        self._upload = upload
        self._task = asyncio.create_task(self._send())
        self.is_over = False
        """Whether all of it is out."""

    def stop(self) -> None:
        """Send no more of it; the connection is at its end."""
        self._task.cancel()

    def hold(self) -> None:
        """Let time pass that is the source's; once the answer has begun, it is that of whoever reads it."""
        if self._connection.awaits_head:
            self._connection.timer.hold()

    def begin_anew(self) -> None:
        """Give the server its time for what it is to do next, or for the head."""
        if self._connection.awaits_head:
            self._connection.timer.begin_anew()

    async def _send(self) -> None:
        length, sent = self._upload.length, 0
        try:
            async with aclosing(self._upload.pieces(self)) as pieces:
                async for piece in pieces:
                    sent += len(piece)
                    if length is not None and sent > length:
                        break
                    await self._write(piece, in_chunks=length is None)
            if length is None:
                self._connection.write(b"0\r\n\r\n")
        except ConnectionError:
            return  # whoever waits for the answer is told of it
        except Exception as fault:  # noqa: BLE001 - the source's own; whoever waits has it
            self._connection.fail(self._upload.failure or fault)
            return
        if length is None or sent == length:
            self.is_over = True
        else:
            self._connection.fail(OutboundError(CUT, maybe_done=True))

    async def _write(self, piece: bytes, *, in_chunks: bool) -> None:
        if not piece:
            return
        if in_chunks:
            self._connection.write(b"%x\r\n" % len(piece), piece, b"\r\n")
        else:
            self._connection.write(piece)
        await self._connection.has_room.wait()
