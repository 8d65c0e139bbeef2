"""One exchange with an upstream in the name of a session: its token, the answer, and one repetition at most.

Owns what is sent beside a request (the token of the upstream's resource, as old a confirmation as its row allows), and
what a failure is called: by the upstream's name, with the outcome of an unsafe request. What a refusal of the token
means, `lent_token.py` knows.
Never sees the browser's request, never parks anything, and never holds a token for longer than the exchange.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from aiohttp import hdrs
from multidict import CIMultiDict

from gateway.counts import Counts
from gateway.errors import StepUpRequired, UpstreamTimedOut, UpstreamUnavailable
from gateway.flows.access_rules import AccessRule
from gateway.flows.step_up import StepUps, fields_of
from gateway.proxy.challenges import REFUSALS
from gateway.proxy.lent_token import with_token
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

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_FAILED: Final = 500


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request as an upstream gets it, but for its token; `url` is sent byte for byte."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | Upload | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it can be sent a second time: nothing of it was given away as it came."""
        return not isinstance(self.body, Upload)


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

    @property
    def records(self) -> Sequence[str]:
        """The names of the session's records that an exchange needs, while its token lives."""
        return fields_of(self._rule) if self._rule else ()

    async def open(self, session: LiveSession | None, request: OutgoingRequest) -> StreamedReply:
        """Send a request, and return the answer as soon as its head is there; whoever has it must close it.

        Raises StepUpRequired, before anything is sent where the confirmation is too old; UpstreamUnavailable,
        UpstreamTimedOut, Overloaded, what the upload has failed with, and what `TokenBroker.access_token` raises.
        A challenge that asks for no confirmation is an answer as any other.
        """

        async def ask(token: AccessToken | None) -> StreamedReply:
            asking = self._way.open(
                request.method,
                request.url,
                headers=_with_token(request, token),
                body=request.body,
                head_seconds=self._seconds,
            )
            return await self._counted(request.method, asking)

        return await self._lent(session, ask, is_repeatable=request.is_repeatable)

    async def open_socket(
        self,
        session: LiveSession | None,
        request: OutgoingRequest,
        subprotocols: Sequence[str],
        limits: SocketLimits,
    ) -> SocketReply:
        """Send a handshake, and return the socket or the refusal; whoever has a socket must close it.

        Raises as `open` does.
        """

        async def ask(token: AccessToken | None) -> SocketReply:
            asking = self._way.sockets.open(
                request.url,
                headers=_with_token(request, token),
                subprotocols=subprotocols,
                seconds=self._seconds,
                limits=limits,
            )
            return await self._counted(request.method, asking)

        return await self._lent(session, ask, is_repeatable=True)

    async def _lent(
        self,
        session: LiveSession | None,
        ask: Callable[[AccessToken | None], Awaitable[A]],
        *,
        is_repeatable: bool,
    ) -> A:
        """Ask with the token that the upstream is lent, if it is lent one."""
        if session is None or self._rule is None:
            return await ask(None)
        try:
            return await self._ask_with_token(session, self._rule, ask, is_repeatable=is_repeatable)
        except StepUpRequired:
            self._counts.upstream_asked(self.name, "step-up")
            raise

    async def _ask_with_token(
        self,
        session: LiveSession,
        rule: AccessRule,
        ask: Callable[[AccessToken | None], Awaitable[A]],
        *,
        is_repeatable: bool,
    ) -> A:
        self._step_ups.demand_freshness(session, rule)
        opened: list[A] = []

        async def send(token: AccessToken) -> A:
            for refused in opened:
                refused.close()
            opened.append(await ask(token))
            return opened[-1]

        try:
            reply = await with_token(
                self._tokens,
                session,
                rule.resource,
                send,
                name=self.name,
                is_repeatable=is_repeatable,
            )
            if reply.status not in REFUSALS and reply.status < _FAILED:
                await note(session, self._step_ups.success(session, rule.resource))
        except BaseException:
            for reply in opened:
                reply.close()
            raise
        return reply

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


def _with_token(request: OutgoingRequest, token: AccessToken | None) -> Mapping[str, str]:
    headers = CIMultiDict(request.headers)
    if token:
        headers[hdrs.AUTHORIZATION] = f"Bearer {token.value}"
    return headers
