"""An application as the tenant's administrator registered it: addresses by platform, secrets, consent.

Values and what can be told from them. Who may have which token is decided elsewhere.
Source: Entra, "Redirect URI (reply URL) restrictions and limitations"; platform configurations of app registrations.
"""

import re
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from local_tenant.signing import read_certificate

OptionalClaim = Literal[
    "email", "sid", "login_hint", "auth_time", "acrs", "given_name", "family_name", "xms_cc"
]
Platform = Literal["web", "spa", "native"]
"""What kind of client a redirect URI belongs to; Entra's portal says Web, Single-page application, and Mobile and
desktop applications."""

_ON_LOCALHOST: Final = re.compile(r"\Ahttp://localhost(:[0-9]{1,5})?(?=[/?]|\Z)")


class Secret(BaseModel):
    """A client secret; expired ones stay registered so that the refusal can say so (AADSTS7000222)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: str = Field(min_length=1, repr=False)
    expires_at: AwareDatetime | None = None


class FederatedCredential(BaseModel):
    """Whose tokens prove the application in place of a secret: workload identity federation."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"
    certificate: str
    """Of the issuer's key, PEM; Entra fetches the issuer's key set instead."""

    @field_validator("certificate")
    @classmethod
    def _public_certificate(cls, pem: str) -> str:
        read_certificate(pem)
        return pem


class AppRegistration(BaseModel):
    """An application as the tenant's administrator registered it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    client_id: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    """Of the web platform: the client proves itself."""
    spa_redirect_uris: tuple[str, ...] = ()
    """Of single-page applications: no secret, PKCE, and tokens for cross-origin requests of these addresses alone."""
    native_redirect_uris: tuple[str, ...] = ()
    """Of mobile and desktop applications: no secret."""
    frontchannel_logout_uri: str | None = None
    secrets: tuple[Secret, ...] = ()
    certificates: tuple[str, ...] = ()
    """Public certificates in PEM."""
    federated_credentials: tuple[FederatedCredential, ...] = ()
    consent: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What an administrator granted: resource application id to scopes. People can't consent in external tenants."""
    identifier_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    access_token_version: Literal[1, 2] = 2
    """``accessTokenAcceptedVersion``: 1 is the misconfiguration that Entra starts out with."""
    optional_claims: tuple[OptionalClaim, ...] = ()
    """Off by default, as in Entra, so that nothing quietly depends on them."""
    app_roles: tuple[str, ...] = ()
    """Roles granted to this application itself, for client credentials."""

    @field_validator("redirect_uris", "spa_redirect_uris", "native_redirect_uris")
    @classmethod
    def _plain_http_only_at_home(cls, uris: tuple[str, ...]) -> tuple[str, ...]:
        for uri in uris:
            parts = urlsplit(uri)
            if parts.scheme != "https" and not (
                parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"}
            ):
                raise ValueError(f"redirect URI {uri!r} must be https, or http on localhost")
            if parts.fragment:
                raise ValueError(f"redirect URI {uri!r} must not have a fragment")
        return uris

    @field_validator("certificates")
    @classmethod
    def _public_certificates(cls, certificates: tuple[str, ...]) -> tuple[str, ...]:
        for pem in certificates:
            read_certificate(pem)
        return certificates

    def platform_of(self, uri: str) -> Platform | None:
        """Return the platform under which ``uri`` is registered; None where it isn't.

        Exact and case-sensitive, but any port on ``http://localhost``; of two such, the one with the right port.
        """
        registered: tuple[tuple[Platform, str], ...] = (
            *(("web", known) for known in self.redirect_uris),
            *(("spa", known) for known in self.spa_redirect_uris),
            *(("native", known) for known in self.native_redirect_uris),
        )
        exact = (platform for platform, known in registered if uri == known)
        near = (platform for platform, known in registered if _same_but_for_port(uri, known))
        return next(exact, None) or next(near, None)

    @property
    def is_public(self) -> bool:
        """Tell whether some requests of the application come without a credential."""
        return bool(self.spa_redirect_uris or self.native_redirect_uris)

    def serves_origin(self, origin: str) -> bool:
        """Tell whether pages of ``origin`` are a single-page application of this registration."""
        return any(
            origin == _origin(uri) or _same_but_for_port(origin, _origin(uri))
            for uri in self.spa_redirect_uris
        )

    def granted(self, resource: str) -> tuple[str, ...]:
        """Return what an administrator granted of a resource, in whatever case its id was written."""
        for name, scopes in self.consent.items():
            if name.casefold() == resource.casefold():
                return scopes
        return ()

    def is_named(self, name: str) -> bool:
        """Tell whether the resource part of a scope names this application: by client id or an identifier URI."""
        return name.casefold() in {known.casefold() for known in (self.client_id, *self.identifier_uris)}


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _same_but_for_port(uri: str, registered: str) -> bool:
    # As text, because taking a URI apart forgives what is not the same: upper case, an empty query.
    return bool(_ON_LOCALHOST.match(registered)) and _without_port(uri) == _without_port(registered)


def _without_port(uri: str) -> str:
    return _ON_LOCALHOST.sub("http://localhost", uri)
