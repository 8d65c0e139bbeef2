"""The ends of a session: by its person, and by the authority through the front or the back channel.

Owns whose sessions end, that a logout token counts once, and the log lines about it.
Never lets the authority's health decide whether somebody can sign out, and never writes an answer. The back channel
needs the authority's keys.

Sources: OpenID Connect Front-Channel Logout 1.0 and Back-Channel Logout 1.0.
"""

import logging
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gateway.flows.logout_token import FRESH_SECONDS, LEEWAY_SECONDS, LogoutTokenJudge
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.names import digest_of
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault
from servicekit.errors import BadRequest
from servicekit.jwt_claims import LONGEST_SID
from servicekit.logs import log_event

# From the earliest moment at which a token is believed to the last one.
_REMEMBERED_SECONDS: Final = FRESH_SECONDS + 2 * LEEWAY_SECONDS + 1
_REASON: Final = "signed-out"

_log = logging.getLogger(__name__)


class Logout:
    """Ends sessions of one authority, `issuer`.

    `tenant` is what the sessions of its persons are indexed by: the tenant's id, or the issuer where there is none.
    Everything raises SessionStoreUnavailable when Redis fails.
    """

    def __init__(
        self,
        sessions: SessionStore,
        vault: Vault,
        judge: LogoutTokenJudge,
        *,
        issuer: str,
        tenant: str,
    ) -> None:
        self._sessions = sessions
        self._records = SingleRecords(vault)
        self._judge = judge
        self._issuer = issuer
        self._tenant = tenant

    async def sign_out(self, request: web.Request) -> LiveSession | None:
        """End the request's session and take its cookie back; return the session, or None where there is none.

        Without one the end of the last is asked for again. Raises SessionStoreUnavailable also where a failover could
        still undo it: the cookie is kept, to ask again with.
        """
        session = await self._sessions.find(request)
        if session is not None:
            await self._sessions.end(session, _REASON, successors=True)
            log_event(_log, logging.INFO, "signed-out", session=session.ref.short)
        else:
            await self._sessions.confirm_end(request)
        await self._sessions.unbind(request)
        return session

    async def frontchannel(self, sids: Sequence[str], issuers: Sequence[str]) -> None:
        """End the sessions of the authority's session, as a request's `sid` and `iss` name it.

        Entra sends `sid` and no `iss`. The caller proves nothing, so nothing is revoked at the authority; what is
        there twice, too long, or of another issuer ends nothing.
        """
        ours = all(issuer == self._issuer for issuer in issuers) and len(issuers) <= 1
        if ours and len(sids) == 1 and 0 < len(sids[0]) <= LONGEST_SID:
            ended = await self._sessions.end_matching(tid=self._tenant, sid=sids[0], reason=_REASON)
            log_event(_log, logging.INFO, "frontchannel-logout", sessions=ended)

    async def backchannel(self, logout_token: str) -> None:
        """End the sessions that the token names; where there are none, nothing is wrong.

        Raises BadRequest when the token is not to be believed or was used before, and AuthorityUnavailable when there
        are no keys to judge it with.
        """
        order = await self._judge.order(logout_token)
        ended = await self._sessions.end_matching(
            tid=self._tenant,
            sid=order.sid,
            sub=order.sub,
            # Their clock says when it was issued, ours when a session began: one that seems a little younger is meant
            # too.
            created_until=order.issued_at + LEEWAY_SECONDS,
            reason=_REASON,
        )
        # Remembered after the deed: a token that met a failing Redis may be delivered again, and one that comes twice
        # ends nothing that began much later than it was issued.
        name = digest_of(self._issuer, order.identifier)
        if not await self._records.note("logout-token", name, ttl=_REMEMBERED_SECONDS):
            raise BadRequest("The logout token was used before.", log_detail="logout token: jti seen before")
        log_event(_log, logging.INFO, "backchannel-logout", sessions=ended)
