"""A flow with its store, its clock, and what stands where the authority does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.flows.access_rules import RowWithScope, rules_of
from gateway.flows.flow import SIGN_IN, STEP_UP, AuthFlow, CompletedFlow
from gateway.flows.flow_record import AuthCodeFlow
from gateway.flows.step_up import ACCEPTED, CHALLENGE, DEMANDED, StepUps
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.fields import Field
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import AuthorizationRequest, Redeemed
from gateway.tokens.id_token import Person
from gateway.tokens.resources import Resource, Resources
from gateway.tokens.token_records import TOKEN
from servicekit.discovery import AuthorityMetadata
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW, begun

ISSUER = "https://login.example.com/tenant/v2.0"
READ, EDIT = Resource("graph", "User.Read"), Resource("edit", "api://x/Edit")
LASTING = RecordKind("lasting", str, survives_step_up=True)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
ADA = Person("a-tenant", "ada", "sub-of-ada", "Ada Lovelace", "ada@example.com", "", {"aud": "x"})
GRACE = replace(ADA, oid="grace", sub="sub-of-grace", name="Grace Hopper")
ANSWER = {"code": "a-code", "state": "a-state"}


@dataclass
class Broker:
    """Stands where the token broker does: writes down what it is asked, and brings what a test says."""

    person: Person = ADA
    oldest: int | None = None
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens elsewhere while a code is redeemed."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    redeemed: list[tuple[dict[str, Any], str, dict[str, str]]] = field(default_factory=list)
    throttled: object = None
    """Whom a 429 would have been about, the last time."""

    async def begin(self, resource: Resource, **wanted: Any) -> AuthorizationRequest:
        """Prepare a request."""
        self.asked.append({"resource": resource, **wanted})
        return AuthorizationRequest("https://authority/", {"state": wanted["state"]}, "a-nonce", self.oldest)

    async def redeem(
        self, flow: dict[str, Any], nonce: str, answer: dict[str, str], *, who: object = None
    ) -> Redeemed:
        """Redeem a code."""
        self.redeemed.append((flow, nonce, answer))
        self.throttled = who
        if self.meanwhile:
            await self.meanwhile()
        return Redeemed(self.person, AccessToken("new", NOW + 600), '{"RefreshToken":{"r":1}}')


class Discovery:
    """Stands where the discovery does, and knows one authority."""

    promises_issuer = False

    async def metadata(self) -> AuthorityMetadata:
        """Return its metadata."""
        return AuthorityMetadata(ISSUER, "", "", "", None, self.promises_issuer)


class Scene:
    """An authentication flow with its store, its clock, and what stands where the authority does."""

    def __init__(
        self, sessions: SessionStore, clock: MovableClock, rows: Sequence[RowWithScope] = ()
    ) -> None:
        self.sessions = sessions
        self.clock = clock
        self.broker = Broker()
        self.cookies: list[SessionCookie] = []
        self.discovery = Discovery()
        resources = Resources(READ, EDIT, (Resource(row.name, row.scope or "") for row in rows))
        self.step_ups = StepUps(now=clock, resources=resources, rules=rules_of(resources, rows))
        broker: Any = self.broker
        discovery: Any = self.discovery
        self.auth = AuthFlow(
            broker,
            sessions,
            self.step_ups,
            discovery,
            (LASTING, TOKEN, CHALLENGE, DEMANDED, ACCEPTED),
            resources=resources,
            now=clock,
            wall=clock,
            new_cookie=self.new_cookie,
        )

    def new_cookie(self, family: str | None) -> SessionCookie:
        """Make the cookie of a session, and write it down."""
        self.cookies.append(SessionCookie.new(family))
        return self.cookies[-1]

    async def complete(self, flow: AuthCodeFlow, **answered: str) -> CompletedFlow:
        """Come back with an answer."""
        return await self.auth.complete(flow, ANSWER | answered, device=FIREFOX)

    async def step_up(
        self, session: LiveSession, *, resource: str = "edit", fresh_since: int | None = None
    ) -> CompletedFlow:
        """Come back from a step-up of a session."""
        flow = stepping_up(session)
        return await self.complete(replace(flow, resource=resource, fresh_since=fresh_since))

    async def begun(self, records: Mapping[str, Field] | None = None, **changed: Any) -> LiveSession:
        """Return a session of Ada's."""
        return await begun(self.sessions, records, **changed)

    async def lives(self, session: LiveSession) -> bool:
        """Tell whether a session is still there."""
        return await self.sessions.load(session.cookie) is not None


def signing_in(session: LiveSession | None = None) -> AuthCodeFlow:
    return AuthCodeFlow({"m": 1}, SIGN_IN, "/edit", "a-nonce", session=session.cookie.text if session else "")


def stepping_up(session: LiveSession) -> AuthCodeFlow:
    return AuthCodeFlow({"m": 1}, STEP_UP, "/edit", "a-nonce", session=session.cookie.text)
