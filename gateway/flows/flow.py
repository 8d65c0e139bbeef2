"""What happens between leaving for the authority and coming back.

Owns the two ends of a flow: what is remembered when it begins, and what a redeemed answer does to sessions: a new
one at sign-in, a new id for the same person at step-up, nothing at all when anything is wrong.
Never reads a request and never redirects (`endpoints/auth.py`), and never writes a session (`session_start.py`).
"""

import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway import errors
from gateway.audit.origin import about
from gateway.edge.devices import device_name
from gateway.flows.authorization_response import check_issuer, refused
from gateway.flows.confirmations import confirmations_of, members_after
from gateway.flows.flow_record import AuthCodeFlow
from gateway.flows.login_hint import login_hint
from gateway.flows.session_start import SessionStarts
from gateway.flows.step_up import StepUps
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.tokens.broker import Redeemed, TokenBroker
from gateway.tokens.resources import EDIT, GRAPH, Resource, Resources
from gateway.tokens.token_records import GRANTED
from servicekit.answer_ids import ids_of_text
from servicekit.discovery import Discovery
from servicekit.jwt_claims import LEEWAY_SECONDS, authentication_time
from servicekit.jwt_form import TokenRejected
from servicekit.logs import log_event
from servicekit.reference import current_reference

SIGN_IN: Final = "sign-in"
SIGN_UP: Final = "sign-up"
STEP_UP: Final = "step-up"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CompletedFlow:
    """Where a flow ended: the session that the browser gets, and the page to go to.

    `session` is None where another tab's step-up came first: the browser has what that one brought. `upstream` is the
    name of the row that a step-up was for, if it was for one; of several with one scope the first.
    """

    session: LiveSession | None
    return_to: str
    upstream: str = ""


