"""The gateway's settings, from the environment; every fault is told at once.

Owns what can be set, its form, and what must be set together.
Never reads the environment itself: `load_settings` is handed one.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway import setting_forms as forms
from gateway.store.sealing import read_key
from servicekit.address_map import AddressMap
from servicekit.client_credential import CredentialSource, credential_source
from servicekit.discovery import ciam_discovery_url, ciam_issuer
from servicekit.settings_faults import CommaSeparated, EnvironmentSettings

PREFIX = "GATEWAY_"
GRAPH = "https://graph.microsoft.com/v1.0"


class Settings(EnvironmentSettings):
    """What an operator decides. Times are in seconds."""

    tenant_subdomain: Annotated[str, BeforeValidator(forms.label)] | None = Field(
        None, description="the tenant's name before .ciamlogin.com", examples=["contoso"]
    )
    tenant_id: Annotated[str, BeforeValidator(forms.guid)] | None = Field(
        None, description="the tenant's id", examples=["3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"]
    )
    authority: Annotated[str, BeforeValidator(forms.issuer)] | None = Field(
        None,
        description="the authority's address, instead of GATEWAY_TENANT_SUBDOMAIN",
        examples=["https://login.example.com/tenant/v2.0"],
    )
    client_id: str = Field(
        description="the client id of the gateway's app registration",
        examples=["0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"],
    )
    client_secret: SecretStr | None = Field(
        None, min_length=8, description="the secret of the gateway's app registration"
    )
    client_certificate: Annotated[SecretStr, BeforeValidator(forms.certificate)] | None = Field(
        None, description="a PEM with certificate and RSA key, or the path of one"
    )
    edit_profile_scope: str = Field(
        description="the full name of the API's scope",
        examples=["api://a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8/EditProfileService.ReadWrite"],
        pattern=r"^\S+$",
    )
    graph_scope: str = Field(
        "User.Read",
        description="the scope with which the profile is read; one spelling, never two",
        examples=["User.Read"],
        pattern=r"^\S+$",
    )
    response_mode: str = Field(
        "form_post",
        pattern="^(form_post|query)$",
        description="how the authority sends its answer, form_post or query",
        examples=["form_post"],
    )
    public_url: Annotated[str, BeforeValidator(forms.origin)] = Field(
        "http://localhost:3000",
        description="the address that the browser sees",
        examples=["https://profile.example.com"],
    )
    resource_api_url: Annotated[str, BeforeValidator(forms.web_url)] = Field(
        "http://127.0.0.1:3001",
        description="the resource API's address",
        examples=["http://resource-api:3001"],
    )
    graph_url: Annotated[str, BeforeValidator(forms.web_url)] = Field(
        GRAPH, description="Microsoft Graph's address with its version", examples=[GRAPH]
    )
    redis_url: Annotated[SecretStr, BeforeValidator(forms.redis_url)] = Field(
        description="the address of Redis", examples=["redis://localhost:6379/0"]
    )
    redis_password_file: Annotated[str, BeforeValidator(forms.readable)] | None = Field(
        None,
        description="a file with Redis' password, instead of one in the address; read for every new connection",
        examples=["/run/secrets/redis-password"],
    )
    redis_ca_bundle: Annotated[str, BeforeValidator(forms.ca_bundle)] | None = Field(
        None,
        description="a PEM file with the certificates to trust for Redis, instead of GATEWAY_CA_BUNDLE's",
        examples=["/etc/ssl/redis-ca.pem"],
    )
    redis_wait_replicas: int = Field(
        0,
        ge=0,
        le=9,
        description="how many replicas must have a sign-out before the person is told that it is done",
        examples=["1"],
    )
    sealing_keys: Annotated[SecretStr, BeforeValidator(forms.sealing_keys)] = Field(
        description="base64url keys of 32 bytes, comma-separated; the first seals, all open",
        examples=["what `openssl rand -base64 32 | tr '+/' '-_'` prints"],
    )
    session_idle_seconds: int = Field(
        1800, ge=2, le=86_400, description="how long an unused session lives", examples=["1800"]
    )
    session_absolute_seconds: int = Field(
        28_800, ge=2, le=604_800, description="how long any session lives", examples=["28800"]
    )
    step_up_max_age_seconds: int | None = Field(
        None,
        ge=1,
        le=604_800,
        description="for how long a confirmation lasts; unset: as long as the authority gives tokens for it",
        examples=["900"],
    )
    backchannel_logout: bool = Field(
        default=False,
        description="1 or 0, whether the authority may end sessions by Back-Channel Logout",
        examples=["1"],
    )
    host: str = Field("127.0.0.1", description="the address to listen on", examples=["0.0.0.0"])  # noqa: S104 - an example
    port: int = Field(3000, ge=1, le=65_535, description="the port to listen on", examples=["3000"])
    admin_port: int | None = Field(
        None, ge=1, le=65_535, description="the port for readiness details", examples=["9000"]
    )
    admin_host: str = Field(
        "127.0.0.1", description="the address on which operators are answered", examples=["127.0.0.1"]
    )
    workers: int = Field(1, ge=1, le=64, description="the number of processes", examples=["2"])
    journeys_per_minute: int = Field(
        120,
        ge=1,
        le=100_000,
        description="how many sign-ins one address may begin in a minute",
        examples=["120"],
    )
    trusted_proxies: Annotated[CommaSeparated, AfterValidator(forms.networks)] = Field(
        (),
        description="addresses or networks of the proxies in front, comma-separated",
        examples=["10.0.0.0/8"],
    )
    ca_bundle: Annotated[str, BeforeValidator(forms.ca_bundle)] | None = Field(
        None, description="a PEM file with the certificates to trust", examples=["/etc/ssl/private-ca.pem"]
    )
    authority_map: str = Field(
        "",
        description="local work: which address answers for the authority and Graph",
        examples=["http://127.0.0.1:8400"],
    )
    failpoint: Annotated[str, BeforeValidator(forms.failpoints)] = Field(
        "",
        description="local work: points at which to fail on purpose, comma-separated",
        examples=["code-redeemed=kill"],
    )
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR",
        examples=["INFO"],
    )

    @classmethod
    def faults_between(cls, given: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong only when settings are seen together."""
        if "authority" in given and "tenant_subdomain" in given:
            yield "GATEWAY_AUTHORITY and GATEWAY_TENANT_SUBDOMAIN are both set. Keep one of them."
        if "authority" not in given and "tenant_subdomain" not in given:
            yield (
                "GATEWAY_TENANT_SUBDOMAIN is missing. It should be the tenant's name before .ciamlogin.com, "
                "such as contoso; for another authority set GATEWAY_AUTHORITY instead."
            )
        if "tenant_subdomain" in given and "tenant_id" not in given:
            yield "GATEWAY_TENANT_ID is missing. It should be the tenant's id, a GUID; the issuer is named after it."
        if ("client_secret" in given) == ("client_certificate" in given):
            yield "GATEWAY_CLIENT_SECRET or GATEWAY_CLIENT_CERTIFICATE is needed, one of them and not both."
        yield from _faults_of_local_work(given)
        if given.get("admin_port") and given["admin_port"] == given.get("port", "3000"):
            yield "GATEWAY_ADMIN_PORT is GATEWAY_PORT, which is published. Give the operators' side a port of its own."
        idle, absolute = given.get("session_idle_seconds", ""), given.get("session_absolute_seconds", "")
        if idle.isdigit() and absolute.isdigit() and int(idle) > int(absolute):
            yield "GATEWAY_SESSION_IDLE_SECONDS is longer than GATEWAY_SESSION_ABSOLUTE_SECONDS."

    @property
    def msal_authority(self) -> str | None:
        """The authority in Entra's form, which MSAL makes its own discovery address of."""
        return f"https://{self.tenant_subdomain}.ciamlogin.com/" if self.tenant_subdomain else None

    @property
    def discovery_url(self) -> str:
        """Where the authority publishes its metadata."""
        if self.tenant_subdomain:
            return ciam_discovery_url(self.tenant_subdomain)
        return f"{str(self.authority).rstrip('/')}/.well-known/openid-configuration"

    @property
    def issuer(self) -> str:
        """The one issuer whose tokens are believed."""
        return ciam_issuer(self.tenant_id) if self.tenant_id else str(self.authority)

    @property
    def addresses(self) -> AddressMap:
        """The map of hosts for local work."""
        hosts = [urlsplit(url).netloc for url in (self.discovery_url, self.graph_url)]
        return AddressMap.parse(self.authority_map, hosts)

    @property
    def credential(self) -> CredentialSource:
        """How the gateway proves itself to the authority."""
        secret, certificate = self.client_secret, self.client_certificate
        return credential_source(
            secret.get_secret_value() if secret else None,
            certificate.get_secret_value() if certificate else None,
            self.files,
        )

    @property
    def ring(self) -> list[bytes]:
        """The sealing keys; the first one seals."""
        return [read_key(text) for text in self.sealing_keys.get_secret_value().split(",")]

    @property
    def redirect_uri(self) -> str:
        """Where the authority sends the browser back to; registered with the app."""
        return f"{self.public_url}/auth/callback"


def _faults_of_local_work(given: Mapping[str, str]) -> Iterator[str]:
    local = urlsplit(given.get("public_url", "http://localhost:3000")).hostname in forms.LOCAL_HOSTS
    if given.get("authority_map"):
        try:
            AddressMap.parse(given["authority_map"], ["any"])
        except ValueError as error:
            yield f"GATEWAY_AUTHORITY_MAP has an entry: {error}."
        if not local:
            yield (
                "GATEWAY_AUTHORITY_MAP is for local work only, and GATEWAY_PUBLIC_URL is not on localhost. "
                "Remove the map."
            )
    if given.get("failpoint") and not given.get("authority_map"):
        yield "GATEWAY_FAILPOINT is for local work only, with GATEWAY_AUTHORITY_MAP. Remove it."
