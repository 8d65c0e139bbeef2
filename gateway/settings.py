"""The gateway's settings, from the environment; every fault is told at once.

Owns what only the gateway is told, and what must be set together; what the resource API is told as well stands in
`servicekit.authority_settings`.
Never reads the environment itself: `load_settings` is handed one.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from gateway import setting_forms as forms
from gateway.setting_faults import faults_of_the_gateway
from gateway.store.sealing import derived_key
from gateway.upstream_rows.reading import faults_of_upstreams, upstream_rows
from gateway.upstream_rows.row import UpstreamRow
from servicekit.authority_settings import GRAPH, AuthoritySettings
from servicekit.discovery import ciam_issuer
from servicekit.secret_keys import read_keys, secret_keys
from servicekit.setting_forms import (
    ca_bundle,
    is_on_loopback,
    listening_address,
    near_service_url,
    readable,
    server_pem,
    web_page,
)
from servicekit.settings_faults import CommaSeparated

PREFIX = "GATEWAY_"
SESSION_IDLE_SECONDS = 1800
SESSION_ABSOLUTE_SECONDS = 28_800
MOST_SESSIONS = 20
PUBLIC_URL = "http://localhost:3000"


class Settings(AuthoritySettings):
    """What an operator decides. Times are in seconds."""

    prefix = PREFIX

    edit_profile_scope: Annotated[str, AfterValidator(forms.one_scope)] = Field(
        description="the full name of the API's scope",
        examples=["api://a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8/EditProfileService.ReadWrite"],
    )
    graph_scope: Annotated[str, AfterValidator(forms.read_scope)] = Field(
        "User.Read",
        description="the scope with which the profile is read; one spelling, never two",
        examples=["User.Read"],
    )
    extra_scopes: Annotated[tuple[str, ...], BeforeValidator(forms.scopes)] = Field(
        (),
        description="scopes to ask for beside our own, comma-separated",
        examples=["email,groups"],
    )
    prompt: str | None = Field(
        None,
        pattern=r"^(login|consent|select_account)( (login|consent|select_account))*$",
        description="what the authority shows at every sign-in: login, consent, select_account, or several of them",
        examples=["select_account"],
    )
    authorize_parameters: Annotated[str, AfterValidator(forms.authorize_parameters)] = Field(
        "",
        description="further parameters of every authorization request, as a query",
        examples=["access_type=offline"],
    )
    response_mode: str = Field(
        "form_post",
        pattern="^(form_post|query)$",
        description="how the authority sends its answer, form_post or query",
        examples=["form_post"],
    )
    public_url: Annotated[str, AfterValidator(forms.origin)] = Field(
        PUBLIC_URL,
        description="the address that the browser sees",
        examples=["https://profile.example.com"],
    )
    change_password_url: Annotated[str, AfterValidator(web_page)] | None = Field(
        None,
        description="where people change their password, for password managers and our own pages",
        examples=["https://login.example.com/change-password"],
    )
    front_end: Annotated[str, AfterValidator(forms.front_end)] | None = Field(
        None,
        description="the folder of a front end to serve instead of our own client",
        examples=["/srv/app/dist"],
    )
    csp_additions: Annotated[str, AfterValidator(forms.csp_additions)] = Field(
        "",
        description="what GATEWAY_FRONT_END needs beside the strict content security policy",
        examples=["img-src data: https://cdn.example.com; connect-src https://maps.example.com"],
    )
    allowed_origins: Annotated[CommaSeparated, AfterValidator(forms.origins)] = Field(
        (),
        description="origins of the same site whose pages may call the gateway, comma-separated",
        examples=["https://app.example.com"],
    )
    resource_api_url: Annotated[str, AfterValidator(near_service_url)] = Field(
        "http://127.0.0.1:3001",
        description="the resource API's address",
        examples=["http://resource-api:3001"],
    )
    upstreams: Annotated[tuple[UpstreamRow, ...], BeforeValidator(upstream_rows)] = Field(
        (),
        description="a TOML file with a row for each API behind the gateway",
        examples=["/etc/stepup/upstreams.toml"],
    )
    redis_url: Annotated[SecretStr, BeforeValidator(forms.redis_url)] = Field(
        description="the address of Redis", examples=["redis://localhost:6379/0"]
    )
    redis_password_file: Annotated[str, AfterValidator(readable)] | None = Field(
        None,
        description="a file with Redis' password, instead of one in the address; read for every new connection",
        examples=["/run/secrets/redis-password"],
    )
    redis_ca_bundle: Annotated[str, AfterValidator(ca_bundle)] | None = Field(
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
    sealing_keys: Annotated[SecretStr, BeforeValidator(secret_keys)] = Field(
        description="base64url keys of 32 bytes, comma-separated; the first seals, all open",
        examples=["what `openssl rand -base64 32 | tr '+/' '-_'` prints"],
    )
    trusted_audiences: CommaSeparated = Field(
        (),
        description="whom an ID token or logout token may name in `aud` beside the gateway, comma-separated",
        examples=["322563454532198402"],
    )
    session_idle_seconds: int = Field(
        SESSION_IDLE_SECONDS,
        ge=2,
        le=86_400,
        description="how long an unused session lives",
        examples=["1800"],
    )
    session_absolute_seconds: int = Field(
        SESSION_ABSOLUTE_SECONDS,
        ge=2,
        le=604_800,
        description="how long any session lives",
        examples=["28800"],
    )
    max_sessions_per_person: int = Field(
        MOST_SESSIONS,
        ge=1,
        le=1000,
        description="how many sessions a person may have; one more ends the one that was used longest ago",
        examples=["20"],
    )
    step_up_max_age_seconds: int | None = Field(
        None,
        ge=1,
        le=604_800,
        description="for how long a confirmation lasts; unset: as long as the authority gives tokens for it",
        examples=["900"],
    )
    id_token_hint: bool = Field(
        default=False,
        description="1 or 0, whether the authority is shown the ID token when a person signs out",
        examples=["1"],
    )
    backchannel_logout: bool = Field(
        default=False,
        description="1 or 0, whether the authority may end sessions by Back-Channel Logout",
        examples=["1"],
    )
    port: int = Field(3000, ge=1, le=65_535, description="the port to listen on", examples=["3000"])
    tls_pem: Annotated[str, AfterValidator(server_pem)] | None = Field(
        None,
        description="a PEM file with certificate and key, to serve https by oneself",
        examples=["/run/secrets/profile.pem"],
    )
    admin_port: int | None = Field(
        None, ge=1, le=65_535, description="the port for readiness details", examples=["9000"]
    )
    admin_host: Annotated[str, AfterValidator(listening_address)] = Field(
        "127.0.0.1", description="the address on which operators are answered", examples=["127.0.0.1"]
    )
    admin_names: Annotated[CommaSeparated, AfterValidator(forms.host_names)] = Field(
        (),
        description="further names by which operators' programs ask, comma-separated",
        examples=["metrics.example.com"],
    )
    workers: int = Field(1, ge=1, le=64, description="the number of processes", examples=["2"])
    journeys_per_minute: int = Field(
        600,
        ge=1,
        le=100_000,
        description="how many sign-ins one network may begin in a minute",
        examples=["600"],
    )
    step_ups_per_minute: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="how many confirmations one person may begin in a minute",
        examples=["30"],
    )
    edits_per_minute: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="how many edits one person may send in a minute",
        examples=["120"],
    )
    reads_per_minute: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="how often one person may read the profile in a minute",
        examples=["1200"],
    )
    trusted_proxies: Annotated[CommaSeparated, AfterValidator(forms.networks)] = Field(
        (),
        description="addresses or networks of the proxies in front, comma-separated",
        examples=["10.0.0.0/8"],
    )

    @classmethod
    def faults_between(cls, texts: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong only when settings are seen together."""
        yield from super().faults_between(texts)
        defaults = {
            "public_url": PUBLIC_URL,
            "graph_scope": cls.model_fields["graph_scope"].default,
            "port": str(cls.model_fields["port"].default),
            "session_idle_seconds": str(SESSION_IDLE_SECONDS),
            "session_absolute_seconds": str(SESSION_ABSOLUTE_SECONDS),
        }
        yield from faults_of_the_gateway(texts, defaults)
        yield from faults_of_upstreams({"graph_url": GRAPH, **defaults, **texts})

    @classmethod
    def serves_others(cls, texts: Mapping[str, str]) -> bool:
        """Tell whether browsers on other machines come here, by the public address."""
        return not is_on_loopback(texts.get("public_url", PUBLIC_URL))

    @property
    def issuer(self) -> str:
        """The one issuer whose tokens are believed."""
        if self.authority_issuer:
            return self.authority_issuer
        return ciam_issuer(self.tenant_id) if self.tenant_id else str(self.authority)

    @property
    def ring(self) -> list[bytes]:
        """The sealing keys; the first one seals."""
        return read_keys(self.sealing_keys.get_secret_value())

    @property
    def trail_keys(self) -> list[bytes]:
        """The keys of the audit trail; where none are set, one of their own follows from the sealing keys."""
        return [*super().trail_keys, *(derived_key(key, "audit-trail") for key in self.ring)]

    @property
    def redirect_uri(self) -> str:
        """Where the authority sends the browser back to; registered with the app."""
        return f"{self.public_url}/auth/callback"