class AuthFlow:
    """Begins and completes flows; of `resources`, a sign-in asks for reading, and a step-up for any one.

    `wall` is the wall clock in seconds, by which the authority's times are judged, and `leeway_seconds` how far the
    authority's may differ from it; `now` is Redis' clock, by which all is dated that is kept. `new_cookie` makes the
    cookie of a session, of a family where that goes on.
    """

    def __init__(
        self,
        broker: TokenBroker,
        sessions: SessionStore,
        step_ups: StepUps,
        discovery: Discovery,
        kinds: Sequence[RecordKind[Any]],
        *,
        resources: Resources,
        now: Callable[[], float],
        wall: Callable[[], float],
        leeway_seconds: int = LEEWAY_SECONDS,
        new_cookie: Callable[[str | None], SessionCookie] = SessionCookie.new,
    ) -> None:
        self._broker = broker
        self._sessions = sessions
        self._step_ups = step_ups
        self._discovery = discovery
        self._starts = SessionStarts(sessions, kinds, now=now, new_cookie=new_cookie)
        self._resources = resources
        self._wall = wall
        self._leeway = leeway_seconds

    async def begin(
        self, purpose: str, return_to: str, session: LiveSession | None
    ) -> tuple[str, AuthCodeFlow]:
        """Begin sign-in or sign-up; return the authorize URL and the flow to keep.

        A session that the browser has meanwhile ends when the flow succeeds.
        """
        request = await self._broker.begin(
            self._resources.read,
            state=secrets.token_urlsafe(32),
            prompt="create" if purpose == SIGN_UP else None,
        )
        flow = AuthCodeFlow(
            request.msal_flow,
            purpose,
            return_to,
            request.nonce,
            session=session.cookie.text if session else "",
            begun_by=current_reference(),
        )
        return request.authorize_url, flow

    async def begin_step_up(
        self, session: LiveSession, return_to: str, *, challenge: str | None, action: str | None = None
    ) -> tuple[str, AuthCodeFlow]:
        """Begin the step-up that meets `challenge`, or one up front for `action` when it is None or forgotten.

        Without either it is for editing. Raises NotFound where nothing has the name of the action.
        """
        demand = await self._step_ups.demand(session, challenge, action)
        resource = self._resources.of_scope(demand.scope)
        request = await self._broker.begin(
            resource,
            beside=await self._reached_beside(resource, session),
            state=secrets.token_urlsafe(32),
            login_hint=login_hint(session.user.claims),
            demand=demand,
        )
        flow = AuthCodeFlow(
            request.msal_flow,
            STEP_UP,
            return_to,
            request.nonce,
            session=session.cookie.text,
            resource=resource.key if resource.key in {GRAPH, EDIT} else None,
            upstream="" if resource.key in {GRAPH, EDIT} else resource.key,
            fresh_since=None if request.oldest is None else int(await self._sessions.time()) - request.oldest,
            begun_by=current_reference(),
        )
        return request.authorize_url, flow

    async def complete(
        self, flow: AuthCodeFlow, answer: dict[str, str], *, device: str, network: str = ""
    ) -> CompletedFlow:
        """Judge whose answer it is, redeem it, and start the session that follows from it.

        Where the authority asks to be left alone, that is about the session that asked for a step-up; at sign-in,
        about the `network` that the answer came from.

        Raises AuthFlowRejected, SignInRequired (the session that asked for step-up has ended), AccessBlocked,
        Misconfigured, AuthorityUnavailable, SessionStoreUnavailable. Unless it returns, sessions are as before.
        """
        check_issuer(await self._discovery.metadata(), answer.get("iss"))
        description = answer.get("error_description", "")
        log_event(
            _log,
            logging.INFO,
            "authorization-response",
            purpose=flow.purpose,
            outcome="refused" if "error" in answer else "granted",
            begun_by=flow.begun_by,
            ids=ids_of_text(description) or None,
        )
        if "error" in answer:
            if flow.purpose == STEP_UP:
                with contextlib.suppress(errors.SessionStoreUnavailable):
                    await self._before(flow)  # whose it was, for the audit trail
            raise refused(
                answer["error"],
                description,
                answer.get("error_subcode", ""),
                stepping_up=flow.purpose == STEP_UP,
            )
        if flow.purpose == STEP_UP:
            resource = self._resource(flow)
            session = await self._confirm(flow, answer, resource)
            return CompletedFlow(session, flow.return_to, resource.name if flow.upstream else "")
        return CompletedFlow(await self._sign_in(flow, answer, device, network), flow.return_to)

    async def _reached_beside(self, resource: Resource, session: LiveSession) -> list[Resource]:
        """Return what the session's refresh token reached so far, and must reach after the step-up as well.

        Where the authority did not say what it reaches: what the person signed in and has confirmed for.
        """
        granted = await session.records.get(GRANTED)
        confirmed = confirmations_of(session.user)
        return [
            one
            for one in self._resources
            if one != resource
            and (
                one == self._resources.read
                or (one.key in confirmed if granted is None else one.scope in granted)
            )
        ]

    async def _sign_in(
        self, flow: AuthCodeFlow, answer: dict[str, str], device: str, network: str
    ) -> LiveSession:
        before = await self._before(flow)
        redeemed = await self._redeem(flow, answer, who=network or None)
        user = _user(
            redeemed, answer, created_at=int(await self._sessions.time()), device=device_name(device)
        )
        session = await self._starts.after_sign_in(user, redeemed, self._resources.read, before)
        if session is None:
            raise errors.SignInRequired("expired")
        log_event(_log, logging.INFO, "signed-in", session=session.ref.short)
        return session

    async def _confirm(
        self, flow: AuthCodeFlow, answer: dict[str, str], resource: Resource
    ) -> LiveSession | None:
        before = await self._before(flow, everything=True)
        if before is None:
            await self._overtaken(flow)
            return None
        in_vain = await self._step_ups.in_vain_after(before, resource)
        redeemed = await self._redeem(flow, answer, who=before.ref.family)
        now = await self._sessions.time()
        if flow.fresh_since is not None:
            self._check_freshness(redeemed, longest=now - flow.fresh_since)
        fresh = _user(redeemed, answer, created_at=before.user.created_at, device=before.user.device)
        if not fresh.is_same_person(before.user):
            log_event(_log, logging.WARNING, "step-up-by-another", session=before.ref.short)
            raise errors.DifferentPerson
        confirmed = members_after(before.user, resource, at=int(now), in_vain=in_vain)
        user = fresh.model_copy(update={**confirmed, "sid": fresh.sid or before.user.sid})
        session = await self._starts.after_step_up(
            user, redeemed, resource, before, is_too_wide=self._opens_others(flow, resource)
        )
        if session is None:
            await self._overtaken(flow)
            return None
        log_event(_log, logging.INFO, "stepped-up", session=session.ref.short)
        return session

    async def _overtaken(self, flow: AuthCodeFlow) -> None:
        """Let a tab go on whose session another tab's step-up has replaced; raise SignInRequired for every other end.

        The browser holds the successor's cookie, which says what it may do; this flow adds nothing to it.
        """
        cookie = SessionCookie.parse(flow.session)
        why = await self._sessions.why_ended(cookie) if cookie else None
        if why != "rotated":
            raise errors.SignInRequired(why)

    async def _before(self, flow: AuthCodeFlow, *, everything: bool = False) -> LiveSession | None:
        cookie = SessionCookie.parse(flow.session)
        before = await self._sessions.load(cookie, everything=everything) if cookie else None
        if before and flow.purpose == STEP_UP:
            about(before.subject)
        return before

    async def _redeem(self, flow: AuthCodeFlow, answer: dict[str, str], *, who: object) -> Redeemed:
        return await self._broker.redeem(flow.msal, flow.nonce, answer, who=who)

    def _check_freshness(self, redeemed: Redeemed, *, longest: float) -> None:
        """Refuse a confirmation that is older than `longest` (s), where the ID token tells; Entra's may.

        How old it is, the authority's clock and ours say; how long the flow took, Redis'.
        """
        now = self._wall()
        try:
            confirmed_at = authentication_time(redeemed.person.claims, latest=now + self._leeway)
        except TokenRejected as rejected:
            raise errors.SignInFailed(log_detail=f"ID token: {rejected}") from rejected
        if confirmed_at is not None and now - confirmed_at > longest + self._leeway:
            raise errors.SignInFailed(log_detail="the confirmation is older than the flow that asked for it")

    def _opens_others(self, flow: AuthCodeFlow, resource: Resource) -> bool:
        """Tell whether the token that a flow brings opens somebody else's resource beside its own.

        Reading and editing the profile are both ours.
        """
        profile = (self._resources.read, self._resources.edit)
        ours = profile if resource in profile else (resource,)
        asked = flow.msal.get("scope", ())
        return any(one.scope in asked for one in self._resources if one not in ours)

    def _resource(self, flow: AuthCodeFlow) -> Resource:
        """Return what a step-up was for; raises SignInExpired for an upstream that is no longer there, or not yet."""
        resource = self._resources.of_key(flow.upstream or flow.resource or EDIT)
        if resource is None:
            raise errors.SignInExpired(log_detail="the step-up was for a scope that no upstream has here")
        return resource


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
        device=device,
        created_at=created_at,
        claims=person.claims,
    )
