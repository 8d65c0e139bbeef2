"""What goes into each token: ID token, API access token (v2, or v1 by misconfiguration), Graph token, app token.

Owns claims and lifetimes; ``signing`` owns signatures, ``scopes`` decides which permissions are in them.
Source: Entra, ID token, access token and optional claims references.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Final

from local_tenant.app_registration import AppRegistration
from local_tenant.clock import Clock
from local_tenant.directory import GRAPH, Directory, Person
from local_tenant.ids import Ids
from local_tenant.knobs import Knobs
from local_tenant.ledger import Grant
from local_tenant.scopes import GRAPH_URI, GrantedScope
from local_tenant.signing import Claims, KeyRing

OF_THE_PROFILE: Final = frozenset({"oid", "name", "preferred_username", "given_name", "family_name"})
"""What an ID token says with the scope ``profile`` alone [Entra, ID token and optional claims references]."""
_AZPACR: Final = {"none": "0", "secret": "1", "certificate": "2"}


@dataclass(frozen=True, slots=True)
class AccessContext:
    """What an access token says beyond person and permission."""

    client: AppRegistration
    credential: str
    """How the client proved itself: ``secret`` or ``certificate``."""
    uti: str
    """The token's id, by which the ledger knows its lineage."""
    contexts: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenMint:
    """Writes tokens."""

    clock: Clock
    ids: Ids
    keys: KeyRing
    directory: Directory
    knobs: Knobs

    @property
    def issuer(self) -> str:
        """Return the issuer of an external tenant: the tenant's GUID as host, not its subdomain."""
        tenant = self.directory.tenant_id
        return f"https://{tenant}.ciamlogin.com/{tenant}/v2.0"

    def lifetime(self) -> int:
        """Return an access token's seconds: 60 to 90 minutes at random, as Entra does, unless set."""
        return self.knobs.access_token_seconds or self.ids.between(3600, 5400)

    def subject(self, oid: str, client_id: str) -> str:
        """Return the pairwise ``sub``: the same person is a different subject to each application."""
        digest = hashlib.sha256(f"{self.directory.tenant_id}|{client_id}|{oid}".encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def login_hint(self, person: Person) -> str:
        """Return the opaque value of the ``login_hint`` optional claim."""
        packed = json.dumps([person.oid, self.directory.tenant_id], separators=(",", ":")).encode()
        return f"O.{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}"

    def id_token(
        self,
        client: AppRegistration,
        person: Person,
        grant: Grant,
        nonce: str | None,
        contexts: tuple[str, ...],
        *,
        openid: frozenset[str],
    ) -> Claims:
        """Return the claims of an ID token; optional claims only where the registration asks for them.

        ``openid`` are the OpenID scopes: ``profile`` brings who the person is beyond ``sub``, ``email`` the address.
        """
        claims = {
            **self._common(person, self.knobs.id_token_seconds),
            "iss": self.issuer,
            "aud": client.client_id,
            "sub": self.subject(person.oid, client.client_id),
            "name": person.name,
            "preferred_username": person.email,
            "ver": "2.0",
        }
        if nonce:
            claims["nonce"] = nonce
        if "email" in openid:
            claims["email"] = person.email
        profile = person.profile()
        optional: Claims = {
            "email": person.email,
            "sid": grant.sid,
            "login_hint": self.login_hint(person),
            "auth_time": int(grant.proof.auth_time),
            "acrs": list(contexts) or None,
            "given_name": profile.get("givenName"),
            "family_name": profile.get("surname"),
        }
        names = self.knobs.claims_for(client.client_id, client.optional_claims)
        claims |= {name: optional[name] for name in names if optional.get(name) is not None}
        unseen = frozenset[str]() if "profile" in openid else OF_THE_PROFILE
        return {name: value for name, value in claims.items() if name not in unseen}

    def access_token(
        self, person: Person, grant: Grant, granted: GrantedScope, context: AccessContext, seconds: int
    ) -> str:
        """Return a signed access token for ``granted.resource``."""
        if granted.resource == GRAPH:
            return self._graph_token(person, grant, granted, context, seconds)
        resource = self.directory.app(granted.resource)
        if self.knobs.v1_access_tokens or resource.access_token_version == 1:
            return self._v1_token(person, grant, granted, context, seconds)
        claims = {
            **self._common(person, seconds),
            "uti": context.uti,
            "iss": self.issuer,
            "aud": resource.client_id,
            "sub": self.subject(person.oid, resource.client_id),
            "azp": context.client.client_id,
            "azpacr": _AZPACR[context.credential],
            "name": person.name,
            "preferred_username": person.email,
            "scp": " ".join(granted.scp),
            "ver": "2.0",
        }
        if context.contexts:
            claims["acrs"] = list(context.contexts)
        names = self.knobs.claims_for(resource.client_id, resource.optional_claims)
        if "xms_cc" in names and context.capabilities:
            claims["xms_cc"] = list(context.capabilities)
        if "sid" in names:
            claims["sid"] = grant.sid
        if "auth_time" in names:
            claims["auth_time"] = int(grant.proof.auth_time)
        return self.keys.sign(claims)

    def app_token(self, client: AppRegistration, resource_id: str, credential: str, seconds: int) -> str:
        """Return an application's own token (client credentials): roles, and no person."""
        now = int(self.clock())
        service_principal = self.service_principal(client.client_id)
        claims: Claims = {
            "aud": resource_id,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "azp": client.client_id,
            "azpacr": _AZPACR[credential],
            "idtyp": "app",
            "oid": service_principal,
            "sub": service_principal,
            "tid": self.directory.tenant_id,
            "uti": self.ids.opaque(16),
            "ver": "2.0",
        }
        if client.app_roles:
            claims["roles"] = list(client.app_roles)
        if resource_id == GRAPH:
            return self.keys.sign_for_graph(claims, self.ids.opaque(32))
        return self.keys.sign(claims)

    def logout_token(self, person: Person, sid: str, client_id: str) -> Claims:
        """Return the claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4). Entra sends none."""
        now = int(self.clock())
        return {
            "iss": self.issuer,
            "aud": client_id,
            "iat": now,
            "exp": now + 120,
            "jti": self.ids.guid(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sid": sid,
            "sub": self.subject(person.oid, client_id),
        }

    def service_principal(self, client_id: str) -> str:
        """Return the object id of an application in this tenant, derived from its client id."""
        digest = hashlib.sha256(
            f"{self.directory.tenant_id}|service principal|{client_id}".encode()
        ).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    def _common(self, person: Person, seconds: int) -> Claims:
        now = int(self.clock())
        return {
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "oid": person.oid,
            "tid": self.directory.tenant_id,
            "uti": self.ids.opaque(16),
            "rh": f"1.{self.ids.opaque(24)}.",
            "aio": self.ids.opaque(48),
        }

    def _v1_members(
        self, person: Person, grant: Grant, granted: GrantedScope, context: AccessContext, seconds: int
    ) -> Claims:
        return {
            **self._common(person, seconds),
            "uti": context.uti,
            "iss": f"https://sts.windows.net/{self.directory.tenant_id}/",
            "sub": self.subject(person.oid, granted.resource),
            "acr": "1",
            "amr": ["pwd", "mfa"] if grant.proof.mfa else ["pwd"],
            "appid": context.client.client_id,
            "appidacr": _AZPACR[context.credential],
            "name": person.name,
            "unique_name": person.email,
            "scp": " ".join(granted.scp),
            "ver": "1.0",
        }

    def _v1_token(
        self, person: Person, grant: Grant, granted: GrantedScope, context: AccessContext, seconds: int
    ) -> str:
        resource = self.directory.app(granted.resource)
        audience = next(iter(resource.identifier_uris), resource.client_id)
        claims = {**self._v1_members(person, grant, granted, context, seconds), "aud": audience}
        return self.keys.sign(claims, x5t=self.keys.signing.kid)

    def _graph_token(
        self, person: Person, grant: Grant, granted: GrantedScope, context: AccessContext, seconds: int
    ) -> str:
        claims = {
            **self._v1_members(person, grant, granted, context, seconds),
            "aud": GRAPH_URI,
            "app_displayname": context.client.name,
            "idtyp": "user",
            "upn": person.user_principal_name,
            "xms_tcdt": 1700000000,
            "xms_st": {"sub": self.subject(person.oid, context.client.client_id)},
        }
        return self.keys.sign_for_graph(claims, self.ids.opaque(32))
