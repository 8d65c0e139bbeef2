"""The tenant as one value: directory, policies, sessions, ledger, inbox, keys, knobs, faults. Decides nothing itself.

``reset`` makes everything as it was at start, except that keys stay: others have cached them.
"""

from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from local_tenant.clock import OffsetClock
from local_tenant.configuration import Configuration, PersonSection
from local_tenant.directory import Directory, Person
from local_tenant.faults import Faults
from local_tenant.forgery import Order, Variant
from local_tenant.ids import Ids
from local_tenant.inbox import Inbox
from local_tenant.journal import Journal
from local_tenant.knobs import Knobs
from local_tenant.ledger import Ledger
from local_tenant.policies import ConditionalAccessPolicy, Policies
from local_tenant.sessions import Sessions
from local_tenant.signing import KeyRing
from local_tenant.tokens import TokenMint


@dataclass(slots=True)
class Tenant:
    """Everything that handlers need; the parts are made anew by ``reset``."""

    configuration: Configuration
    public_url: str
    clock: OffsetClock
    ids: Ids
    keys: KeyRing
    knobs: Knobs = field(init=False)
    directory: Directory = field(init=False)
    policies: Policies = field(init=False)
    sessions: Sessions = field(init=False)
    ledger: Ledger = field(init=False)
    inbox: Inbox = field(init=False)
    mint: TokenMint = field(init=False)
    faults: Faults = field(init=False)
    journal: Journal = field(init=False)
    forgery: Order | None = field(init=False, default=None)
    """ID tokens to forge, on order."""
    impostors: list[str] = field(init=False, default_factory=list)
    """Addresses of the people as whom the next codes are issued, whoever signed in."""

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened since the start."""
        self.clock.offset = 0.0
        self.keys.repair()
        self.knobs = Knobs()
        self.directory = self._furnished()
        for person in self.configuration.people:
            self.admit(person, since=0.0)  # long ago: every replica has seen them
        self.policies = Policies(
            {
                policy.target.casefold(): ConditionalAccessPolicy(
                    **{"id": self.ids.guid(), **policy.model_dump()}
                )
                for policy in self.configuration.policies
            }
        )
        self.sessions = Sessions(self.clock, self.ids)
        self.ledger = Ledger(self.clock, self.ids, self.knobs)
        self.inbox = Inbox(self.clock, self.ids)
        self.mint = TokenMint(self.clock, self.ids, self.keys, self.directory, self.knobs)
        self.faults = Faults()
        self.journal = Journal()
        self.forgery = None
        self.impostors = []

    def _furnished(self) -> Directory:
        configuration = self.configuration
        directory = Directory(configuration.tenant.id, configuration.tenant.subdomain)
        for app in configuration.apps:
            directory.register(app)
        return directory

    def admit(self, person: PersonSection, since: float | None = None) -> Person:
        """Add a person as a configuration describes them."""
        return self.directory.add(
            oid=person.id,
            email=person.email,
            password=person.password,
            profile=person.profile.model_dump(),
            now=self.clock() if since is None else since,
            second_factor=person.second_factor,
            federated_by=person.federated_by,
        )

    def turn(self, knobs: Knobs) -> None:
        """Set every knob at once; whoever holds the knobs sees it."""
        for name in Knobs.model_fields:
            setattr(self.knobs, name, getattr(knobs, name))
        self.clock.offset = knobs.clock_offset_seconds

    def take_forgery(self) -> Variant | None:
        """Return how the next ID token is to be forged, and count it."""
        order = self.forgery
        if order is None:
            return None
        order.times -= 1
        if not order.times:
            self.forgery = None
        return order.variant

    @property
    def host(self) -> str:
        """Return the host of the tenant's authority, as services see it."""
        return f"https://{self.directory.subdomain}.ciamlogin.com"


TENANT: Final = web.AppKey("tenant", Tenant)
ADMIN: Final = web.AppKey("admin", bool)
"""Whether the admin surface is on."""
