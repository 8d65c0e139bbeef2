"""Records whose time comes: the next one to end, and those that a successor has as well."""

import math

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import SessionStore
from gateway.store.vault import Successor, Vault
from tests.unit.gateway.session.test_records import LATER, NOTE, Note
from tests.unit.gateway.store_of_tests import NOW, begun


async def test_the_next_end_is_that_of_the_first_record_to_end_that_has_not_ended_yet(
    sessions: SessionStore,
) -> None:
    entries = {**NOTE.entry(Note("a"), NOW + 50, "a"), **NOTE.entry(Note("b"), NOW + 70, "b")}
    records = (await begun(sessions, entries)).records
    names = [NOTE.field("a"), NOTE.field("b"), NOTE.field("never")]

    assert records.next_end(names, NOW) == math.inf, "nothing was read yet"
    await records.refresh(names)
    assert [records.next_end(names, NOW + later) for later in (0, 49.5, 50, 69, 70)] == [
        NOW + 50,
        NOW + 50,
        NOW + 70,
        NOW + 70,
        math.inf,
    ]


async def test_what_is_done_with_is_removed_from_the_session_that_a_step_up_made_of_it_too(
    sessions: SessionStore,
) -> None:
    old = await begun(sessions)
    cookie = SessionCookie.new(old.cookie.family)
    entry = NOTE.entry(Note("waits"), LATER)
    successor = await sessions.start(old.user, entry, cookie=cookie, successor=Successor(old.ref, b"0"))
    assert successor

    await old.records.remove_from_successors([NOTE.field()])

    assert await successor.records.get(NOTE) is None


async def test_what_begins_now_is_dated_by_redis(sessions: SessionStore, vault: Vault) -> None:
    assert NOW <= await vault.time() <= await sessions.time()
