"""The members of what the endpoints answer, as types: for the handlers that build them, and for the description.

Never knows how an answer comes about.
"""

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypeAliasType, TypedDict

from gateway.profile.fields import EDITABLE, MEMBERS
from servicekit.http.bodies import LARGEST_BODY
from servicekit.text_schemas import object_schema, patch_schema

# The text below a member is what the description says of it.
_described = with_config(ConfigDict(use_attribute_docstrings=True))
# What others send may hold more than we read.
_open = with_config(ConfigDict(extra="allow"))

Time = TypeAliasType(
    "Time",
    Annotated[
        str,
        Field(
            description="RFC 3339, UTC.",
            pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
            json_schema_extra={"format": "date-time"},
        ),
    ],
)
Identifier = TypeAliasType("Identifier", Annotated[str, Field(pattern="^[A-Za-z0-9_-]{22}$")])
EndReason = TypeAliasType(
    "EndReason",
    Literal[
        "expired",
        "signed-out",
        "revoked",
        "rotated",
        "replaced",
        "ended-elsewhere",
        "ended-by-operator",
        "too-many-sessions",
    ],
)


ActivityEvent = TypeAliasType(
    "ActivityEvent", Literal["sign-in", "sign-up", "step-up", "profile-edit", "sign-out", "session-end"]
)
Outcome = TypeAliasType("Outcome", Literal["success", "refused", "failed", "unknown"])


class Anonymous(TypedDict):
    """Nobody is signed in."""

    authenticated: Literal[False]
    sign_in: str
    sign_up: str
    reason: NotRequired[Literal["duplicate-cookie"]]


@_described
class Person(TypedDict):
    """The person who is signed in."""

    id: str
    """The person's object id: stable, the key for data of your own."""
    name: str
    username: str
    """What the person signs in with; it can change."""
    email_hint: str | None
    """The address, masked; null when the user name is none."""


class Expires(TypedDict):
    """When the session ends if nothing happens, and when it ends at the latest."""

    idle_at: Time
    absolute_at: Time


Access = TypedDict(
    "Access",
    {
        "profile.edit": Annotated[
            str,
            Field(
                description="Whether an edit would go through now. A hint: the resource API decides.",
                json_schema_extra={"enum": ["granted", "step-up"]},
            ),
        ]
    },
)


ACCESS_OF_A_ROW: Final[dict[str, Any]] = {
    "description": "Whether a request to this upstream would go through now; `untried` where nobody knows yet. "
    "A hint: the upstream decides.",
    "type": "string",
    "enum": ["granted", "step-up", "untried"],
}
"""What `Access` has for each row with a scope, by the row's name."""


class Csrf(TypedDict):
    """The header that every call carries."""

    header: Literal["X-CSRF"]
    value: Literal["1"]


@_described
class SignedIn(TypedDict):
    """Somebody is."""

    authenticated: Literal[True]
    user: Person
    expires: Expires
    access: Access
    csrf: Csrf
    step_up: str
    """Where to navigate to confirm before editing."""
    sign_out: str
    change_password: NotRequired[str]
    """Where people change their password, on a site of its own; absent while `GATEWAY_CHANGE_PASSWORD_URL` is unset."""


class Claims(TypedDict):
    """The ID token's claims."""

    claims: dict[str, Any]


@_described
class OwnSession(TypedDict):
    """One of the person's sessions."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """Names the session in this list; opens nothing."""
    device: str
    """What the browser called itself at sign-in."""
    created_at: Time
    last_seen_at: Time
    last_mfa_at: Time | None
    """When the person last confirmed in this session."""
    current: bool


class OwnSessions(TypedDict):
    """The person's sessions."""

    sessions: list[OwnSession]


@_described
class SessionOfActivity(TypedDict):
    """In which session it was done."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """The same for everything that was done in one session; opens nothing, and is no `id` of `/api/sessions`."""
    current: bool
    """Whether it is the session that asks."""


@_described
class ActivityEntry(TypedDict):
    """Something that was done with the person's account."""

    at: Time
    event: ActivityEvent
    outcome: Outcome
    """`refused` by a rule or the person, `failed` by a fault behind us, `unknown` where nobody can tell."""
    reason: NotRequired[Annotated[str, Field(pattern="^[a-z0-9-]+$")]]
    """Why it did not succeed, as a problem's slug; of `session-end`, why the sessions ended."""
    device: NotRequired[str]
    """What the browser called itself."""
    network: NotRequired[str]
    """The network it came from: of IPv4 the first 24 bits, of IPv6 the first 56."""
    fields: NotRequired[list[str]]
    """Of `profile-edit`, the names of what was to be changed; never a value."""
    sessions: NotRequired[Annotated[int, Field(ge=0)]]
    """Of `session-end`, how many ended."""
    session: SessionOfActivity
    reference: NotRequired[str]
    """What support finds the request by."""


class Activity(TypedDict):
    """The person's own last entries, newest first."""

    entries: list[ActivityEntry]


class Ended(TypedDict):
    """How many sessions ended."""

    ended: Annotated[int, Field(ge=0)]


@_described
class SignedOut(TypedDict):
    """Signed out here."""

    redirect: str
    """An address to navigate to, of another origin as a rule."""


EVENT_STREAM: Final = Annotated[str, "server-sent events"]


class AccessChanged(TypedDict):
    """The data of `access-changed`: what the session may do from now on."""

    access: Access


class SessionExpiring(TypedDict):
    """The data of `session-expiring`: two minutes before the end, or half-way through a session of less than four."""

    expires: Expires


class SessionEnded(TypedDict):
    """The data of `session-ended`, the last event. The reason is never `rotated`."""

    reason: EndReason


PROFILE: Final = object_schema("Profile", MEMBERS)
PROFILE_PATCH: Final = patch_schema(
    "ProfilePatch",
    "Any of the ten fields that a person may change. Texts are trimmed and otherwise kept as they were typed; "
    "lengths count UTF-16 code units after that. One of which nothing is seen is empty; `streetAddress` may have "
    "line breaks.",
    EDITABLE,
)


class ParkedEditHandle(TypedDict):
    """An edit that waits for its person."""

    id: Identifier
    expires_at: Time


FieldChange = TypedDict(
    "FieldChange",
    {
        "field": Annotated[str, Field(json_schema_extra={"enum": list(EDITABLE.names)})],
        "from": str | None,
        "to": str | None,
    },
)


class ParkedEdit(TypedDict):
    """What an edit that waits will change."""

    id: Identifier
    changes: list[FieldChange]
    expires_at: Time


@_open
class AuthorizationResponse(TypedDict):
    """RFC 6749, section 4.1.2: `state` and one of `code` and `error`, each once; other members are not read."""

    state: str
    code: NotRequired[str]
    error: NotRequired[str]
    iss: NotRequired[str]
    session_state: NotRequired[str]


@_open
class LogoutRequest(TypedDict):
    """The form in which the authority sends its logout token."""

    logout_token: Annotated[str, Field(max_length=LARGEST_BODY)]


class Live(TypedDict):
    """The process answers."""

    status: Literal["live"]


class Stopping(TypedDict):
    """The process ends soon, and wants no more work."""

    status: Literal["stopping"]


class Ready(TypedDict):
    """Sessions can be read."""

    status: Literal["ready"]
