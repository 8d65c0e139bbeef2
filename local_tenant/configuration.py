"""The tenant's contents at start, read from TOML: people, app registrations, policies. Reads; keeps nothing.

``${NAME}`` in a string is filled from the values that the caller passes; an unknown name is a fault.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local_tenant.app_registration import AppRegistration

BUNDLED: Final = Path(__file__).with_name("local_tenant.toml")
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")
_GUID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class ConfigurationError(Exception):
    """The configuration file can't be used; ``faults`` says why, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TenantSection(_Section):
    """Which tenant this is."""

    id: str = Field(pattern=_GUID)
    subdomain: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")


class ProfileSection(_Section):
    """What Graph holds about a person at start."""

    displayName: str = Field(min_length=1, max_length=256)  # noqa: N815 - Graph's own name
    givenName: str | None = None  # noqa: N815 - the same
    surname: str | None = None
    jobTitle: str | None = None  # noqa: N815 - the same
    streetAddress: str | None = None  # noqa: N815 - the same
    city: str | None = None
    state: str | None = None
    postalCode: str | None = None  # noqa: N815 - the same
    country: str | None = None
    preferredLanguage: str | None = None  # noqa: N815 - the same
    mail: str | None = None


class PersonSection(_Section):
    """A person who exists at start."""

    id: str = Field(pattern=_GUID)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    password: str = Field(min_length=1, repr=False)
    second_factor: Literal["email", "none"] = "email"
    federated_by: str | None = None
    profile: ProfileSection


class PolicySection(_Section):
    """A Conditional Access policy; ``target`` is an application's client id or a context such as ``c1``."""

    target: str
    id: str = Field(pattern=_GUID)
    mfa: bool = False
    blocked: bool = False
    claims: bool = True


class Configuration(_Section):
    """The whole file."""

    tenant: TenantSection
    apps: tuple[AppRegistration, ...]
    people: tuple[PersonSection, ...]
    policies: tuple[PolicySection, ...] = ()


def load(path: Path, values: Mapping[str, str]) -> Configuration:
    """Return the configuration in ``path``. Raises ConfigurationError with every fault found.

    An empty string where a list of secrets, certificates or addresses is expected drops out, so that a placeholder
    may stand for "none".
    """
    try:
        return _loaded(path, values)
    except RecursionError as error:
        raise ConfigurationError([f"{path}: tables or lists lie too deep in one another"]) from error


def _loaded(path: Path, values: Mapping[str, str]) -> Configuration:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError([f"{path}: {error}"]) from error
    faults: list[str] = []
    filled = _fill(document, values, faults)
    if faults:
        raise ConfigurationError([f"{path}: {fault}" for fault in faults])
    try:
        return Configuration.model_validate(filled)
    except ValidationError as error:
        raise ConfigurationError(
            [
                f"{path}: {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
                for fault in error.errors()
            ]
        ) from error


def _fill(node: object, values: Mapping[str, str], faults: list[str]) -> object:
    if isinstance(node, dict):
        return {key: _fill(value, values, faults) for key, value in node.items()}
    if isinstance(node, list):
        return [filled for item in node if (filled := _fill(item, values, faults)) not in ("", {"value": ""})]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        if match[1] not in values:
            faults.append(f"${{{match[1]}}} is none of {', '.join(sorted(values))}")
        return values.get(match[1], "")

    return _PLACEHOLDER.sub(value_of, node)
