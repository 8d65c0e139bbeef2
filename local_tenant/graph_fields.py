"""What Graph knows about a user resource: properties, which of them a person may change, and their limits.

Source: Graph's user resource type; Entra's reference of user permissions in external tenants.
Lengths count UTF-16 units; the documentation doesn't say what they count.
"""

import re
from dataclasses import dataclass
from typing import Final

ALWAYS: Final = (
    *("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone"),
    *("officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id"),
)
"""What ``GET /me`` shows without ``$select``."""
ON_REQUEST: Final = (
    *(
        "city",
        "country",
        "postalCode",
        "state",
        "streetAddress",
        "identities",
        "otherMails",
        "accountEnabled",
    ),
    *("createdDateTime", "creationType", "userType", "companyName", "department", "employeeId", "faxNumber"),
    *("ageGroup", "usageLocation", "mailNickname", "proxyAddresses", "imAddresses", "externalUserState"),
    *("onPremisesSyncEnabled", "signInSessionsValidFromDateTime"),
)
"""What ``$select`` brings beside them; there is more in Graph, custom attributes among it."""
_SPELLINGS: Final = {name.casefold(): name for name in (*ALWAYS, *ON_REQUEST)}
LONGEST: Final = {
    "displayName": 256,
    "givenName": 64,
    "surname": 64,
    "jobTitle": 128,
    "city": 128,
    "country": 128,
    "state": 128,
    "postalCode": 40,
    "streetAddress": 1024,
    "preferredLanguage": 35,
}
"""The ten properties that a person in an external tenant may change, and how long they may be."""
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(eq=False)
class GraphRefusal(Exception):
    """Graph says no; ``target`` names the property, where there is one."""

    status: int
    code: str
    message: str
    target: str | None = None
    claims: str | None = None
    """A claims challenge, as continuous access evaluation sends one with a 401."""
    allow: str | None = None
    """The methods that there are, with a 405."""


def invalid(name: str) -> GraphRefusal:
    """Return the refusal of a property's value."""
    return GraphRefusal(
        400, "Request_BadRequest", f"Invalid value specified for property '{name}' of resource 'User'.", name
    )


def selected(profile: dict[str, object], select: str | None) -> dict[str, object]:
    """Return the properties that were asked for, in any case, as Graph takes it. Raises GraphRefusal for another."""
    names = [name.strip() for name in select.split(",")] if select else list(ALWAYS)
    if unknown := [name for name in names if name.casefold() not in _SPELLINGS]:
        raise GraphRefusal(
            400,
            "BadRequest",
            f"Could not find a property named '{unknown[0]}' on type 'microsoft.graph.user'.{_why(unknown[0])}",
        )
    spelled = [_SPELLINGS[name.casefold()] for name in names]
    return {name: profile.get(name) for name in spelled}


def _why(name: str) -> str:
    custom = name.casefold().startswith("extension_")
    return " The local tenant does not do this: custom attributes." if custom else ""


def check_changes(changes: object) -> dict[str, object]:
    """Return a valid change, without annotations (OData JSON 4.01, 20): they say something about the data.

    Raises GraphRefusal: 400 for the malformed, 403 for what isn't a person's to change.
    """
    if isinstance(changes, dict):
        changes = {name: value for name, value in changes.items() if "@" not in name}
    if not isinstance(changes, dict) or not changes:
        raise GraphRefusal(
            400, "BadRequest", "Empty Payload. JSON content expected." if not changes else "Invalid JSON."
        )
    for name, value in changes.items():
        if name not in (*ALWAYS, *ON_REQUEST):
            raise GraphRefusal(
                400,
                "Request_BadRequest",
                f"One or more property values specified are invalid: '{name}'.{_why(name)}",
                name,
            )
        if name not in LONGEST:
            raise GraphRefusal(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        _check(name, value)
    return changes


def _check(name: str, value: object) -> None:
    if value is None:
        if name == "displayName":
            raise GraphRefusal(
                400,
                "Request_BadRequest",
                f"A value is required for property '{name}' of resource 'User'.",
                name,
            )
        return
    if not isinstance(value, str) or not value.strip():
        raise invalid(name)
    try:
        units = len(value.encode("utf-16-le")) // 2
    except UnicodeEncodeError:  # half a character: JSON can say it, no page can show it
        raise invalid(name) from None
    if units > LONGEST[name]:
        raise invalid(name)
    if name == "preferredLanguage" and not _LANGUAGE.fullmatch(value):
        raise invalid(name)
