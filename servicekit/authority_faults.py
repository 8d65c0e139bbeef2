"""What is wrong between the settings that both services have: the authority, the ids, the credential.

Owns these sentences; what one setting must be like by itself is `setting_forms`' business. Judges texts as they were
given, right by themselves or not, so that no fault hides another.
Never shows a secret.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from servicekit.guessable_secrets import SHORTEST_PASSWORD, guessable_password
from servicekit.setting_forms import is_guid, is_on_loopback
from servicekit.setting_mistakes import mistake_in
from servicekit.setting_sentences import shown

_TENANT: Final = {
    "tenant_subdomain": "the tenant's name before .ciamlogin.com, such as contoso",
    "tenant_id": "the tenant's id, a GUID, such as 3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10",
}
_CREDENTIALS: Final = ("client_secret", "client_certificate", "federated_token_file")
_ENTRA: Final = ".ciamlogin.com"
SHORTEST_SECRET: Final = 8
"""Of a client secret anywhere, local work included; in characters."""


def faults_of_authority(prefix: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong between the authority, the tenant and the client; `texts` are by field name."""
    if "authority" in texts and "tenant_subdomain" in texts:
        yield f"{prefix}AUTHORITY and {prefix}TENANT_SUBDOMAIN are both set. Keep one of them."
    if "authority" in texts:
        yield from _faults_of_entras_address(prefix, texts)
    else:
        if "authority_issuer" in texts:
            yield (
                f"{prefix}AUTHORITY_ISSUER is set without {prefix}AUTHORITY. A tenant's issuer follows from "
                f"{prefix}TENANT_ID; remove it."
            )
        for name, description in _TENANT.items():
            if name not in texts:
                yield (
                    f"{prefix}{name.upper()} is missing. It should be {description}; for another authority set "
                    f"{prefix}AUTHORITY instead."
                )
    yield from _faults_of_ids(prefix, texts)


def _faults_of_entras_address(prefix: str, texts: Mapping[str, str]) -> Iterator[str]:
    try:
        host = urlsplit(texts["authority"]).hostname or ""
    except ValueError:
        return
    name = host.removesuffix(_ENTRA)
    # An address with the tenant's id for its name is an issuer to the letter, which is right.
    if host.endswith(_ENTRA) and not is_guid(name) and "tenant_id" not in texts:
        yield (
            f"{prefix}AUTHORITY is an address of Entra's, whose tokens name another issuer. Set "
            f"{prefix}TENANT_SUBDOMAIN to {name} and {prefix}TENANT_ID instead."
        )


def _faults_of_ids(prefix: str, texts: Mapping[str, str]) -> Iterator[str]:
    tenant, client = texts.get("tenant_id", ""), texts.get("client_id", "")
    if client and client.lower() == tenant.lower():
        yield (
            f"{prefix}CLIENT_ID is the same as {prefix}TENANT_ID. It should be the Application (client) ID of the app "
            "registration's Overview, beside which the Directory (tenant) ID stands."
        )
    if (
        client
        and ("tenant_subdomain" in texts or tenant)
        and not (is_guid(client) or mistake_in(client, secret=False))
    ):
        yield (
            f"{prefix}CLIENT_ID is {shown(client)}, which is not a GUID, as every one of Entra's is. It should be "
            "the Application (client) ID of the app registration's Overview."
        )


def faults_of_credential(prefix: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with how the service proves itself: exactly one way, and no id in place of a secret."""
    names = [f"{prefix}{name.upper()}" for name in _CREDENTIALS]
    given = [name for name, field in zip(names, _CREDENTIALS, strict=True) if field in texts]
    secret, others = names[0], " or ".join(reversed(names[1:]))
    if len(given) > 1:
        all_of_them = "both" if len(given) == 2 else "all"  # noqa: PLR2004 - the word for two
        yield f"{' and '.join(given)} are {all_of_them} set. Keep one of them."
    elif not given:
        yield (
            f"{secret} is missing. It should be the value of a client secret, also as {secret}_FILE; "
            f"{others} can stand instead."
        )
    # Other authorities do make secrets of this form.
    if ("tenant_subdomain" in texts or "tenant_id" in texts) and is_guid(texts.get("client_secret", "")):
        yield (
            f"{secret} looks like the id of a secret. It should be the secret's value, which the portal "
            "shows once."
        )
    if "client_secret" in texts and not names_a_stand_in(texts):
        yield from _faults_of_guessing(secret, texts["client_secret"])


def names_a_stand_in(texts: Mapping[str, str]) -> bool:
    """Tell whether the authority is one of local work: by an address map, or on this machine."""
    return "authority_map" in texts or is_on_loopback(texts.get("authority", ""))


def _faults_of_guessing(variable: str, secret: str) -> Iterator[str]:
    # What is none for another reason is told elsewhere.
    if not secret or is_guid(secret) or mistake_in(secret, secret=True):
        return
    phrase = guessable_password(secret)
    # Shorter than the least that every setting of this name has is told by its own form.
    if phrase is None and SHORTEST_SECRET <= len(secret) < SHORTEST_PASSWORD:
        phrase = f"is shorter than {SHORTEST_PASSWORD} characters, and an authority's own are longer"
    if phrase and len(secret) >= SHORTEST_SECRET:
        yield (
            f"{variable} is set, but {phrase}. It should be the value that the authority gave for the app "
            "registration, or, where one may choose it, what `openssl rand -hex 32` prints."
        )
