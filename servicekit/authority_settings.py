"""What both services are told: whose people or tokens count, how to prove oneself, and where things are.

Owns these settings' forms, their defaults, and what is wrong between them; each service adds its own by subclassing.
Never reads the environment (`servicekit.settings_faults` does), and never says which issuer is believed: the gateway
names it after the tenant's id where there is one, the resource API takes `authority` to the letter.
docs/explanation/decisions/2026-11-26-one-rule-for-settings.md says why the rules are what they are.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from servicekit import setting_forms as forms
from servicekit.address_map import AddressMap
from servicekit.authority_faults import (
    SHORTEST_SECRET,
    faults_of_authority,
    faults_of_credential,
    names_a_stand_in,
)
from servicekit.client_credential import CredentialSource, credential_source
from servicekit.debug_switches import faults_of_debugging
from servicekit.discovery import ciam_discovery_url
from servicekit.http.admission import MAX_REQUESTS
from servicekit.jwt_claims import LEEWAY_SECONDS
from servicekit.jwt_form import LONGEST_TOKEN
from servicekit.secret_keys import read_keys, secret_keys
from servicekit.settings_faults import EnvironmentSettings

GRAPH: Final = "https://graph.microsoft.com/v1.0"

Guid = Annotated[str, AfterValidator(forms.guid)]


class AuthoritySettings(EnvironmentSettings):
    """The part of a service's settings that the other one has, too; `prefix` is what its variables begin with."""

    prefix: ClassVar[str] = ""

    tenant_subdomain: Annotated[str, AfterValidator(forms.tenant_name)] | None = Field(
        None, description="the tenant's name before .ciamlogin.com", examples=["contoso"]
    )
    tenant_id: Guid | None = Field(
        None, description="the tenant's id, a GUID", examples=["3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"]
    )
    authority: Annotated[str, AfterValidator(forms.issuer)] | None = Field(
        None,
        description="the address of another authority: a custom domain, or any OpenID provider",
        examples=["https://login.example.com/tenant/v2.0"],
    )
    authority_issuer: Annotated[str, AfterValidator(forms.issuer)] | None = Field(
        None,
        description="the issuer that the authority's metadata names, where that is not its address",
        examples=["https://id.example.com/tenant"],
    )
    client_id: Annotated[str, AfterValidator(forms.client_id)] = Field(
        description="the client id of this service's own app registration",
        examples=["0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"],
    )
    client_secret: SecretStr | None = Field(
        None, min_length=SHORTEST_SECRET, description="the value, not the id, of a client secret"
    )
    client_certificate: Annotated[SecretStr, BeforeValidator(forms.certificate)] | None = Field(
        None, description="a PEM with certificate and RSA key, or the path of one"
    )
    federated_token_file: Annotated[str, AfterValidator(forms.federated_token_file)] | None = Field(
        None,
        description="a file with a token of an issuer that the app registration trusts, which its writer renews",
        examples=["/var/run/secrets/azure/tokens/azure-identity-token"],
    )
    graph_url: Annotated[str, AfterValidator(forms.graph_url)] = Field(
        GRAPH, description="Microsoft Graph's address with its version", examples=[GRAPH]
    )
    longest_token: int = Field(
        LONGEST_TOKEN,
        ge=4096,
        le=65_536,
        description="how many characters a signed token may have",
        examples=[str(LONGEST_TOKEN)],
    )
    clock_leeway_seconds: int = Field(
        LEEWAY_SECONDS,
        ge=0,
        le=600,
        description="how far the clocks of this machine and of the authority may differ",
        examples=[str(LEEWAY_SECONDS)],
    )
    host: Annotated[str, AfterValidator(forms.listening_address)] = Field(
        "127.0.0.1",
        description="the address to listen on",
        examples=["0.0.0.0"],  # noqa: S104 - an example
    )
    keep_alive_seconds: int = Field(
        75,
        ge=1,
        le=3_600,
        description="how long a connection without a request is kept: longer than the proxy in front keeps its own",
        examples=["75"],
    )
    max_requests: int = Field(
        MAX_REQUESTS,
        ge=1,
        le=100_000,
        description="how many requests a process works on at once; others wait a moment, or are told to come later",
        examples=[str(MAX_REQUESTS)],
    )
    shutdown_delay_seconds: int = Field(
        5,
        ge=0,
        le=120,
        description="for how long readiness says that the service ends, before it takes no more connections",
        examples=["5"],
    )
    ca_bundle: Annotated[str, AfterValidator(forms.ca_bundle)] | None = Field(
        None, description="a PEM file with the certificates to trust", examples=["/etc/ssl/private-ca.pem"]
    )
    authority_map: Annotated[str, AfterValidator(forms.address_map)] = Field(
        "",
        description="local work: which address answers for the authority and Graph, one URL or host=url pairs",
        examples=["http://127.0.0.1:8400"],
    )
    audit_file: Annotated[str, AfterValidator(forms.appendable)] | None = Field(
        None,
        description="the file that the audit trail is appended to; unset: standard output",
        examples=["/var/log/stepup/audit.log"],
    )
    audit_keys: Annotated[SecretStr, BeforeValidator(secret_keys)] | None = Field(
        None,
        description="base64url keys of 32 bytes, comma-separated; the first signs the audit trail",
        examples=["what `openssl rand -base64 32 | tr '+/' '-_'` prints"],
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR", examples=["INFO"]
    )

    @classmethod
    def faults_between(cls, texts: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong only when settings are seen together: authority, ids, credential."""
        yield from faults_of_authority(cls.prefix, texts)
        yield from faults_of_credential(cls.prefix, texts)

    @classmethod
    def faults_beside(cls, environ: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[str]:
        """Yield what a service for others must not have in its environment."""
        if cls.serves_others(texts):
            yield from faults_of_debugging(environ)

    @classmethod
    def serves_others(cls, texts: Mapping[str, str]) -> bool:
        """Tell whether a service is not for this machine's own user: it listens beyond it, and has a real authority."""
        listening = texts.get("host", cls.model_fields["host"].default)
        return listening.strip("[]") not in forms.LOOPBACK_HOSTS and not names_a_stand_in(texts)

    @property
    def msal_authority(self) -> str | None:
        """The authority in Entra's form, which MSAL makes its own discovery address of; None for another."""
        return f"https://{self.tenant_subdomain}.ciamlogin.com/" if self.tenant_subdomain else None

    @property
    def discovery_url(self) -> str:
        """Where the authority publishes its metadata."""
        if self.tenant_subdomain:
            return ciam_discovery_url(self.tenant_subdomain)
        return f"{str(self.authority).rstrip('/')}/.well-known/openid-configuration"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts for which another address may answer in local work: the authority's and Graph's."""
        return urlsplit(self.discovery_url).netloc, urlsplit(self.graph_url).netloc

    @property
    def trail_keys(self) -> list[bytes]:
        """The keys of the audit trail; the first one signs."""
        return read_keys(self.audit_keys.get_secret_value()) if self.audit_keys else []

    @property
    def graph_default_scope(self) -> str:
        """All of Graph that this client may have by itself, as Entra names it."""
        parts = urlsplit(self.graph_url)
        return f"{parts.scheme}://{parts.netloc}/.default"

    @property
    def addresses(self) -> AddressMap:
        """The map of hosts for local work."""
        return AddressMap.parse(self.authority_map, self.hosts)

    @property
    def credential(self) -> CredentialSource:
        """How the service proves itself to the authority; reading it may read a file."""
        secret, certificate = self.client_secret, self.client_certificate
        return credential_source(
            secret.get_secret_value() if secret else None,
            certificate.get_secret_value() if certificate else None,
            self.files,
            federated_token_file=self.federated_token_file,
        )
