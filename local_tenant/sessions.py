"""Browser sessions at the authority (single sign-on), and journeys: one authorize request on its way to an answer.

Owns what is remembered between pages. Decides nothing: ``authority.next_step`` does.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from local_tenant.clock import Clock
from local_tenant.ids import Ids
from local_tenant.policies import ClaimsRequest, Proof
from local_tenant.refusals import Refusal
from local_tenant.scopes import RequestedScope

SSO_SECONDS: Final = 24 * 3600
JOURNEY_SECONDS: Final = 3600


@dataclass(slots=True)
class SsoSession:
    """Someone is signed in at the authority in one browser."""

    handle: str = field(repr=False)
    """The cookie's value."""
    sid: str
    """Known to applications: ``session_state`` at sign-in, ``sid`` in front-channel logout."""
    oid: str
    proof: Proof
    expires_at: float
    clients: list[str] = field(default_factory=list)
    """Applications that got a code in this session, in order; each hears of the sign-out."""


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """A valid authorize request, understood."""

    client_id: str
    redirect_uri: str
    response_mode: str
    requested: RequestedScope
    wanted: ClaimsRequest
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str = "plain"
    prompt: frozenset[str] = frozenset()
    login_hint: str | None = None
    max_age: int | None = None
    client_info: bool = False

    @property
    def redirect_origin(self) -> str:
        """Return the origin that the answer goes to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(slots=True)
class Journey:
    """One person on the way through the pages of one authorize request."""

    id: str
    request: AuthorizeRequest
    expires_at: float
    signed_in_as: str | None = None
    """Who proved within this journey who they are, by password or sign-up: an object id."""
    chosen: bool = False
    """The person chose the account they are signed in with (``prompt=select_account``)."""
    wants_sign_up: bool = False
    wants_sign_in: bool = False
    """The person asked to sign in as someone else."""
    refused: Refusal | None = None
    """A refusal that was shown as a page; the way back passes it on."""


@dataclass(slots=True)
class Sessions:
    """SSO sessions by cookie, journeys by id. In memory: a restart signs everyone out."""

    clock: Clock
    ids: Ids
    sso: dict[str, SsoSession] = field(default_factory=dict)
    journeys: dict[str, Journey] = field(default_factory=dict)

    def current(self, handle: str | None) -> SsoSession | None:
        """Return the live session of a cookie."""
        session = self.sso.get(handle or "")
        if session and session.expires_at <= self.clock():
            del self.sso[session.handle]
            return None
        return session

    def sign_in(self, previous: SsoSession | None, oid: str) -> SsoSession:
        """Return the session after a password was right.

        The same person keeps the session and its ``sid``, and a second factor stays remembered; another person gets
        a new one.
        """
        now = self.clock()
        if previous and previous.oid == oid:
            previous.proof = Proof(auth_time=now, mfa_time=previous.proof.mfa_time)
            return previous
        if previous:
            self.sso.pop(previous.handle, None)
        session = SsoSession(self.ids.opaque(), self.ids.guid(), oid, Proof(now), now + SSO_SECONDS)
        self.sso[session.handle] = session
        return session

    def second_factor_given(self, session: SsoSession) -> None:
        """Remember that the person gave a second factor just now."""
        session.proof = Proof(session.proof.auth_time, self.clock())

    def end(self, session: SsoSession) -> None:
        """Forget a session."""
        self.sso.pop(session.handle, None)

    def of_person(self, oid: str) -> list[SsoSession]:
        """Return every session of one person."""
        return [session for session in self.sso.values() if session.oid == oid]

    def start_journey(self, request: AuthorizeRequest) -> Journey:
        """Remember an authorize request that needs the person."""
        now = self.clock()
        for stale in [journey.id for journey in self.journeys.values() if journey.expires_at <= now]:
            del self.journeys[stale]
        journey = Journey(self.ids.opaque(16), request, now + JOURNEY_SECONDS)
        journey.wants_sign_up = "create" in request.prompt
        self.journeys[journey.id] = journey
        return journey

    def journey(self, journey_id: str) -> Journey | None:
        """Return a journey that is still under way."""
        journey = self.journeys.get(journey_id)
        return journey if journey and journey.expires_at > self.clock() else None

    def finish(self, journey: Journey) -> None:
        """Forget a journey: it has its answer."""
        self.journeys.pop(journey.id, None)
