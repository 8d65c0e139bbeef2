"""Requests with an idempotency key: the same one again is answered and not sent again, and never are two under way.

Owns the form of a key, the mark of what was asked for, and the record of what became of it: for ten minutes of one
session, of the last ten keys, a hash and an outcome. No body lies there: whoever asks again is told that it is done,
and where to look. Where nobody knew what became of a request, it is sent again with its key: the upstream is the one
that can know. What was refused (4xx) is not remembered, so that it can be mended under the same key.
Never sends a request, and never decides what becomes of one. Nothing is remembered of requests without a session.

Source: draft-ietf-httpapi-idempotency-key-header, and docs/explanation/decisions/2026-11-27-idempotency-keys.md for
where we differ.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol, TypeVar

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy

from gateway.errors import EditInProgress, IdempotencyKeyReused
from gateway.proxy.notes import note
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession
from gateway.store.fields import Field
from gateway.store.leases import Lease, LeaseTaken
from servicekit.errors import UNKNOWN, BadRequest
from servicekit.problems import ProblemError

IDEMPOTENCY_SECONDS: Final = 600
MOST_KEYS: Final = 10
HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
KEY_FORM: Final = re.compile(r"[\x21-\x7e]{1,255}")
_LONGEST_KEPT: Final = 512
"""Of an entity tag, or of an address: what is longer is not told again."""
# Everything else that succeeded says the same without a body, as 204 does (RFC 9110, section 15.3.5).
_STATUSES_KEPT: Final = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.SEE_OTHER})


@dataclass(frozen=True, slots=True)
class RepeatedAnswer:
    """What became of a request with an idempotency key; `mark` is the hash of what was asked for.

    It is `saved`, or nobody knew. `status`, `etag` and `location` are those of the answer, where an upstream gave one.
    The release before wrote the `profile` that it answered instead.
    """

    mark: str
    saved: bool = False
    profile: dict[str, str | None] | None = None
    status: int = 0
    etag: str | None = None
    location: str | None = None

    def response(self) -> web.Response:
        """Return what is answered to whoever asks again: that it is done, and without a body."""
        known = {REPLAYED: "true", "ETag": self.etag, hdrs.LOCATION: self.location}
        return web.Response(
            status=self.status if self.status in _STATUSES_KEPT else HTTPStatus.NO_CONTENT,
            headers={name: value for name, value in known.items() if value},
        )


ANSWER: Final = RecordKind("idempotency", RepeatedAnswer, survives_step_up=True, most=MOST_KEYS)


class Answered(Protocol):
    """The head of an answer, with the headers that the browser gets."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers; names are found in any spelling."""


A = TypeVar("A", bound=Answered)


def idempotency_key(headers: CIMultiDictProxy[str]) -> str | None:
    """Return the key that a request has, if it has one; raises BadRequest."""
    keys = headers.getall(HEADER, [])
    if not keys:
        return None
    # Twice: whatever stands in front of us may have read the other one.
    if len(keys) > 1 or not KEY_FORM.fullmatch(keys[0]):
        raise BadRequest(f"{HEADER} must be there once, with 1 to 255 printable ASCII characters.")
    return keys[0]


def record_of_key(headers: CIMultiDictProxy[str]) -> list[str]:
    """Return the name of the record that a request's key has, to be read with the session; none of a bad key."""
    key = headers.get(HEADER, "")
    return [ANSWER.field(answer_key(key))] if KEY_FORM.fullmatch(key) else []


def answer_key(idempotency_key: str) -> str:
    """Return the key of the record of an idempotency key's answer."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:32]


class RequestMark:
    """The hash of what is asked for: method, path with query, `If-Match`, and the body, which may still be coming."""

    def __init__(self, method: str, path: str, condition: str | None, body: bytes = b"") -> None:
        self._hash = hashlib.sha256()
        for text in (method, path, condition or ""):
            part = text.encode("utf-8", "surrogateescape")
            self._hash.update(len(part).to_bytes(4, "big") + part)
        self._hash.update(body)

    async def watching(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the rest of the body as it comes, and mark it on the way."""
        async for piece in pieces:
            self._hash.update(piece)
            yield piece

    def __str__(self) -> str:
        """Return the mark of what has come so far."""
        return self._hash.hexdigest()


class RepeatedRequest:
    """One request with a key; `mark` is its hash, as text; `now` is the wall clock in seconds."""

    def __init__(self, key: str, mark: RequestMark | str, *, now: Callable[[], float]) -> None:
        self._name = answer_key(key)
        self._mark = mark
        self._now = now

    @property
    def field(self) -> str:
        """The name of the record, and of the lock under which the request is sent."""
        return ANSWER.field(self._name)

    async def earlier(self, session: LiveSession) -> RepeatedAnswer | None:
        """Return what is known of the request before; raises IdempotencyKeyReused where that was another one."""
        earlier = await session.records.get(ANSWER, self._name)
        if earlier and earlier.mark != str(self._mark):
            raise IdempotencyKeyReused
        return earlier

    async def is_done(self, session: LiveSession) -> bool:
        """Tell whether something with this key is done, be it this request or another one."""
        earlier = await session.records.get(ANSWER, self._name)
        return bool(earlier and earlier.saved)

    def entry(self, *, saved: bool, answer: Answered | None = None) -> dict[str, Field]:
        """Return what to write of the request: that it is done, or that nobody knows."""
        status, headers = (answer.status, answer.headers) if answer else (0, {})
        known = RepeatedAnswer(
            str(self._mark),
            saved,
            status=status,
            etag=_short(headers.get(hdrs.ETAG)),
            location=_short(headers.get(hdrs.LOCATION)),
        )
        return ANSWER.entry(known, self._now() + IDEMPOTENCY_SECONDS, self._name)


async def sent_once(
    session: LiveSession,
    repeated: RepeatedRequest,
    send: Callable[[], Awaitable[A]],
    *,
    rest: AsyncIterator[bytes] | None = None,
) -> A | RepeatedAnswer:
    """Send a request unless that is done already, and return the head of its answer, or what became of it before.

    `rest` is what of its body has not come yet, watched by its mark: it is read to the end where nothing is sent, so
    that this body can be compared. Raises EditInProgress, IdempotencyKeyReused, SessionStoreUnavailable, and what
    `send` raises.
    """
    try:
        async with session.records.lease(repeated.field, fields=[repeated.field], wait=0) as lease:
            if rest is None or await repeated.is_done(session):
                async for _ in rest or _nothing():
                    pass
                earlier = await repeated.earlier(session)
                if earlier and earlier.saved:
                    return earlier
            return await _sent(session, repeated, send, lease)
    except LeaseTaken:
        raise EditInProgress from None


async def _sent(
    session: LiveSession, repeated: RepeatedRequest, send: Callable[[], Awaitable[A]], lease: Lease
) -> A:
    try:
        answer = await send()
    except ProblemError as problem:
        if problem.members.get("outcome") == UNKNOWN:
            await note(session, repeated.entry(saved=False), lease)
        raise
    except asyncio.CancelledError:
        await note(session, repeated.entry(saved=False), lease)
        raise
    if _is_done(answer.status):
        await note(session, repeated.entry(saved=True, answer=answer), lease)
    elif answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        await note(session, repeated.entry(saved=False), lease)
    return answer


def _is_done(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.SEE_OTHER


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST_KEPT else None


async def _nothing() -> AsyncIterator[bytes]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
