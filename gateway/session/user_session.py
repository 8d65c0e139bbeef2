"""What a session says of its person, and a session that was opened with that.

Owns the record that every session has, and the two ends of a session.
Never reads or writes one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gateway.audit.subject import Subject
from gateway.session.confirmation import Confirmation
from gateway.session.cookie import SessionCookie
from gateway.session.indexed_sessions import Index
from gateway.session.opened_records import OpenedRecords
from gateway.session.records import SessionRecords
from gateway.store.names import SessionRef, digest_of

_AROUND: Final = 4_000
_UNPACKED: Final = 4


class UserSession(BaseModel):
    """What a session remembers of its person; never changed after it was written, only replaced.

    Times are whole seconds since 1970, UTC: `ends_at` is its end where its tokens cannot be renewed. `confirmations`
    are those given in this session, by the keys of resources. The release before knows of them by `last_mfa_at` (for
    editing), `last_step_up_at` (for either of its two) and `step_ups_in_vain`, and reads and writes those alone.
    `claims` are the ID token's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    tid: str
    oid: str
    sub: str
    name: str
    username: str
    sid: str = ""
    device: str = ""
    created_at: int
    last_mfa_at: int | None = None
    last_step_up_at: int | None = None
    step_ups_in_vain: int = 0
    confirmations: dict[str, Confirmation] | None = None
    ends_at: int | None = None
    claims: dict[str, Any] = {}

    @property
    def last_confirmed_at(self) -> int | None:
        """When the person confirmed last, for whatever it was."""
        given = [one.at for one in (self.confirmations or {}).values()]
        return max(given, default=self.last_mfa_at)

    def is_same_person(self, other: "UserSession") -> bool:
        """Tell whether both are one person: tenant, object and subject agree (OIDC Core, section 12.2)."""
        return (self.tid, self.oid, self.sub) == (other.tid, other.oid, other.sub)


def user_of(stored: bytes) -> UserSession | None:
    """Return what a session's record says, which is JSON; None for what is no such record."""
    try:
        return UserSession.model_validate_json(stored)
    except ValidationError:
        return None


@dataclass(slots=True, eq=False)
class OpenedSession:
    """A session as it was opened at the mark of its `records`; `command` asks Redis for its mark of now."""

    cookie: SessionCookie
    user: UserSession
    idle_at: float
    absolute_at: float
    command: bytes
    records: OpenedRecords
    subject: Subject
    fields: Sequence[str] = ()
    """What was asked for last, all of which is there."""

    @property
    def size(self) -> int:
        """About how many bytes it takes: what was read, what it is unpacked to, and what stands around it."""
        return _AROUND + _UNPACKED * sum(len(stored or b"") for stored in self.records.stored.values())

    def recounted(self) -> int:
        """Return its size, in which all that it has grown by is counted from now on."""
        self.records.grown = 0
        return self.size


@dataclass(slots=True)
class LiveSession:
    """A session that was opened and is within its limits, with its records; times in seconds since 1970.

    Nobody changes it. It is not frozen only because each request has one, and Python makes such ones three times as
    slowly.
    """

    cookie: SessionCookie
    user: UserSession
    idle_at: float
    absolute_at: float
    records: SessionRecords = field(compare=False)
    opened: OpenedSession | None = field(default=None, compare=False, repr=False)
    """What other requests may find as well, where it is kept."""

    @property
    def ref(self) -> SessionRef:
        """The session's name."""
        return self.cookie.ref

    @property
    def subject(self) -> Subject:
        """Whom the audit trail names."""
        return self.opened.subject if self.opened else Subject(self.user.tid, self.user.oid, self.ref)


def indexes_of(user: UserSession) -> list[Index]:
    """Return the indexes that name a session of `user`: the person's own first."""
    # Entra's `sub` is another one for each application, and is what a logout token names.
    indexes = [("person", digest_of(user.tid, user.oid)), ("sub", digest_of(user.tid, user.sub))]
    return [*indexes, ("sid", digest_of(user.tid, user.sid))] if user.sid else indexes
