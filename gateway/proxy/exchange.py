"""One exchange with an upstream in the name of a session: its token, the answer, and one repetition at most.

Owns what is sent beside a request (the token of the upstream's resource, as old a confirmation as its row allows), and
what a failure is called: by the upstream's name, with the outcome of an unsafe request. What a refusal of the token
means, `lent_token.py` knows.
Never sees the browser's request, never parks anything, and never holds a token for longer than the exchange; that one
was taken lies with the session's opened records, and goes with them.
"""

import functools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from aiohttp import hdrs
from multidict import CIMultiDict

from gateway.counts import Counts
from gateway.errors import StepUpRequired, UpstreamTimedOut, UpstreamUnavailable
from gateway.flows.access_rules import AccessRule
from gateway.flows.step_up import StepUps, accepted_field, fields_of
from gateway.proxy.challenges import REFUSALS
from gateway.proxy.lent_token import after_refusal
from gateway.proxy.notes import note
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from servicekit.errors import NOT_SENT, UNKNOWN, Outcome, Overloaded
from servicekit.outbound import Outbound
from servicekit.outbound_error import TIMEOUT, OutboundError
from servicekit.socket_call import SocketLimits, SocketReply
from servicekit.streamed_reply import StreamedReply
from servicekit.upload import Upload

A = TypeVar("A", StreamedReply, SocketReply)

Ask = Callable[["OutgoingRequest", AccessToken | None], Awaitable[A]]

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_FAILED: Final = 500


@dataclass(slots=True)
class OutgoingRequest:
    """A request as an upstream gets it, but for its token; `url` and `fields` are sent as they stand."""

    method: str
    url: str
    fields: Sequence[tuple[str, str]]
    body: bytes | Upload | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent a second time: nothing of it was given away as it came."""
        return not isinstance(self.body, Upload)

    def fields_with(self, token: AccessToken | None) -> Sequence[tuple[str, str]]:
        """Return its fields with a token, which no field of its own has (`headers.py`)."""
        return [*self.fields, (hdrs.AUTHORIZATION, f"Bearer {token.value}")] if token else self.fields


class Exchange:
    """Exchanges with the upstream of one row, called `name`, whose head may take `seconds`.

    `rule` says which token it is lent, and how old a confirmation may be; without one there is no token.
    """

    def __init__(
        self,
        name: str,
        way: Outbound,
        tokens: TokenBroker,
        step_ups: StepUps,
        *,
        rule: AccessRule | None,
        seconds: float,
        counts: Counts | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._way = way
        self._tokens = tokens
        self._step_ups = step_ups
        self._rule = rule
        self._seconds = seconds
        self._counts = counts or Counts()
        self._monotonic = monotonic
        self._kept_as = f"lent-to:{name}"
        self.records: Sequence[str] = (*fields_of(rule), accepted_field(rule.resource)) if rule else ()
        """The names of the session's records that an exchange needs, while its token lives."""

    def open(self, session: LiveSession | None, request: OutgoingRequest) -> Awaitable[StreamedReply]:
        """Send a request, and return the answer as soon as its head is there; whoever has it must close it.

        Raises StepUpRequired, before anything is sent where the confirmation is too old; UpstreamUnavailable,
        UpstreamTimedOut, Overloaded, what the upload has failed with, and what `TokenBroker.access_token` raises.
        A challenge that asks for no confirmation is an answer as any other.
        """
        return self._lent(session, request, self._ask)

    def open_socket(
        self,
        session: LiveSession | None,
        request: OutgoingRequest,
        subprotocols: Sequence[str],
        limits: SocketLimits,
    ) -> Awaitable[SocketReply]:
        """Send a handshake, and return the socket or the refusal; whoever has a socket must close it.

        Raises as `open` does.
        """
        return self._lent(session, request, functools.partial(self._shake_hands, subprotocols, limits))

    def _ask(self, request: OutgoingRequest, token: AccessToken | None) -> Awaitable[StreamedReply]:
        asking = self._way.open(
            request.method,
            request.url,
            fields=request.fields_with(token),
            body=request.body,
            head_seconds=self._seconds,
        )
        return self._counted(request.method, asking)

    def _shake_hands(
        self,
        subprotocols: Sequence[str],
        limits: SocketLimits,
        request: OutgoingRequest,
        token: AccessToken | None,
    ) -> Awaitable[SocketReply]:
        asking = self._way.sockets.open(
            request.url,
            headers=CIMultiDict(request.fields_with(token)),
            subprotocols=subprotocols,
            seconds=self._seconds,
            limits=limits,
        )
        return self._counted(request.method, asking)

    async def _lent(self, session: LiveSession | None, request: OutgoingRequest, ask: Ask[A]) -> A:
        """Ask with the token that the upstream is lent, if it is lent one."""
        rule = self._rule
        if session is None or rule is None:
            return await ask(request, None)
        known: AccessToken | None = session.records.result(self._kept_as)
        try:
            token = known or await self._token(session, rule)
            reply = await ask(request, token)
            if reply.status in REFUSALS:
                known = None
                reply = await after_refusal(
                    self._tokens,
                    session,
                    rule.resource,
                    functools.partial(ask, request),
                    token=token,
                    answer=reply,
                    name=self.name,
                    is_repeatable=request.is_repeatable,
                    drop=_close,
                )
        except StepUpRequired:
            self._counts.upstream_asked(self.name, "step-up")
            raise
        if known is None and reply.status < _FAILED and reply.status not in REFUSALS:
            await self._note_success(session, rule, token, reply)
        return reply

    def _token(self, session: LiveSession, rule: AccessRule) -> Awaitable[AccessToken]:
        self._step_ups.demand_freshness(session, rule)
        return self._tokens.access_token(session, rule.resource)

    async def _note_success(
        self, session: LiveSession, rule: AccessRule, token: AccessToken, reply: A
    ) -> None:
        """Note that the upstream took the token.

        Where there was nothing to note, it is lent again without a question, as long as the session's records are as
        they were, the token needs no renewal, and the confirmation is young enough.
        """
        try:
            if entries := self._step_ups.success(session, rule.resource):
                await note(session, entries)
                return
        except BaseException:
            reply.close()
            raise
        until = min(token.fresh_until, self._step_ups.fresh_until(session, rule))
        session.records.keep_result(self._kept_as, token, until)

    async def _counted(self, method: str, asking: Awaitable[A]) -> A:
        began = self._monotonic()
        try:
            reply = await asking
        except OutboundError as error:
            self._counts.upstream_asked(self.name, "timeout" if error.reason == TIMEOUT else "failed")
            raise self._unavailable(error, method) from error
        except Overloaded:
            self._counts.upstream_asked(self.name, "overloaded")
            raise
        except BaseException:
            # Whoever asked has left, or their body never came whole.
            self._counts.upstream_asked(self.name, "left")
            raise
        self._counts.upstream_asked(self.name, "answered", self._monotonic() - began)
        return reply

    def _unavailable(self, error: OutboundError, method: str) -> UpstreamUnavailable:
        outcome: Outcome | None = None
        if method not in SAFE:
            outcome = UNKNOWN if error.maybe_done else NOT_SENT
        kind = UpstreamTimedOut if error.reason == TIMEOUT else UpstreamUnavailable
        return kind(self.name, error.reason, retry_after=error.retry_after, outcome=outcome)


def _close(reply: StreamedReply | SocketReply) -> None:
    reply.close()
