"""Browser sessions at the authority (single sign-on), and flows: one authorize request on its way to an answer.

Owns what is remembered between pages. Decides nothing: ``authority.next_step`` does.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from local_tenant.clock import Clock
from local_tenant.ids import Ids
from local_tenant.pkce import Challenge
from local_tenant.policies import ClaimsRequest, Proof
from local_tenant.refusals import AadstsRefusal
from local_tenant.scopes import RequestedScope

SSO_SECONDS: Final = 24 * 3600
FLOW_SECONDS: Final = 3600


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
    claims_request: ClaimsRequest
    state: str | None = None
    nonce: str | None = None
    challenge: Challenge | None = None
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
class Flow:
    """One person on the way through the pages of one authorize request."""

    id: str
    request: AuthorizeRequest
    expires_at: float
    signed_in_as: str | None = None
    """Who proved within this flow who they are, by password or sign-up: an object id."""
    chosen: bool = False
    """The person chose the account they are signed in with (``prompt=select_account``)."""
    wants_sign_up: bool = False
    wants_sign_in: bool = False
    """The person asked to sign in as someone else."""
    refused: AadstsRefusal | None = None
    """A refusal that was shown as a page; the way back passes it on."""


@dataclass(slots=True)
class Sessions:
    """SSO sessions by cookie, flows by id. In memory: a restart signs everyone out."""

    clock: Clock
    ids: Ids
    sso: dict[str, SsoSession] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

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

    def start_flow(self, request: AuthorizeRequest) -> Flow:
        """Remember an authorize request that needs the person."""
        now = self.clock()
        for stale in [flow.id for flow in self.flows.values() if flow.expires_at <= now]:
            del self.flows[stale]
        flow = Flow(self.ids.opaque(16), request, now + FLOW_SECONDS)
        flow.wants_sign_up = "create" in request.prompt
        self.flows[flow.id] = flow
        return flow

    def flow(self, flow_id: str) -> Flow | None:
        """Return a flow that is still under way."""
        flow = self.flows.get(flow_id)
        return flow if flow and flow.expires_at > self.clock() else None

    def finish(self, flow: Flow) -> None:
        """Forget a flow: it has its answer."""
        self.flows.pop(flow.id, None)
