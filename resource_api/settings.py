"""The resource API's settings.

Owns their names, forms and defaults, and what they say about each other.
Never reads a file or the environment: `servicekit.settings_faults` does, and is given both.
"""

import os
import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from servicekit.address_map import AddressMap
from servicekit.client_credential import CredentialSource, credential_source, read_certificate
from servicekit.discovery import ciam_discovery_url, ciam_issuer
from servicekit.settings_faults import CommaSeparated, EnvironmentSettings

PREFIX: Final = "RESOURCE_API_"
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _guid(text: str) -> str:
    if not _GUID.fullmatch(text.lower()):
        raise ValueError("is not a GUID")
    return text.lower()


def _subdomain(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text.lower()):
        raise ValueError("is not the first part of a host name")
    return text.lower()


def _secure_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        odd = parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment
    except ValueError:
        raise ValueError("is not a URL of this kind") from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or odd:
        raise ValueError("is not a URL of this kind")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError("would send tokens without encryption")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    _secure_url(text)
    return text  # to the letter: some end with a slash


def _scope(text: str) -> str:
    if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", text) or "/" in text:
        raise ValueError("is not one scope name without its api:// part")
    return text


def _clients(texts: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := next((text for text in texts if not _GUID.fullmatch(text.lower())), None):
        raise ValueError(f"names {wrong!r}, which is not a GUID")
    return tuple(text.lower() for text in texts)


Guid = Annotated[str, AfterValidator(_guid)]
Url = Annotated[str, AfterValidator(_secure_url)]


class Settings(EnvironmentSettings):
    """Everything that can be set. Either a tenant (subdomain and id) or an authority says whose tokens count."""

    tenant_subdomain: Annotated[str, AfterValidator(_subdomain)] | None = Field(
        None, description="the first part of the tenant's ciamlogin.com host", examples=["contoso"]
    )
    tenant_id: Guid | None = Field(
        None,
        description="the directory (tenant) id, a GUID",
        examples=["3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"],
    )
    authority: Annotated[str, AfterValidator(_issuer)] | None = Field(
        None,
        description="the issuer of a custom domain or of another OpenID provider, exactly as its tokens name it",
        examples=["https://login.example.com/3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10/v2.0"],
    )
    client_id: Guid = Field(
        description="the application (client) id of this API's own registration, a GUID",
        examples=["a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8"],
    )
    client_secret: SecretStr | None = Field(None, description="the value, not the id, of a client secret")
    client_certificate: SecretStr | None = Field(
        None, description="a PEM with certificate and private key, or the path of one"
    )
    scope: Annotated[str, AfterValidator(_scope)] = Field(
        "EditProfileService.ReadWrite",
        description="the scope's name as it stands in `scp`",
        examples=["EditProfileService.ReadWrite"],
    )
    allowed_clients: Annotated[CommaSeparated, AfterValidator(_clients)] = Field(
        min_length=1,
        description="the client ids of the applications that may call, comma-separated",
        examples=["0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"],
    )
    acrs: str | None = Field(
        None,
        pattern=r"^c([1-9]|[1-9][0-9])$",
        description="an authentication context that tokens must prove in `acrs`",
        examples=["c1"],
    )
    max_age_seconds: int | None = Field(
        None,
        ge=60,
        le=2_592_000,
        description="the greatest age of the sign-in (`auth_time`) in seconds",
        examples=["3600"],
    )
    graph_url: Url = Field(
        "https://graph.microsoft.com/v1.0",
        description="Microsoft Graph's address with its version",
        examples=["https://graph.microsoft.com/v1.0"],
    )
    host: str = Field("127.0.0.1", description="the address to listen on", examples=["127.0.0.1"])
    port: int = Field(3001, ge=0, le=65535, description="the port to listen on", examples=["3001"])
    ca_bundle: str | None = Field(None, description="the path of a PEM file with certificate authorities")
    authority_map: str = Field(
        "",
        description="which address answers for the authority's and Graph's host, in local work",
        examples=["http://127.0.0.1:8400"],
    )
    state_directory: str | None = Field(
        None,
        description="a directory for the authority's metadata and keys, which then outlive a restart",
        examples=["/var/lib/stepup"],
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="one of DEBUG, INFO, WARNING, ERROR", examples=["INFO"]
    )

    @classmethod
    def faults_between(cls, given: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong between settings: whose tokens count, one credential, readable files."""
        tenant = {"tenant_subdomain", "tenant_id"}
        if "authority" in given and "tenant_subdomain" in given:
            yield "RESOURCE_API_AUTHORITY stands instead of RESOURCE_API_TENANT_SUBDOMAIN. Keep one of them."
        elif "authority" not in given and (absent := tenant - given.keys()):
            for name in sorted(absent):
                told = cls.model_fields[name]
                yield (
                    f"{PREFIX}{name.upper()} is missing. It should be {told.description}, such as "
                    f"{(told.examples or [''])[0]}; RESOURCE_API_AUTHORITY can stand instead."
                )
        if "client_secret" in given and "client_certificate" in given:
            yield "RESOURCE_API_CLIENT_SECRET and RESOURCE_API_CLIENT_CERTIFICATE are both set. Keep one of them."
        elif "client_secret" not in given and "client_certificate" not in given:
            yield (
                "RESOURCE_API_CLIENT_SECRET is missing. It should be the value of a client secret, also as "
                "RESOURCE_API_CLIENT_SECRET_FILE; RESOURCE_API_CLIENT_CERTIFICATE can stand instead."
            )
        if _GUID.fullmatch(given.get("client_secret", "").lower()):
            yield (
                "RESOURCE_API_CLIENT_SECRET looks like the id of a secret. It should be the secret's value, "
                "which the portal shows once."
            )
        yield from _readable(given)

    @property
    def issuer(self) -> str:
        """The issuer that tokens must name."""
        return self.authority or ciam_issuer(self.tenant_id or "")

    @property
    def discovery_url(self) -> str:
        """Where the issuer publishes its metadata."""
        if self.authority:
            return f"{self.authority.rstrip('/')}/.well-known/openid-configuration"
        return ciam_discovery_url(self.tenant_subdomain or "")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts for which one address may answer in local work: the authority's and Graph's."""
        return urlsplit(self.discovery_url).netloc, urlsplit(self.graph_url).netloc

    @property
    def addresses(self) -> AddressMap:
        """The address map."""
        return AddressMap.parse(self.authority_map, self.hosts)

    @property
    def credential(self) -> CredentialSource:
        """How this API proves itself to the authority."""
        secret, certificate = self.client_secret, self.client_certificate
        return credential_source(
            secret.get_secret_value() if secret else None,
            certificate.get_secret_value() if certificate else None,
            self.files,
        )


def _readable(given: Mapping[str, str]) -> Iterator[str]:
    if certificate := given.get("client_certificate"):
        try:
            read_certificate(certificate)
        except ValueError as error:
            yield f"RESOURCE_API_CLIENT_CERTIFICATE {error}."
    if bundle := given.get("ca_bundle"):
        try:
            ssl.create_default_context(cafile=bundle)
        except OSError as error:
            yield f"RESOURCE_API_CA_BUNDLE is {bundle!r}, which can't be read: {error.strerror}."
    directory = given.get("state_directory")
    if directory and not (Path(directory).is_dir() and os.access(directory, os.W_OK | os.X_OK)):
        yield (
            f"RESOURCE_API_STATE_DIRECTORY is {directory!r}, which is no directory that can be written. It should "
            "be one that belongs to the service's user, such as /var/lib/stepup."
        )
    try:
        origins = AddressMap.parse(given.get("authority_map", ""), ["any"]).origins.values()
    except ValueError as error:
        yield f"RESOURCE_API_AUTHORITY_MAP: {error}. It should be one URL, or host=url pairs with commas."
    else:
        if any(_is_plain_and_far(origin) for origin in origins):
            yield (
                "RESOURCE_API_AUTHORITY_MAP would send secrets and tokens without encryption to another machine. "
                "It is for local work: a loopback address, the name of a container, or https."
            )


def _is_plain_and_far(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme == "http" and host not in _LOOPBACK and ("." in host or ":" in host)
