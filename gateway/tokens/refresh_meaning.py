"""What a refused refresh means to the person and to the session.

Owns which refusals end a session, which ask the person, and which are an administrator's or nobody's fault.
Never asks the authority, and never decides whether a refusal is told at all: a token that lives may be used meanwhile.
"""

import logging
from typing import Final

from gateway import errors
from gateway.demand import Demand
from gateway.session.sessions import LiveSession, SessionStore
from gateway.tokens.refresh_request import RefreshRefused
from gateway.tokens.resources import GRAPH, Resource
from servicekit.errors import AccessBlocked, AuthorityUnavailable, Misconfigured
from servicekit.logs import log_event
from servicekit.problems import ProblemError
from servicekit.refusals import Refusal, RefusalKind

LONGEST_PAUSE: Final = 60
NOT_RENEWABLE: Final = "not_renewable"
"""What a refusal is called that we gave ourselves: there is nothing to renew tokens with."""
_NO_GRANT: Final = "no_grant"
_PAUSE_SECONDS: Final = 5

_log = logging.getLogger(__name__)


async def meaning_of(
    refused: RefreshRefused, session: LiveSession, resource: Resource, sessions: SessionStore
) -> ProblemError:
    """Return what to raise; a dead grant ends the session."""
    refusal = refused.refusal
    if refusal.kind is RefusalKind.UNAVAILABLE:
        wait = min(refused.seconds, LONGEST_PAUSE) or _PAUSE_SECONDS
        return AuthorityUnavailable(str(refusal) or refusal.error, retry_after=max(1, round(wait)))
    if refusal.kind is RefusalKind.GRANT_DEAD:
        return await _of_dead_grant(refusal, session, resource, sessions)
    if refusal.kind is RefusalKind.INTERACTION:
        return errors.StepUpRequired(Demand(resource.scope, claims=refusal.claims), cause=str(refusal))
    return of_administration(refusal)


async def _of_dead_grant(
    refusal: Refusal, session: LiveSession, resource: Resource, sessions: SessionStore
) -> ProblemError:
    if refusal.error == _NO_GRANT:
        # The session has ended meanwhile; or its cache is sealed by a key that another gateway has and we have not, as
        # while keys change, and then the session is not ours to end.
        return errors.SignInRequired(await session.records.end_reason() or "expired")
    if refusal.error == NOT_RENEWABLE and resource.name != GRAPH:
        # Reading may go on; the person brings the next token for anything else.
        return errors.StepUpRequired(Demand(resource.scope), cause="there is nothing to renew the token with")
    reason = "expired" if refusal.error == NOT_RENEWABLE else "revoked"
    await sessions.end(session, reason)
    log_event(_log, logging.INFO, "grant-dead", refusal=str(refusal), session=session.ref.short)
    # A step-up of another tab may have replaced the session meanwhile, and this one may try again with it.
    return errors.SignInRequired(await session.records.end_reason() or reason)


def of_administration(refusal: Refusal) -> ProblemError:
    """Return what a refusal is that no sign-in of this person would change now."""
    if refusal.kind is RefusalKind.BLOCKED:
        return AccessBlocked(log_detail=str(refusal))
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(str(refusal))
    return Misconfigured(log_detail=f"the authority refuses our token requests: {refusal}")
