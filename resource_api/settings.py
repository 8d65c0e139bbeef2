"""The resource API's settings.

Owns what only this service is told; what the gateway is told as well stands in `servicekit.authority_settings`.
Never reads a file or the environment: `servicekit.settings_faults` does, and is given both.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from servicekit import setting_forms as forms
from servicekit.authority_settings import AuthoritySettings
from servicekit.discovery import ciam_issuer
from servicekit.settings_faults import CommaSeparated

PREFIX: Final = "RESOURCE_API_"
_LIST: Final = re.compile(r"[\s,]*[\w.~:/-]+(\s*,[\s,]*[\w.~:/-]+)*[\s,]*")


def _scope(text: str) -> str:
    if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", text) or text.startswith("api://"):
        raise ValueError("is not one scope name without its api:// part")
    return text


def _clients(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(forms.client_id, texts))


def _own_directory(path: str) -> str:
    if not (os.access(path, os.W_OK | os.X_OK) and Path(path).is_dir()):
        raise ValueError("is no directory that can be written")
    return path


class Settings(AuthoritySettings):
    """Everything that can be set. Either a tenant (subdomain and id) or an authority says whose tokens count."""

    prefix = PREFIX

    # Reading the tokens of any provider is one thing; only Entra exchanges them for one for Graph.
    authority: Annotated[str, AfterValidator(forms.issuer)] | None = Field(
        None,
        description="the issuer that tokens name, for Entra under a domain of its own",
        examples=["https://login.example.com/tenant/v2.0"],
    )
    client_id: Annotated[str, AfterValidator(forms.client_id)] = Field(
        description="the application (client) id of this API's own registration, a GUID in Entra",
        examples=["a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8"],
    )
    audience: Annotated[str, Field(pattern=r"^\S+$")] | None = Field(
        None,
        description="what tokens name in `aud`, where that is not the client id",
        examples=["https://api.example.com"],
    )
    scope: Annotated[str, AfterValidator(_scope)] = Field(
        "EditProfileService.ReadWrite",
        description="the scope's name as it stands in `scp`, or in `scope`",
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
    port: int = Field(3001, ge=0, le=65535, description="the port to listen on", examples=["3001"])
    state_directory: Annotated[str, AfterValidator(_own_directory)] | None = Field(
        None,
        description="a directory of the service's own, for the authority's metadata and keys to outlive a restart",
        examples=["/var/lib/stepup"],
    )

    @classmethod
    def faults_between(cls, texts: Mapping[str, str]) -> Iterator[str]:
        """Yield what is wrong only when settings are seen together: in Entra every client id is a GUID."""
        yield from super().faults_between(texts)
        # What is no list of words is a fault of its own, and so is what was never meant as one.
        clients = texts.get("allowed_clients", "")
        if ("authority" in texts and "tenant_id" not in texts) or not _LIST.fullmatch(clients):
            return
        listed = filter(None, map(str.strip, clients.split(",")))
        if wrong := [text for text in listed if not forms.is_guid(text)]:
            field = cls.model_fields["allowed_clients"]
            yield (
                f"{PREFIX}ALLOWED_CLIENTS names {forms.quoted(wrong)}, which is not a GUID. "
                f"It should be {field.description}, such as {(field.examples or [''])[0]}."
            )

    @property
    def issuer(self) -> str:
        """The issuer that tokens must name."""
        return self.authority_issuer or self.authority or ciam_issuer(self.tenant_id or "")
