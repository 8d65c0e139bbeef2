"""An upstream's answer on its way to the browser: its head made anew, its body piece by piece.

Owns how it is framed, that events pass one by one, how long an upstream may keep silent in the middle, and that an
answer which breaks off there looks broken off here, never whole.
Never reads what it passes on, never opens what is compressed, and never holds more than one piece.
"""

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from servicekit.http.admission import give_place_back
from servicekit.http.answers import Answer
from servicekit.http.departures import CallerLeft, Ended, Ending, break_off, until, while_caller_stays
from servicekit.logs import log_event
from servicekit.outbound_error import OutboundError
from servicekit.problems import ProblemError
from servicekit.streamed_reply import StreamedReply

EVENT_STREAM: Final = "text/event-stream"
SILENCE_SECONDS: Final = 60.0
"""In the middle of a body; longer than what a slow query takes between two rows."""
EVENTS_SILENCE_SECONDS: Final = 600.0
"""Between two events; as long as a stream of our own lives. Browsers come back by themselves."""
SHORT_BYTES: Final = 65_536
"""Of a body that is answered in one write, at most."""
_WITHOUT_BODY: Final = frozenset({204, 304})
_UNKNOWN_KIND: Final = "application/octet-stream"
"""What a body is of which the upstream does not say it (RFC 9110, section 8.3)."""


@dataclass(slots=True)
class UpstreamAnswer:
    """An answer whose head is there: `headers` are those that the browser gets."""

    reply: StreamedReply
    headers: Mapping[str, str]

    @property
    def status(self) -> int:
        """Its status, as the upstream said it."""
        return self.reply.status

    @property
    def is_event_stream(self) -> bool:
        """Whether it is one of server-sent events (HTML Living Standard, section 9.2)."""
        return self.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower() == EVENT_STREAM


WHOLE: Final = "whole"
BROKEN_OFF: Final = "broken-off"
LEFT: Final = "left"
ENDED: Final = "ended"
"""How the body of an answer ended: as the upstream wanted it, in the middle, without its reader, or by us."""

_log = logging.getLogger(__name__)


async def relay(
    request: web.Request, answer: UpstreamAnswer, ending: Ending
) -> tuple[web.StreamResponse, str]:
    """Answer with what the upstream answered; return how its body ended as well.

    A stream of events ends with `ending`, in good order. Raises nothing once the answer has begun: it cannot become a
    problem any more.
    """
    response = _head_of(answer)
    silence = EVENTS_SILENCE_SECONDS if answer.is_event_stream else SILENCE_SECONDS
    try:
        with while_caller_stays(request):
            await response.prepare(request)
            give_place_back(request)
            with until(ending) if answer.is_event_stream else contextlib.nullcontext():
                ended = await _passed_on(request, response, answer.reply, silence)
    except (CallerLeft, ConnectionError):
        ended = LEFT
    except Ended:
        ended = ENDED
    return response, ended


def short_answer(request: web.Request, answer: UpstreamAnswer) -> Answer | None:
    """Return the whole answer where all of it came with its head: nobody is waited for, and it is one write.

    None for what is passed on piece by piece: what is long, still to come or broken off, has no body, or is events.
    """
    reply = answer.reply
    if not reply.is_here or request.method == hdrs.METH_HEAD or answer.status in _WITHOUT_BODY:
        return None
    if reply.size_here > SHORT_BYTES or answer.is_event_stream:
        return None
    kind = answer.headers.get(hdrs.CONTENT_TYPE, _UNKNOWN_KIND)
    return Answer(reply.rest(), status=answer.status, headers=answer.headers, content_type=kind)


def _head_of(answer: UpstreamAnswer) -> web.StreamResponse:
    """Return the answer's head; chunks are made anew, and a length is that of the upstream's (RFC 9112, section 6)."""
    fields = answer.reply.headers
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if hdrs.TRANSFER_ENCODING not in fields and hdrs.CONTENT_LENGTH in fields:
        response.content_length = int(fields[hdrs.CONTENT_LENGTH])
    if answer.is_event_stream:
        response.headers["X-Accel-Buffering"] = "no"  # some proxies keep an answer back until it is complete
    return response


async def _passed_on(
    request: web.Request, response: web.StreamResponse, reply: StreamedReply, silence: float
) -> str:
    pieces = reply.pieces(silence)
    try:
        async for piece in pieces:
            await response.write(piece)
    except ConnectionError:
        raise
    except Exception as fault:  # noqa: BLE001 - whatever it is, the answer must not look whole
        if not isinstance(fault, OutboundError | ProblemError) and fault is not request.content.exception():
            log_event(_log, logging.ERROR, "answer-not-passed-on", fault=fault)
        break_off(request)
        return BROKEN_OFF
    return WHOLE
