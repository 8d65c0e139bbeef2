"""The profile: the twelve members that are shown, and the ten that a person may change.

Owns the fields and their limits (Microsoft Graph's, for what `User.ReadWrite` lets people in an external tenant
change), and the projection of what Graph answers.
Never passes on a member that is not named here, in either direction.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from resource_api.errors import InvalidProfilePatch
from servicekit.text_fields import FieldFaults, TextField, TextFields, same_text

Profile = dict[str, str | None]

MEMBERS: Final = (
    "id",
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "preferredLanguage",
    "mail",
)

EDITABLE: Final = TextFields(
    [
        TextField("displayName", 256, required=True),
        TextField("givenName", 64),
        TextField("surname", 64),
        TextField("jobTitle", 128),
        TextField("streetAddress", 1024, lines=True),
        TextField("city", 128),
        TextField("state", 128),
        TextField("postalCode", 40),
        TextField("country", 128),
        TextField(
            "preferredLanguage",
            35,
            # A language tag (RFC 5646) in outline; Graph's documentation names ISO 639-1 with a region.
            form=re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
            form_says="a language tag such as en-US",
        ),
    ]
)


@dataclass(frozen=True, slots=True)
class ProfilePatch:
    """A validated change; None clears a field."""

    changes: Mapping[str, str | None]

    @classmethod
    def read(cls, body: object) -> "ProfilePatch":
        """Return the change that a request's body asks for; raises InvalidProfilePatch with every fault."""
        try:
            return cls(EDITABLE.read(body))
        except FieldFaults as faults:
            raise InvalidProfilePatch(faults.errors) from faults

    def applied_to(self, profile: Profile) -> Profile:
        """Return the profile as it is once this change is saved."""
        return {**profile, **self.changes}

    def shows_in(self, profile: Profile) -> bool:
        """Tell whether `profile` already has every value that this change sets."""
        return all(same_text(profile[name], value) for name, value in self.changes.items())


def profile_of(body: object) -> Profile:
    """Project what Graph answered to the twelve members, null where not set.

    Raises ValueError when it is no profile: no object, no id, or a member that is neither text nor null.
    """
    if not isinstance(body, Mapping):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of fault for one answer
    profile: Profile = {}
    for name in MEMBERS:
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"{name} is not text")
        profile[name] = value
    if not profile["id"]:
        raise ValueError("no id")
    return profile
