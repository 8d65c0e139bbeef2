"""A request that waits for its person, and how it lies in Redis.

Owns the form: the head as JSON, a line feed, then the body as it came, so that a body of any kind takes no more than
it has. An edit of the profile is written as the release before wrote it, which opens it in a rolling update; the next
release writes and reads that form no more.
Never decides what is kept, or for how long.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.session.records import RecordKind
from gateway.store.stored_form import read_record

MOST_PARKED: Final = 3
"""In a session; the youngest. Whoever is interrupted a fourth time wants that one, and is told of the first."""
PARKED: Final = RecordKind("parked", bytes, survives_step_up=True, most=MOST_PARKED)
PROFILE: Final = "profile"
"""The upstream whose edits the release before parked."""
PROFILE_PATH: Final = "/api/profile"

_HEAD_END: Final = b"\n"
_CONDITION: Final = "If-Match"
_CONTENT_TYPE: Final = "Content-Type"


@dataclass(frozen=True, slots=True)
class ParkedRequest:
    """A request as the browser sent it: `path` with its query, the headers that go with it, and the whole body.

    `expires_at` is when it waits no more, in seconds since 1970; 0 before it is parked.
    """

    upstream: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    expires_at: float = 0.0

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in whatever case it was sent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def content_type(self) -> str:
        """The body's type without its parameters, in small letters; empty where it has none."""
        return (self.header(_CONTENT_TYPE) or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class _Head:
    upstream: str
    method: str
    path: str
    headers: list[tuple[str, str]]
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Edit:
    """An edit of the profile, as the release before parked it."""

    changes: dict[str, str | None]
    condition: str | None = None
    expires_at: float = field(default=0.0)


def written(request: ParkedRequest) -> bytes:
    """Return what lies in Redis."""
    if request.upstream == PROFILE:
        changes = json.loads(request.body)
        return _json(asdict(_Edit(changes, request.header(_CONDITION), request.expires_at)))
    head = _Head(
        request.upstream,
        request.method,
        request.path,
        [(name, _carried(value)) for name, value in request.headers],
        request.expires_at,
    )
    return _json(asdict(head)) + _HEAD_END + request.body


def read(stored: bytes) -> ParkedRequest | None:
    """Return what `written` wrote, in this release or the one before; None for anything else."""
    text, end, body = stored.partition(_HEAD_END)
    if not end:
        edit = read_record(_Edit, stored)
        return _of_edit(edit) if edit else None
    head = read_record(_Head, text)
    if head is None:
        return None
    headers = tuple((name, _brought_back(value)) for name, value in head.headers)
    return ParkedRequest(head.upstream, head.method, head.path, headers, body, head.expires_at)


def _of_edit(edit: _Edit) -> ParkedRequest:
    headers = [(_CONTENT_TYPE, "application/merge-patch+json")]
    if edit.condition is not None:
        headers.append((_CONDITION, edit.condition))
    return ParkedRequest(PROFILE, "PATCH", PROFILE_PATH, tuple(headers), _json(edit.changes), edit.expires_at)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _carried(value: str) -> str:
    """Return a header's bytes as letters: one that is no UTF-8 (RFC 9110, section 5.5) is not valid in JSON."""
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def _brought_back(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "surrogateescape")
