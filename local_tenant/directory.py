"""Who and what the tenant knows: people, app registrations and their consents. No sessions, no tokens, no HTTP.

Passwords are kept as salted scrypt hashes with a tiny work factor: people do type real ones into sign-up forms,
but this is a stand-in on a laptop, nothing is written to disk, and every reset hashes those of the configured people.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from typing import Final, Literal

from local_tenant.app_registration import AppRegistration
from local_tenant.clock import iso
from local_tenant.refusals import refusal

_FOUNDED: Final = 1_704_067_200.0
"""When the tenant was made, and whoever is in it at start: 2024-01-01."""
GRAPH: Final = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, the same in every tenant."""


@dataclass(frozen=True, slots=True)
class _PasswordHash:
    salt: bytes
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str) -> "_PasswordHash":
        salt = uuid.uuid4().bytes
        return cls(salt, _scrypt(password, salt))

    def matches(self, password: str) -> bool:
        return hmac.compare_digest(self.digest, _scrypt(password, self.salt))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=64, r=8, p=1)


@dataclass(slots=True)
class Person:
    """A person: how they sign in, and what Graph holds about them, version by version."""

    oid: str
    email: str
    password: _PasswordHash = field(repr=False)
    user_principal_name: str
    second_factor: Literal["email", "none"] = "email"
    """Someone whose first factor is the e-mail code can't use it as the second, and so can't pass."""
    enabled: bool = True
    generation: int = 0
    """Counts revocations: a refresh token from an earlier generation is dead (AADSTS50173)."""
    versions: list[tuple[float, dict[str, object]]] = field(default_factory=list)
    """What Graph holds, with the time of each write; the oldest first."""

    def profile(self) -> dict[str, object]:
        """Return the newest version of what Graph holds."""
        return dict(self.versions[-1][1])

    def profile_at(self, moment: float) -> dict[str, object] | None:
        """Return what a replica shows that has seen writes up to ``moment``; None if it doesn't know the person."""
        visible = [values for at, values in self.versions if at <= moment]
        return dict(visible[-1]) if visible else None

    def write(self, changes: dict[str, object], now: float) -> None:
        """Record a write. Not checked here: which fields, which limits; see ``graph_fields``."""
        self.versions.append((now, self.profile() | changes))
        del self.versions[:-50]

    @property
    def name(self) -> str:
        """Return the display name that goes into tokens."""
        return str(self.versions[-1][1].get("displayName") or "unknown")


@dataclass(slots=True)
class Directory:
    """People and applications of one tenant."""

    tenant_id: str
    subdomain: str
    apps: dict[str, AppRegistration] = field(default_factory=dict)
    """By client id in lower case, see ``register``."""
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """Return the tenant's initial domain, which is also an alias of its id in paths."""
        return f"{self.subdomain}.onmicrosoft.com"

    def register(self, app: AppRegistration) -> None:
        """Add an application, or put it in the place of the one with its client id."""
        self.apps[app.client_id.casefold()] = app

    def registered(self, client_id: str) -> AppRegistration | None:
        """Return the application with this client id, in whatever case it is written: it is a GUID."""
        return self.apps.get(client_id.casefold())

    def app(self, client_id: str) -> AppRegistration:
        """Return a registered application. Raises refusal 700016 for any other."""
        if app := self.registered(client_id):
            return app
        raise refusal(700016, client=client_id)

    def api_named(self, uri: str) -> AppRegistration | None:
        """Return the application that a scope's resource part names: an identifier URI or a client id."""
        return next((app for app in self.apps.values() if app.is_named(uri)), None)

    def find(self, email: str) -> Person | None:
        """Return the person with this sign-in address, in whatever case it was typed."""
        return self.people.get(email.strip().casefold())

    def by_oid(self, oid: str) -> Person | None:
        """Return the person with this object id."""
        return next((person for person in self.people.values() if person.oid == oid), None)

    def check_password(self, email: str, password: str) -> Person:
        """Return the person whose password this is. Raises 50126 for a wrong one, 50057 for a disabled account."""
        person = self.find(email)
        if person is None or not person.password.matches(password):
            raise refusal(50126)
        if not person.enabled:
            raise refusal(50057)
        return person

    def add(
        self,
        *,
        oid: str,
        email: str,
        password: str,
        profile: dict[str, object],
        now: float,
        second_factor: Literal["email", "none"] = "email",
        federated_by: str | None = None,
    ) -> Person:
        """Add a person. Not checked here: whether the address is taken, see ``find``."""
        upn = f"{oid}@{self.domain}"
        identity: dict[str, object] = (
            {"signInType": "federated", "issuer": federated_by, "issuerAssignedId": oid}
            if federated_by
            else {"signInType": "emailAddress", "issuer": self.domain, "issuerAssignedId": email}
        )
        identities = [
            identity,
            {"signInType": "userPrincipalName", "issuer": self.domain, "issuerAssignedId": upn},
        ]
        person = Person(
            oid=oid,
            email=email,
            password=_PasswordHash.of(password),
            user_principal_name=upn,
            second_factor=second_factor,
        )
        fixed: dict[str, object] = {
            "id": oid,
            "userPrincipalName": upn,
            "identities": identities,
            "createdDateTime": iso(max(now, _FOUNDED)),
            "mailNickname": oid,
        }
        person.versions.append((now, {**_NOTHING_SET, **profile, **fixed}))
        self.people[email.casefold()] = person
        return person


_NOTHING_SET: Final[dict[str, object]] = {
    **dict.fromkeys(
        (
            *("displayName", "givenName", "surname", "jobTitle", "streetAddress", "city", "state"),
            *("postalCode", "country", "preferredLanguage", "mail", "mobilePhone", "officeLocation"),
        )
    ),
    "businessPhones": (),
    "otherMails": (),
    "accountEnabled": True,
    "creationType": "LocalAccount",
    "userType": "Member",
    "proxyAddresses": (),
    "imAddresses": (),
}
