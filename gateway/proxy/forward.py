"""A browser's request on its way to the upstream of its row, and the answer on its way back.

Owns whose request it is, that it is sent once, that it waits where its person has to confirm, and what is told of it:
to the audit trail, the metrics, and to whoever asked. Whoever leaves ends the exchange.
Never reads a body's meaning, never decides which row a request is for, and never changes what an upstream says
(`headers.py` says what of it goes through).
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.counts import Counts
from gateway.errors import StepUpRequired
from gateway.flows.step_up import StepUps
from gateway.proxy.exchange import SAFE, Exchange, OutgoingRequest
from gateway.proxy.headers import inward, outward
from gateway.proxy.interruptions import Interruptions
from gateway.proxy.open_exchanges import OpenExchanges
from gateway.proxy.parked_form import ParkedRequest
from gateway.proxy.paths import address_of
from gateway.proxy.relay import WHOLE, UpstreamAnswer, relay, short_answer
from gateway.proxy.repeats import (
    RepeatedAnswer,
    RepeatedRequest,
    RequestMark,
    idempotency_key,
    record_of_key,
    sent_once,
)
from gateway.proxy.request_body import HELD_BYTES, RequestBody, read_ahead
from gateway.session.session_ends import SessionEnds
from gateway.session.sessions import LiveSession, SessionStore
from gateway.upstream_rows import UpstreamRow
from servicekit.audit.fact import REFUSED, SUCCESS, UNKNOWN, Outcome, outcome_of
from servicekit.callers import NETWORK
from servicekit.cancellation import ended
from servicekit.http.admission import give_place_back
from servicekit.http.departures import CallerLeft, Ending, while_caller_stays
from servicekit.problems import ProblemError
from servicekit.refused_writes import refuses_before_doing
from servicekit.streamed_reply import StreamedReply
from servicekit.upload import Upload

CALLER_LEFT: Final = 499
"""What the log and the metrics say of a request whose caller left before it was answered, as nginx has it."""
_ERRORS: Final = 400

Interrupted = Callable[[StepUpRequired], Awaitable[StepUpRequired]]
Answered = Callable[[UpstreamAnswer], Awaitable[None]]


@dataclass(slots=True)
class _Sending:
    """A request that is about to be sent: `path` is the browser's, `outgoing` the upstream's.

    `rest` is its body where not all of it is held, `reply` is to be closed.
    """

    request: web.Request
    session: LiveSession | None
    row: UpstreamRow
    path: str
    outgoing: OutgoingRequest
    rest: RequestBody | None = None
    reply: StreamedReply | None = None

    @property
    def is_unsafe(self) -> bool:
        return self.outgoing.method not in SAFE

    @property
    def to_park(self) -> ParkedRequest:
        """The request as it waits; its body is held."""
        sent, body = self.outgoing, self.outgoing.body
        held = b"" if self.rest or not isinstance(body, bytes) else body
        return ParkedRequest(self.row.name, sent.method, self.path, tuple(sent.fields), held)


class Forwarder:
    """Answers requests of rows, each by the exchange of its row's name; `now` is the wall clock in seconds."""

    def __init__(
        self,
        exchanges: Mapping[str, Exchange],
        sessions: SessionStore,
        step_ups: StepUps,
        interruptions: Interruptions,
        audit: Audit,
        *,
        session_ends: SessionEnds,
        now: Callable[[], float],
        counts: Counts | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._sessions = sessions
        self._step_ups = step_ups
        self._interruptions = interruptions
        self._audit = audit
        self._session_ends = session_ends
        self._now = now
        self._counts = counts or Counts()
        self._open = OpenExchanges(exchanges, self._counts)
        self._ending = Ending()

    def stop(self) -> None:
        """End every stream of events now, and each new one as soon as it began: browsers come back to others."""
        self._ending.tell()

    def records(self, request: web.Request, row: UpstreamRow) -> Sequence[str]:
        """Return the names of the session's records that a request of this row needs."""
        records = self._exchanges[row.name].records
        return records if request.method in SAFE else [*records, *record_of_key(request.headers)]

    async def answer(self, request: web.Request, row: UpstreamRow) -> web.StreamResponse:
        """Answer a request of this row with what its upstream answers.

        Raises SignInRequired, BadRequest, BodyTooLarge, RequestTimedOut, TooManyRequests, StepUpRequired (with
        `upstream`, and `parked` where it waits), EditInProgress, IdempotencyKeyReused, and what `Exchange.open` raises;
        nothing after the answer began.
        """
        session, path = await self._session(request, row), request.raw_path
        fields = outward(row, request.headers)
        outgoing = OutgoingRequest(
            request.method, address_of(row, path), fields
        )  # refused before its body is read
        sending = _Sending(request, session, row, path, outgoing)
        with self._open.one_more(row.name, _owner(request, session)):
            if request.can_read_body:
                body = await read_ahead(request, most=row.max_body)
                outgoing.body, sending.rest = body.held, None if body.is_whole else body
            return await self._answered(sending)

    async def resend(
        self,
        request: web.Request,
        session: LiveSession,
        row: UpstreamRow,
        parked: ParkedRequest,
        *,
        interrupted: Interrupted,
        answered: Answered,
    ) -> web.StreamResponse:
        """Answer a request with what the upstream answers to the one that waited.

        `interrupted` returns what is told where its person has to confirm once more; `answered` hears of the answer
        before anything of it is passed on. Raises as `answer` does.
        """
        with self._open.one_more(row.name, _owner(request, session)):
            outgoing = OutgoingRequest(
                parked.method, address_of(row, parked.path), parked.headers, parked.body
            )
            sending = _Sending(request, session, row, parked.path, outgoing)
            return await self._answered(sending, interrupted, answered)

    async def _answered(
        self,
        sending: _Sending,
        interrupted: Interrupted | None = None,
        answered: Answered | None = None,
    ) -> web.StreamResponse:
        try:
            with while_caller_stays(sending.request):
                try:
                    is_plain = sending.outgoing.method in SAFE and sending.rest is None
                    answer = await (self._opened(sending) if is_plain else self._once(sending))
                except StepUpRequired as required:
                    step_up = await (interrupted or functools.partial(self._interrupted, sending))(required)
                    step_up.members["upstream"] = sending.row.name
                    raise step_up from None
                if answered and isinstance(answer, UpstreamAnswer):
                    await answered(answer)
            if isinstance(answer, RepeatedAnswer):
                return answer.response()
            if short := short_answer(sending.request, answer):
                self._counts.upstream_answer_ended(sending.row.name, WHOLE)
                return short
            async with self._ending_of(sending, answer) as ending:
                response, ended = await relay(sending.request, answer, ending)
        except CallerLeft:
            return web.Response(status=CALLER_LEFT)
        finally:
            if sending.reply:
                sending.reply.close()
        self._counts.upstream_answer_ended(sending.row.name, ended)
        return response

    @asynccontextmanager
    async def _ending_of(self, sending: _Sending, answer: UpstreamAnswer) -> AsyncIterator[Ending]:
        """Give what ends a stream of events: the end of this process, or of the session that it is open by."""
        ending, watching = Ending(), None
        if answer.is_event_stream and sending.session:
            watching = asyncio.create_task(self._session_ends.end_of(sending.session))
            watching.add_done_callback(lambda _: ending.tell())
        if self._ending.is_over:
            ending.tell()
        with self._ending.heard_by(ending.tell):
            try:
                yield ending
            finally:
                await ended(watching)

    async def _once(self, sending: _Sending) -> UpstreamAnswer | RepeatedAnswer:
        """Send what may change something, or is still coming, and record it where it may."""
        try:
            answer = await self._sent(sending)
        except StepUpRequired:
            raise
        except ProblemError as problem:
            self._record(sending, outcome_of(problem), problem.slug)
            raise
        except asyncio.CancelledError:
            self._record(sending, UNKNOWN)
            raise
        if isinstance(answer, UpstreamAnswer):
            self._record(sending, _outcome_of(answer.status))
        return answer

    async def _sent(self, sending: _Sending) -> UpstreamAnswer | RepeatedAnswer:
        """Send it: not twice by one idempotency key."""
        sent = sending.to_park
        key = idempotency_key(CIMultiDictProxy(CIMultiDict(sent.headers))) if sending.is_unsafe else None
        mark = RequestMark(sent.method, sent.path, sent.header(hdrs.IF_MATCH), sent.body)
        rest = None
        if sending.rest:
            give_place_back(sending.request)
            rest = mark.watching(sending.rest.pieces())
            sending.outgoing.body = Upload(rest, sending.rest.length)
        if key is None or sending.session is None:
            return await self._opened(sending)
        repeated = RepeatedRequest(key, mark, now=self._now)
        return await sent_once(sending.session, repeated, functools.partial(self._opened, sending), rest=rest)

    async def _opened(self, sending: _Sending) -> UpstreamAnswer:
        """Send it, and return the head of its answer as the browser gets it; `sending` closes the answer."""
        row, outgoing = sending.row, sending.outgoing
        reply = sending.reply = await self._exchanges[row.name].open(sending.session, outgoing)
        return UpstreamAnswer(reply, inward(row, reply.headers, asked=outgoing.url))

    async def _interrupted(self, sending: _Sending, required: StepUpRequired) -> StepUpRequired:
        """Return what is told of a demand: where the request waits, or that it does not."""
        session, row = sending.session, sending.row
        if session is None:  # pragma: no cover - for the types: no token was asked for
            return required
        if not (row.park and sending.is_unsafe):
            return await self._step_ups.keep(session, required)
        sent = sending.to_park
        if sending.rest or len(sent.body) > HELD_BYTES:
            return await self._interruptions.not_kept(session, required, row.name)
        return await self._interruptions.kept(session, required, sent)

    async def _session(self, request: web.Request, row: UpstreamRow) -> LiveSession | None:
        if row.anonymous and await self._sessions.find(request) is None:
            return None
        return await self._sessions.require(request)

    def _record(self, sending: _Sending, outcome: Outcome, reason: str = "") -> None:
        if sending.is_unsafe:
            who = sending.session.subject if sending.session else None
            self._audit.record(
                facts.UPSTREAM_REQUEST,
                who,
                outcome=outcome,
                reason=reason,
                upstream=sending.row.name,
                method=sending.outgoing.method,
            )


def _owner(request: web.Request, session: LiveSession | None) -> Hashable:
    """Return who is counted: a person, whatever their session, or the network of whoever has none."""
    if session:
        return session.user.tid, session.user.oid
    return str(request.get(NETWORK, ""))


def _outcome_of(status: int) -> Outcome:
    """Return what an answer's status says became of an unsafe request, as far as a status can tell."""
    if status < _ERRORS:
        return SUCCESS
    return REFUSED if refuses_before_doing(status) else UNKNOWN
