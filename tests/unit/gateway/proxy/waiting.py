"""A request that waits, and the session that it waits in."""

import hashlib
from typing import Any

from gateway.proxy.parked_form import PARKED, ParkedRequest
from gateway.proxy.parked_requests import LARGEST_PARKED, SENDING, ParkedRequests
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.vault import Successor
from tests.unit.gateway.store_of_tests import ada

NOISE = hashlib.shake_128(b"noise").digest(LARGEST_PARKED)
POST = ParkedRequest("notes", "POST", "/api/notes", (("Content-Type", "text/plain"),), b"hello")


async def park(parked: ParkedRequests, session: LiveSession, request: ParkedRequest = POST) -> str:
    """Park a request and return its id."""
    reference, entry = parked.parking(request)
    assert await parked.has_room(session, entry)
    assert await session.records.put(entry)
    assert all(session.records.raw(list(entry)))
    return reference["id"]


async def anew(sessions: SessionStore, session: LiveSession) -> LiveSession:
    """Open the session once more, as the next request does."""
    opened = await sessions.load(session.cookie)
    assert opened
    return opened


async def rotated(sessions: SessionStore, session: LiveSession, *kinds: RecordKind[Any]) -> LiveSession:
    """Give the session another id, as a step-up does."""
    live = await sessions.load(session.cookie, everything=True)
    assert live
    records, mark = await live.records.survivors(kinds or [PARKED, SENDING])
    cookie = SessionCookie.new(session.ref.family)
    successor = await sessions.start(ada(), records, cookie=cookie, successor=Successor(session.ref, mark))
    assert successor
    return successor
