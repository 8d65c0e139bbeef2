"""The ends of a session: by its person, and by the authority through the front or the back channel.

Owns whose sessions end, that a logout token counts once, and the log lines about it.
Never lets the authority's health decide whether somebody can sign out, and never writes an answer. The back channel
needs the authority's keys.

Sources: OpenID Connect Front-Channel Logout 1.0 and Back-Channel Logout 1.0.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from gateway.errors import DuplicateCookie
from gateway.flows.logout_token import FRESH_SECONDS, LogoutTokenJudge
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.names import digest_of
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault
from servicekit.errors import BadRequest
from servicekit.jwt_claims import LEEWAY_SECONDS, LONGEST_SID
from servicekit.logs import log_event

_REASON: Final = "signed-out"
MOST_COOKIES: Final = 8
"""So many session cookies are worth asking Redis about, where one is right."""

_log = logging.getLogger(__name__)


class Logout:
    """Ends sessions of one authority, `issuer`.

    `tenant` is what the sessions of its persons are indexed by: the tenant's id, or the issuer where there is none.
    `now` is the wall clock in seconds, by which the authority's tokens are judged, and `leeway_seconds` how far the
    authority's may differ from it. Everything raises SessionStoreUnavailable when Redis fails.
    """

    def __init__(
        self,
        sessions: SessionStore,
        vault: Vault,
        judge: LogoutTokenJudge,
        *,
        issuer: str,
        tenant: str,
        now: Callable[[], float],
        leeway_seconds: int = LEEWAY_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._records = SingleRecords(vault)
        self._judge = judge
        self._issuer = issuer
        self._tenant = tenant
        self._now = now
        self._leeway = leeway_seconds

    async def sign_out(self, request: web.Request) -> LiveSession | None:
        """End the request's session and take its cookie back; return the session, or None where there is none.

        Without one the end of the last is asked for again. Of several session cookies each one's session ends: one is
        the person's own, and who planted another could end that as well. Raises DuplicateCookie where there are too
        many, and SessionStoreUnavailable also where a failover could still undo it: the cookie is kept, to ask again
        with.
        """
        session = await self._sessions.find(request)
        if session is not None:
            await self._end(session)
        else:
            session = await self._end_each(SessionCookie.every(request))
        await self._sessions.unbind(request)
        return session

    async def _end(self, session: LiveSession) -> None:
        await self._sessions.end(session, _REASON, successors=True)
        log_event(_log, logging.INFO, "signed-out", session=session.ref.short)

    async def _end_each(self, cookies: Sequence[SessionCookie]) -> LiveSession | None:
        """End whatever these cookies open, and return the session where it was one; a single one opens none."""
        if len(cookies) > MOST_COOKIES:
            raise DuplicateCookie
        ended = []
        for cookie in cookies:
            session = await self._sessions.load(cookie) if len(cookies) > 1 else None
            if session is None:
                await self._sessions.confirm_end(cookie)
            else:
                await self._end(session)
                ended.append(session)
        return ended[0] if len(ended) == 1 else None

    async def frontchannel(self, sids: Sequence[str], issuers: Sequence[str]) -> int:
        """End the sessions of the authority's session, as a request's `sid` and `iss` name it; return how many.

        Entra sends `sid` and no `iss`. The caller proves nothing, so nothing is revoked at the authority; what is
        there twice, too long, or of another issuer ends nothing.
        """
        ours = all(issuer == self._issuer for issuer in issuers) and len(issuers) <= 1
        if ours and len(sids) == 1 and 0 < len(sids[0]) <= LONGEST_SID:
            ended = await self._sessions.end_matching(tid=self._tenant, sid=sids[0], reason=_REASON)
            if ended:  # anybody may ask for it
                log_event(_log, logging.INFO, "frontchannel-logout", sessions=ended)
            return ended
        return 0

    async def backchannel(self, logout_token: str) -> None:
        """End the sessions that the token names; where there are none, nothing is wrong.

        Raises BadRequest when the token is not to be believed or was used before, and AuthorityUnavailable when there
        are no keys to judge it with.
        """
        order = await self._judge.order(logout_token)
        age = self._now() - order.issued_at
        ended = await self._sessions.end_matching(
            tid=self._tenant,
            sid=order.sid,
            sub=order.sub,
            # By the authority's clock and ours it is so old; Redis' says when a session began. One that seems a little
            # younger is meant too.
            created_until=await self._sessions.time() - age + self._leeway,
            reason=_REASON,
        )
        # Remembered after the deed: a token that met a failing Redis may be delivered again, and one that comes twice
        # ends nothing that began much later than it was issued.
        name = digest_of(self._issuer, order.identifier)
        # From the earliest moment at which a token is believed to the last one.
        remembered = FRESH_SECONDS + 2 * self._leeway + 1
        if not await self._records.note("logout-token", name, ttl=remembered):
            raise BadRequest("The logout token was used before.", log_detail="logout token: jti seen before")
        log_event(_log, logging.INFO, "backchannel-logout", sessions=ended)
