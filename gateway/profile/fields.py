"""The profile, as the gateway shows it and takes changes to it.

Owns its twelve members, the ten that a person may change, their limits, and the reading of a request's body.
Never talks to anyone. The resource API checks every change again: this check saves a round trip, that one is the law.

Fields and limits: Microsoft Graph, user resource; External ID, what a customer may change with User.ReadWrite.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NewType

from aiohttp import hdrs, web

from gateway.errors import InvalidProfilePatch
from servicekit.http.answers import Answer
from servicekit.http.bodies import read_json
from servicekit.http.conditions import etag_of
from servicekit.text_fields import FieldFaults, TextField, TextFields, same_text

Profile = NewType("Profile", dict[str, str | None])
Changes = dict[str, str | None]

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
    (
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
            form=re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"),
            form_says="a language tag such as en-US",
        ),
    )
)


def profile_of(body: Any) -> Profile:
    """Return the twelve members of what Graph or the API answered; raises ValueError when it is no profile."""
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise ValueError("no profile")  # noqa: TRY004 - one kind of fault, whatever is wrong
    members = {name: body.get(name) for name in MEMBERS}
    if any(value is not None and not isinstance(value, str) for value in members.values()):
        raise ValueError("a member is not text")
    return Profile(members)


def with_changes(profile: Profile, changes: Mapping[str, str | None]) -> Profile:
    """Return the profile as it is once `changes` are applied."""
    return Profile({**profile, **changes})


def holds(profile: Profile, changes: Changes) -> bool:
    """Tell whether `profile` has every value of `changes` already, in whatever normal form the directory keeps it."""
    return all(same_text(profile.get(name), value) for name, value in changes.items())


def answer(profile: Profile) -> web.Response:
    """Return the answer that a profile is, with its entity tag."""
    return ProfileAnswer(profile).response()


class ProfileAnswer:
    """What is answered for a profile, made ready: the same answer may go out many times."""

    __slots__ = ("_body", "_etag", "profile")

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._body = json.dumps(profile).encode()
        self._etag = etag_of(profile)

    def response(self) -> web.Response:
        """Return an answer, which goes out once."""
        return Answer(self._body, headers={hdrs.ETAG: self._etag})


async def read_changes(request: web.Request) -> Changes:
    """Return the validated changes that a request's body holds.

    Raises UnsupportedMediaType, BodyTooLarge, RequestTimedOut, BadRequest, InvalidProfilePatch; nothing was sent
    anywhere by then.
    """
    body = await read_json(request)
    try:
        return EDITABLE.read(body)
    except FieldFaults as faults:
        raise InvalidProfilePatch([fault.as_json() for fault in faults.errors]) from faults
