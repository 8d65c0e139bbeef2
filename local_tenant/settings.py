"""The tenant's settings, from the environment: read once, checked all at once. The only module that knows their names.

A fault names the variable, what is wrong and what would be right. Nothing here opens a port.
"""

import os
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from local_tenant.configuration import BUNDLED
from local_tenant.loopback import is_loopback, leads_here
from local_tenant.production_marks import production_marks
from local_tenant.signing import read_certificate

PREFIX: Final = "LOCAL_TENANT_"
# Public on purpose, and documented: with these the tenant runs alone, and they open nothing but this stand-in.
PUBLIC_GATEWAY_SECRET: Final = "local-stand-in-gateway-secret"  # noqa: S105 - see above
PUBLIC_API_SECRET: Final = "local-stand-in-api-secret"  # noqa: S105 - the same


class SettingsError(Exception):
    """The environment can't be used; ``faults`` says why, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Settings(BaseSettings):
    """Everything that the environment decides."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    allow_remote: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    public_url: str | None = None
    gateway_url: str = "http://localhost:3000"
    config: Path = BUNDLED
    admin: bool = True
    gateway_secret: SecretStr | None = None
    gateway_secret_file: Path | None = None
    api_secret: SecretStr | None = None
    api_secret_file: Path | None = None
    gateway_certificate_file: Path | None = None
    api_certificate_file: Path | None = None

    @field_validator("public_url", "gateway_url")
    @classmethod
    def _origin(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or not _has_possible_port(parts)
        ):
            raise ValueError("must be a scheme, a host and perhaps a port, such as http://localhost:3000")
        if info.field_name == "public_url" and not info.data.get("allow_remote") and not leads_here(url):
            raise ValueError(
                "is an address for other machines, and this is a stand-in with known passwords; "
                f"use http://127.0.0.1:8400, or say {PREFIX}ALLOW_REMOTE=1 where only you come"
            )
        # As browsers write it, and so as the gateway does: what is registered is compared to the letter.
        default = {"http": ":80", "https": ":443"}[parts.scheme]
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default)}"

    @field_validator(
        "config", "gateway_secret_file", "api_secret_file", "gateway_certificate_file", "api_certificate_file"
    )
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                if not _text(path):
                    raise ValueError("must name a file that holds something")
            except OSError as error:
                raise ValueError(f"must name a file that can be read: {error.strerror}") from None
            except UnicodeDecodeError:
                raise ValueError("must name a file of UTF-8 text") from None
        return path

    @field_validator("gateway_secret_file", "api_secret_file")
    @classmethod
    def _one_source(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        name = str(info.field_name).removesuffix("_file")
        if path is not None and info.data.get(name) is not None:
            raise ValueError(f"is set, and {PREFIX}{name.upper()} too; keep one of them")
        return path

    @field_validator("gateway_certificate_file", "api_certificate_file")
    @classmethod
    def _certificate(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_certificate(_text(path))
        return path

    @field_validator("host")
    @classmethod
    def _at_home(cls, host: str, info: ValidationInfo) -> str:
        if not info.data.get("allow_remote") and not is_loopback(host):
            raise ValueError(
                "can be reached from other machines, and this is a stand-in with known passwords; "
                f"use 127.0.0.1, or say {PREFIX}ALLOW_REMOTE=1 inside a container"
            )
        return host

    @property
    def browser_url(self) -> str:
        """Return the tenant's address as the browser sees it; with port 0 it isn't known before there is a port."""
        host = "127.0.0.1" if self.allow_remote else self.host
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def values(self) -> dict[str, str]:
        """Return what fills the placeholders of the configuration file."""
        return {
            "GATEWAY_URL": self.gateway_url,
            "GATEWAY_SECRET": _secret(self.gateway_secret, self.gateway_secret_file) or PUBLIC_GATEWAY_SECRET,
            "API_SECRET": _secret(self.api_secret, self.api_secret_file) or PUBLIC_API_SECRET,
            "GATEWAY_CERTIFICATE": _text(self.gateway_certificate_file),
            "API_CERTIFICATE": _text(self.api_certificate_file),
        }


def from_environment() -> Settings:
    """Return the settings. Raises SettingsError with every fault, and where a service for others is beside it."""
    faults = list(production_marks(os.environ))
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError([*(_sentence(dict(fault)) for fault in error.errors()), *faults]) from error
    if faults:
        raise SettingsError(faults)
    return settings


def _sentence(fault: dict[str, object]) -> str:
    location, message = fault["loc"], str(fault["msg"]).removeprefix("Value error, ")
    if not isinstance(location, tuple) or not location:
        return message
    return f"{PREFIX}{str(location[0]).upper()}: {message}; it is {fault['input']!r}"


def _has_possible_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _secret(value: SecretStr | None, path: Path | None) -> str:
    return value.get_secret_value() if value else _text(path)


def _text(path: Path | None) -> str:
    return path.read_text(encoding="utf-8").strip() if path else ""
