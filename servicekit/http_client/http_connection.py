"""One connection to a server: one exchange at a time, and the next one only where the last has left nothing behind.

Owns what comes by it, and to whom it belongs: bytes that nobody asked for end it, whoever gives an exchange up ends it,
and no answer is ever another exchange's. Owns back-pressure in both directions, and the time that the server has.
Never opens a connection, never sends anything twice, and never reads meaning into a status.

Sources: RFC 9112, sections 9.2 (unasked answers) and 9.3 (when a connection goes on); RFC 9110, section 15.2 (interim
answers). Where an answer ends, `answer_reader.py` knows.
"""

import asyncio
import select
from collections.abc import Callable
from typing import Final, cast

from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from servicekit.end_of_turn import EndOfTurn
from servicekit.http_client.answer_reader import FIRST_FINAL, WITHOUT_BODY, AnswerReader
from servicekit.http_client.sending import Sending
from servicekit.outbound_error import CUT, NOT_HTTP, TIMEOUT, OutboundError
from servicekit.remote_timeout import RemoteTimer
from servicekit.upload import Upload

_SWITCHING: Final = 101


class HttpConnection(asyncio.Protocol):
    """A connection, of which `on_end` is told when it is over, and why; requests go out at the `end_of_turn`."""

    def __init__(self, on_end: Callable[[Exception | None], None], end_of_turn: EndOfTurn) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._end_of_turn = end_of_turn
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._reader = AnswerReader(self)
        self._waiter: asyncio.Future[RawResponseMessage] | None = None
        self._message: RawResponseMessage | None = None
        self._payload: StreamReader = EMPTY_PAYLOAD
        self._sending: Sending | None = None
        self._has_body = True
        self._is_reading_paused = False
        self._is_unclean = False
        self.timer = RemoteTimer(self._timed_out)
        self.has_room = asyncio.Event()
        """Whether more can be written without lying here."""
        self.has_room.set()
        self.idle_since = 0.0
        self._poll: select.poll | None = None

    # --- an exchange -------------------------------------------------------------------------------------------

    def ask(
        self,
        head: bytes,
        body: bytes | Upload | None,
        *,
        method: str,
        unpacks: bool,
        seconds: float,
        until: float,
    ) -> asyncio.Future[RawResponseMessage]:
        """Send a request, and return what becomes the head of the answer to it, whatever its status.

        The server has `seconds`, and they are over at `until` (the loop's clock). `unpacks` says that a compressed body
        is opened. What is returned may end by OutboundError, and by what an upload has failed with; `ends_exchange` is
        to be called after it in any case.
        """
        self._has_body = method != "HEAD"
        self._message, self._payload = None, EMPTY_PAYLOAD
        self._waiter = waiter = self._loop.create_future()
        transport = self._transport
        if transport is None or transport.is_closing():
            waiter.set_exception(OutboundError(CUT, maybe_done=False))
            return waiter
        self._reader.begin(has_body=self._has_body, unpacks=unpacks)
        self.timer.give(seconds, until=until)
        if not isinstance(body, Upload):
            self._unsent = [head, body] if body else [head]
            self._end_of_turn.add(self._send_unsent)
        elif self._is_stale():
            self._fail(OutboundError(CUT, maybe_done=False))
        else:
            transport.write(head)
            self._sending = Sending(self, body)
        return waiter

    def _send_unsent(self) -> None:
        """Send a request, unless whoever asked has given it up, or the server has spoken meanwhile."""
        if not self.awaits_head or self._transport is None or self._transport.is_closing():
            self._unsent = []
        elif self._is_stale():
            self._fail(OutboundError(CUT, maybe_done=False))
        else:
            unsent, self._unsent = self._unsent, []
            self._transport.write(b"".join(unsent))

    @property
    def awaits_head(self) -> bool:
        """Whether the head of an answer is still to come."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def body(self) -> StreamReader:
        """The body of the answer that was asked for last, as it comes; empty of one that is `here`."""
        return self._payload

    @property
    def here(self) -> bytes | None:
        """The whole body of that answer, where it came in one piece with its head."""
        return self._reader.here

    def ends_exchange(self) -> bool:
        """End an exchange; tell whether the connection may have another one.

        It may where both sides have said everything, and the server nothing that was not asked for.
        """
        self.timer.hold()
        message, sending = self._message, self._sending
        is_read = self._payload.is_eof()  # before the reader's end, which may be that of a body
        self._waiter = self._sending = None
        if (
            not self._reader.end()
            or self._transport is None
            or self._is_unclean
            or message is None
            or message.should_close
            or (sending and not sending.is_over)
            or not is_read
        ):
            if sending:
                sending.stop()
            self.abort()
            return False
        return True

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, *pieces: bytes) -> None:
        """Send bytes as soon as the network takes them; raises ConnectionError where the connection is over.

        In one piece: asyncio's `writelines` knows no back-pressure in some Pythons (CVE-2024-12254).
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._transport.write(b"".join(pieces))

    def pause_writing(self) -> None:
        """Note that what is written would lie here."""
        self.has_room.clear()

    def resume_writing(self) -> None:
        """Note that there is room again."""
        self.has_room.set()

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether more can come."""
        return self._transport is not None

    def pause_reading(self) -> None:
        """Take no more from the network, as what is here was not fetched yet."""
        self._is_reading_paused = True
        self._reader.pause()
        if self._transport and self.is_open:
            self._transport.pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - aiohttp's own form
        """Go on: first with what was read and not parsed, then with the network."""
        if not self._is_reading_paused:
            return
        self._is_reading_paused = False
        if resume_parser and self._reader.is_at_it:
            self.data_received(b"")
        if self._transport and self.is_open and not self._is_reading_paused:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the server; those that nobody asked for end the connection."""
        if self._waiter is None or self._unsent:
            self._fail(OutboundError(CUT, maybe_done=False))
            return
        try:
            messages = self._reader.feed(data)
        except Exception:  # noqa: BLE001 - whatever the parser makes of it, it is no answer
            self._fail(OutboundError(NOT_HTTP, maybe_done=True))
            return
        for message, payload in messages:
            if not self.awaits_head:
                self._is_unclean = True
            elif message.code == _SWITCHING:
                self._fail(OutboundError(NOT_HTTP, maybe_done=True))
            elif message.code >= FIRST_FINAL:
                self._begin_answer(message, payload)

    def _begin_answer(self, message: RawResponseMessage, payload: StreamReader) -> None:
        self._message = message
        self._payload = EMPTY_PAYLOAD if self._is_bodyless(message) else payload
        self.timer.hold()
        if self._waiter:
            self._waiter.set_result(message)

    def _is_bodyless(self, message: RawResponseMessage) -> bool:
        return not self._has_body or message.code in WITHOUT_BODY

    # --- the end -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def close(self) -> None:
        """End an idle connection, in good order."""
        if self._transport:
            self._transport.close()

    @property
    def is_open(self) -> bool:
        """Whether it may be used, as far as our side knows."""
        return self._transport is not None and not self._transport.is_closing()

    def _is_stale(self) -> bool:
        """Tell whether there is something that was not read yet: what nobody asked for, or the server's end.

        The loop would tell of it in its next turn, and by then it would pass for the answer to what is sent now. By a
        new connection nothing was asked before, and TLS may still be bringing its tickets (RFC 8446, section 4.6.1).
        """
        if not self.idle_since:
            return False
        if self._poll is None:
            own = self._transport.get_extra_info("socket") if self._transport else None
            if own is None or not hasattr(select, "poll"):
                return False
            self._poll = select.poll()
            self._poll.register(own.fileno(), select.POLLIN)
        return bool(self._poll.poll(0))

    def abort(self) -> None:
        """End the connection at once: what is still to be sent is not, and nothing more is taken."""
        if self._transport:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits; the end of the connection may be the end of a body, a reset never is."""
        self._transport = None
        self.timer.stop()
        self.has_room.set()
        if exc is None and not self.awaits_head:
            try:
                self._reader.end_by_close()
            except HttpProcessingError:
                self._fail(OutboundError(CUT, maybe_done=True))
        else:
            self._fail(OutboundError(CUT, maybe_done=not self._unsent))
        self._on_end(exc)

    def fail(self, fault: Exception) -> None:
        """End the connection, with a fault for whoever waits for something of the exchange."""
        self._fail(fault)

    def _timed_out(self) -> None:
        self._fail(OutboundError(TIMEOUT, maybe_done=True))

    def _fail(self, fault: Exception) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(fault)
        elif not self._payload.is_eof():
            self._payload.set_exception(fault)
        self.abort()
