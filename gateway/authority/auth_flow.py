"""What happens between leaving for the authority and coming back.

Owns the two ends of a journey: what is remembered when it begins, and what a redeemed answer does to sessions: a new
one at sign-in, a new id for the same person at step-up, nothing at all when anything is wrong.
Never reads a request and never redirects; `auth.py` does both.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway import errors
from gateway.authority.flows import AuthCodeFlow
from gateway.authority.step_up import StepUps
from gateway.authority.token_records import CACHE, Resource, TokenRecords
from gateway.authority.tokens import Redeemed, TokenBroker
from gateway.failpoints import Failpoints
from gateway.profile.edits import ProfileEdits
from gateway.session.devices import device_name
from gateway.session.session_cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.redis_budget import redis_budget
from gateway.store.session_fields import Field
from gateway.store.vault import Overtaken
from servicekit.logs import log_event

SIGN_IN: Final = "sign-in"
SIGN_UP: Final = "sign-up"
STEP_UP: Final = "step-up"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a journey ended: the session that now is, and the page to go to."""

    session: LiveSession
    return_to: str


class AuthFlow:
    """Begins and completes journeys; `read` and `edit` are the resources that sign-in and step-up ask for."""

    def __init__(
        self,
        broker: TokenBroker,
        sessions: SessionStore,
        step_ups: StepUps,
        edits: ProfileEdits,
        *,
        read: Resource,
        edit: Resource,
        now: Callable[[], float],
        failpoints: Failpoints | None = None,
    ) -> None:
        self._failpoints = failpoints or Failpoints()
        self._broker = broker
        self._sessions = sessions
        self._step_ups = step_ups
        self._edits = edits
        self._read = read
        self._edit = edit
        self._now = now

    async def begin(
        self, purpose: str, return_to: str, session: LiveSession | None
    ) -> tuple[str, AuthCodeFlow]:
        """Begin sign-in or sign-up; return the authorize URL and the journey to keep.

        A session that the browser has meanwhile ends when the journey succeeds.
        """
        departure = await self._broker.begin(
            self._read,
            state=secrets.token_urlsafe(32),
            prompt="create" if purpose == SIGN_UP else None,
        )
        flow = AuthCodeFlow(
            departure.msal_flow,
            purpose,
            return_to,
            departure.nonce,
            session=session.cookie.text if session else "",
        )
        return departure.authorize_url, flow

    async def begin_step_up(
        self, session: LiveSession, return_to: str, *, challenge: str | None
    ) -> tuple[str, AuthCodeFlow]:
        """Begin the step-up that meets `challenge`, or one up front for editing when it is None or forgotten."""
        kept = await self._step_ups.challenge(session, challenge) if challenge else None
        met = kept or self._step_ups.up_front(session)
        departure = await self._broker.begin(
            self._read if met.scope == self._read.scope else self._edit,
            beside=self._read,
            state=secrets.token_urlsafe(32),
            login_hint=session.user.login_hint or None,
            demand=met,
        )
        flow = AuthCodeFlow(
            departure.msal_flow,
            STEP_UP,
            return_to,
            departure.nonce,
            session=session.cookie.text,
            fresh_since=None if departure.oldest is None else int(self._now()) - departure.oldest,
        )
        return departure.authorize_url, flow

    async def complete(self, flow: AuthCodeFlow, answer: dict[str, str], *, device: str) -> Arrival:
        """Redeem the authority's answer and start the session that follows from it.

        Raises AuthFlowRejected, SignInRequired (the session that asked for step-up is gone), AccessBlocked,
        Misconfigured, AuthorityUnavailable, SessionStoreUnavailable. Unless it returns, sessions are as before.
        """
        await self._failpoints.reach("flow-taken")
        before = await self._before(flow)
        redeemed = await self._broker.redeem(flow.msal, flow.nonce, answer)
        await self._failpoints.reach("person-judged")
        if flow.purpose == STEP_UP:
            if before is None:
                raise errors.SignInRequired("expired")
            session = await self._confirm(flow, before, redeemed, answer)
        else:
            session = await self._sign_in(before, redeemed, answer, device)
        return Arrival(session, flow.return_to)

    async def _before(self, flow: AuthCodeFlow) -> LiveSession | None:
        cookie = SessionCookie.parse(flow.session)
        return await self._sessions.load(cookie) if cookie else None

    async def _sign_in(
        self, before: LiveSession | None, redeemed: Redeemed, answer: dict[str, str], device: str
    ) -> LiveSession:
        now = int(self._now())
        user = _user(redeemed, answer, created_at=now, device=device)
        session = await self._start(user, redeemed, self._read, cookie=SessionCookie.new())
        if before is not None:
            await self._end_before(before, "replaced")
        log_event(_log, logging.INFO, "signed-in", session=session.ref.short)
        return session

    async def _confirm(
        self, flow: AuthCodeFlow, before: LiveSession, redeemed: Redeemed, answer: dict[str, str]
    ) -> LiveSession:
        now = int(self._now())
        fresh = _user(redeemed, answer, created_at=before.user.created_at, device="").model_copy(
            update={"device": before.user.device}
        )
        _check_freshness(redeemed, flow.fresh_since)
        if not fresh.is_same_person(before.user):
            log_event(_log, logging.WARNING, "step-up-by-another", session=before.ref.short)
            raise errors.DifferentPerson
        user = fresh.model_copy(
            update={
                "last_mfa_at": now,
                "step_ups_in_vain": await self._step_ups.in_vain_after(before),
                "sid": fresh.sid or before.user.sid,
            }
        )
        session = await self._start(
            user, redeemed, self._edit, cookie=SessionCookie.new(before.cookie.family), before=before
        )
        log_event(_log, logging.INFO, "stepped-up", session=session.ref.short)
        return session

    async def _start(
        self,
        user: UserSession,
        redeemed: Redeemed,
        resource: Resource,
        *,
        cookie: SessionCookie,
        before: LiveSession | None = None,
    ) -> LiveSession:
        """Write session, token and cache in one step; the cache of before is dropped with its weaker tokens.

        Tried again when Redis stumbles, as the code is spent, and when another tab has parked an edit meanwhile.
        """
        name, token = TokenRecords.token_field(resource, redeemed.token)
        # The vault drops the cache with its session; any later limit would do.
        cache = TokenRecords.cache_field(redeemed.cache, self._now() + _LONGEST_SESSION)
        own = {name: token, CACHE: cache}
        with redis_budget(_STARTING_SECONDS):
            session = await self._started(user, own, cookie, before)
            await self._failpoints.reach("session-started")
            if before:
                await self._end_before(before, "rotated")
        return session

    async def _end_before(self, before: LiveSession, reason: str) -> None:
        """End what the browser is about to forget; the new session is there, so failing now would lose it."""
        try:
            await self._sessions.end(before, reason)
        except errors.SessionStoreUnavailable:
            log_event(_log, logging.WARNING, "session-before-not-ended", session=before.ref.short)

    async def _started(
        self, user: UserSession, own: dict[str, Field], cookie: SessionCookie, before: LiveSession | None
    ) -> LiveSession:
        for pause in (0.05, 0.2, 0.8, None):
            try:
                carried, mark = await self._edits.carried_over(before) if before else ({}, b"")
                session = await self._sessions.start(
                    user,
                    {**carried, **own},
                    cookie=cookie,
                    replaces=before.ref if before else None,
                    mark=mark,
                )
            except (errors.SessionStoreUnavailable, Overtaken) as error:
                if pause is None:
                    raise errors.SessionStoreUnavailable(type(error).__name__) from error
                await asyncio.sleep(pause)
            else:
                if session is None:
                    raise errors.SignInRequired("expired")
                return session
        raise AssertionError  # the last pause is None


_LONGEST_SESSION: Final = 604_800
_STARTING_SECONDS: Final = 3.0
_SKEW_SECONDS: Final = 120


def _check_freshness(redeemed: Redeemed, since: int | None) -> None:
    """Refuse a confirmation of before the journey, where the ID token tells; Entra tells only if configured to."""
    told = redeemed.person.claims.get("auth_time")
    if since is not None and isinstance(told, int) and told < since - _SKEW_SECONDS:
        raise errors.SignInFailed(log_detail="the confirmation is older than the journey that asked for it")


def _user(redeemed: Redeemed, answer: dict[str, str], *, created_at: int, device: str) -> UserSession:
    person = redeemed.person
    return UserSession(
        tid=person.tid,
        oid=person.oid,
        sub=person.sub,
        name=person.name,
        username=person.username,
        # Entra gives no `sid` claim unless configured; its `session_state` is the `sid` of front-channel logout.
        sid=person.sid or answer.get("session_state", "")[:128],
        login_hint=person.login_hint,
        device=device_name(device),
        created_at=created_at,
        claims=person.claims,
    )
