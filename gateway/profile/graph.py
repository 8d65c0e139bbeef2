"""Reads the person's profile from Microsoft Graph.

Owns the one request, how long it may take with everything that is tried again, and what each of its answers means for
us. Never writes: only the resource API holds a token that may.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.audit import facts
from gateway.audit.recorder import Audit
from gateway.profile.fields import MEMBERS, Profile, profile_of
from gateway.profile.kept import keep_profile, known_profile
from gateway.proxy.lent_token import with_token
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource
from gateway.upstream_rows import UpstreamRow
from servicekit.audit.fact import FAILED
from servicekit.deadlines import Deadline, RetryBudget
from servicekit.errors import Misconfigured, ResourceUnavailable
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply

_SELECT: Final = ",".join(MEMBERS)
_UNAUTHORIZED: Final = 401
_OK: Final = 200
_BUSY: Final = frozenset({429, 503})
WHOLE_SECONDS: Final = 10
_LONGEST_PAUSE: Final = 3


class ProfileReader:
    """Reads what `row` names: `GET {graph}/me`.

    Graph costs a request ten seconds at most. Where it is busy (429, 503) it is asked once more, if the pause that it
    wants is short, and for one call in ten at most: when Graph is in trouble, repeating everything would double its
    load. An answer that says to the letter what the last one said to this session is not judged again (`kept.py`).
    """

    def __init__(
        self,
        outbound: Outbound,
        tokens: TokenBroker,
        *,
        row: UpstreamRow,
        resource: Resource,
        audit: Audit | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbound = outbound
        self._tokens = tokens
        self._row = row
        self.resource = resource
        self._audit = audit
        self._sleep = sleep
        self._jitter = jitter
        self._budget = RetryBudget()

    async def read(self, session: LiveSession) -> Profile:
        """Return the profile of the session's person.

        Raises ResourceUnavailable, Misconfigured, StepUpRequired (Graph asks for claims), and what
        `TokenBroker.access_token` raises.
        """
        deadline: Deadline | None = None

        async def get(token: AccessToken) -> Reply:
            nonlocal deadline
            # From the first call on: the token's own time is not Graph's.
            deadline = deadline or Deadline(WHOLE_SECONDS)
            return await self._get(token, deadline)

        reply = await with_token(
            self._tokens,
            session,
            self.resource,
            get,
            name="Graph",
            # In whatever words: Graph's own refusals name no error of RFC 6750.
            refused=lambda reply: reply.status == _UNAUTHORIZED,
        )
        if reply.status == _OK and (known := known_profile(session, reply.body)):
            return known
        profile = self._judge(reply, session)
        keep_profile(session, reply.body, profile)
        return profile

    async def _get(self, token: AccessToken, deadline: Deadline) -> Reply:
        self._budget.called()
        reply = await self._once(token, deadline)
        if reply.status not in _BUSY:
            return reply
        pause = reply.retry_after if reply.retry_after is not None else 0.2 + self._jitter() / 2
        if pause > _LONGEST_PAUSE or pause >= deadline.remaining or not self._budget.take():
            return reply
        await self._sleep(pause)
        return await self._once(token, deadline)

    async def _once(self, token: AccessToken, deadline: Deadline) -> Reply:
        headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
        try:
            return await self._outbound.send(
                "GET",
                self._row.target,
                headers=headers,
                params={"$select": _SELECT},
                timeout_seconds=min(self._row.timeout, deadline.remaining),
            )
        except OutboundError as error:
            raise ResourceUnavailable(f"Graph: {error.reason}", retry_after=error.retry_after) from error

    def _judge(self, reply: Reply, session: LiveSession) -> Profile:
        reason = f"Graph answered {reply.status}, request-id {reply.headers.get('request-id', 'none')[:40]}"
        if reply.status in {400, 403}:
            raise Misconfigured(log_detail=f"{reason}: is the delegated permission User.Read granted?")
        if reply.status != _OK:
            raise ResourceUnavailable(reason, retry_after=reply.retry_after)
        try:
            profile = profile_of(reply.json())
        except ValueError as error:
            raise ResourceUnavailable(f"{reason}, but no profile") from error
        if profile["id"] != session.user.oid:
            if self._audit:
                self._audit.record(
                    facts.ANOTHER_PERSON, session.subject, outcome=FAILED, reason=ResourceUnavailable.slug
                )
            raise ResourceUnavailable(f"{reason}, but another person's profile")
        return profile
