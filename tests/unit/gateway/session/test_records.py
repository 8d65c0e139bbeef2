"""The records of a session: read once, written in one step, and what a request knows of them meanwhile."""

import asyncio
import secrets
from dataclasses import dataclass

import pytest

from gateway.session.records import RecordKind, SessionRecords
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.fields import Field
from gateway.store.leases import LeaseTaken
from gateway.store.vault import SEEN, SESSION_BYTES, Vault
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW, begun


@dataclass(frozen=True)
class Note:
    """Something to keep."""

    text: str


NOTE = RecordKind("note", Note, survives_step_up=True)
BLOB = RecordKind("blob", bytes)
LATER = NOW + 60


def of(session: LiveSession, vault: Vault) -> SessionRecords:
    """Return the records of another request, which has read nothing yet."""
    return SessionRecords(vault, session.ref, session.cookie.secret, {})


def test_a_record_lies_in_the_field_of_its_kind_and_key() -> None:
    assert (NOTE.field(), NOTE.field("one")) == ("note", "note:one")
    assert NOTE.version_field == "note_version"
    assert (NOTE.survives_step_up, BLOB.survives_step_up) == (True, False)


def test_a_record_is_written_as_json_and_bytes_as_they_are() -> None:
    assert NOTE.entry(Note("hi"), LATER) == {"note": Field(b'{"text":"hi"}', LATER)}
    assert NOTE.entry(Note("hi"), LATER, "one") == {"note:one": Field(b'{"text":"hi"}', LATER)}
    assert BLOB.entry(b"\xff{}", LATER) == {"blob": Field(b"\xff{}", LATER)}
    assert NOTE.record(Note("hi"), LATER).keyed


def test_R27_a_record_is_read_as_its_kind_and_none_where_it_is_none() -> None:
    assert NOTE.read(b'{"text":"hi","of":"another version"}') == Note("hi")
    assert NOTE.read(b'{"word":"hi"}') is None
    assert BLOB.read(b"{") == b"{"


async def test_what_was_read_with_the_cookie_is_not_read_again(sessions: SessionStore) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER) | BLOB.entry(b"x", LATER))
    live = await sessions.load(session.cookie, ["note"])
    assert live
    await sessions.end(session, "signed-out")

    assert await live.records.get(NOTE) == Note("hi")
    assert await live.records.get(BLOB) is None, "this one had to be read, and the session is gone"


async def test_a_record_that_nobody_read_is_read_when_it_is_asked_for_once(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER, "one"))
    records = of(session, vault)

    assert await records.get(NOTE, "one") == Note("hi")
    assert await records.get(NOTE) is None
    await sessions.end(session, "signed-out")
    assert await records.get(NOTE, "one") == Note("hi")


async def test_several_records_of_a_kind_are_read_in_one_step_and_none_is_made_up(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    written = NOTE.entry(Note("1"), LATER, "one") | NOTE.entry(Note("2"), LATER + 60, "two")
    session = await begun(sessions, written)
    records = of(session, vault)

    assert await records.get_all(NOTE, ("two", "none", "one")) == {"two": Note("2"), "one": Note("1")}
    await sessions.end(session, "signed-out")
    assert await records.get_all(NOTE, ("one", "none")) == {"one": Note("1")}, "it was not read again"
    clock.now = LATER
    assert await records.get_all(NOTE, ("one", "two")) == {"two": Note("2")}, "one has ended"
    assert await SessionRecords(vault, session.ref, b"s" * 32, {}).get_all(NOTE, ("two",)) == {}


async def test_a_record_ends_and_another_sessions_secret_opens_none(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER))

    assert await SessionRecords(vault, session.ref, b"s" * 32, {}).get(NOTE) is None
    clock.now = LATER
    assert await of(session, vault).get(NOTE) is None


async def test_whoever_knows_everything_asks_for_nothing(vault: Vault, sessions: SessionStore) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER))
    records = SessionRecords(vault, session.ref, session.cookie.secret, {}, complete=True)

    assert await records.get(NOTE) is None
    assert await records.version(NOTE) == 0
    await records.refresh_all()
    assert await records.get(NOTE) == Note("hi")
    assert await session.records.put(BLOB.entry(b"x", LATER))
    assert await records.get(BLOB) is None, "everything was read before that"
    await records.refresh(["blob"])
    assert await records.get(BLOB) == b"x"
    assert await records.get(NOTE) == Note("hi"), "what was known before stays known"


async def test_a_request_that_read_nothing_is_not_complete(sessions: SessionStore) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER))
    live = await sessions.load(session.cookie)
    assert live

    assert await live.records.get(NOTE) == Note("hi")


async def test_what_is_written_is_known_and_there_for_others(vault: Vault, sessions: SessionStore) -> None:
    session = await begun(sessions)
    other = of(session, vault)

    assert await session.records.put(NOTE.entry(Note("hi"), LATER) | BLOB.entry(b"x", LATER))

    assert await session.records.get(NOTE) == await other.get(NOTE) == Note("hi")
    assert await session.records.get(BLOB) == b"x"
    assert await session.records.put({"note": None})
    assert await session.records.get(NOTE) is None
    assert await other.get(NOTE) == Note("hi"), "the other has read it already"
    await other.refresh(["note"])
    assert await other.get(NOTE) is None


async def test_R13_nothing_is_written_to_a_session_that_has_ended(sessions: SessionStore) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER))
    assert await session.records.end_reason() is None
    assert await session.records.get(NOTE) == Note("hi")
    await sessions.end(session, "signed-out")

    assert not await session.records.put(NOTE.entry(Note("late"), LATER))

    assert await session.records.get(NOTE) == Note("hi"), "nothing was written, so nothing else is known"
    assert await session.records.end_reason() == "signed-out"
    assert await sessions.load(session.cookie) is None


async def test_removing_takes_what_is_there_and_minds_nothing_else(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER) | BLOB.entry(b"x", LATER))

    await session.records.remove("note", "blob", "never was")

    assert await of(session, vault).get(NOTE) is None
    assert await of(session, vault).get(BLOB) is None


async def test_R13_a_record_is_replaced_only_over_the_version_that_was_read(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    records, late = session.records, of(session, vault)
    assert await late.version(NOTE) == 0

    assert await records.swap(NOTE, NOTE.entry(Note("first"), LATER), version=0)
    assert not await late.swap(
        NOTE, NOTE.entry(Note("late"), LATER), version=0, beside=BLOB.entry(b"beside", LATER)
    )

    assert await records.get(NOTE) == Note("first")
    assert await late.get(NOTE) == Note("first"), "what it could not write, it does not know"
    assert await late.get(BLOB) == b"beside", "that was written whatever the version"
    await records.refresh([NOTE.version_field, "blob"])
    assert await records.version(NOTE) == 1
    assert await records.get(BLOB) == b"beside"
    assert await records.swap(NOTE, NOTE.entry(Note("second"), LATER), version=1)
    assert await of(session, vault).version(NOTE) == 2


async def test_R13_a_swap_in_a_session_that_has_ended_writes_nothing(sessions: SessionStore) -> None:
    session = await begun(sessions)
    await sessions.end(session, "signed-out")

    assert not await session.records.swap(NOTE, NOTE.entry(Note("hi"), LATER), version=0)
    assert await session.records.get(NOTE) is None


async def test_only_what_says_so_survives_a_step_up(sessions: SessionStore, clock: MovableClock) -> None:
    session = await begun(sessions, NOTE.entry(Note("plain"), LATER) | BLOB.entry(b"x", LATER))
    await session.records.put(NOTE.entry(Note("by key"), LATER + 60, "one"))
    await session.records.put(NOTE.entry(Note("ended"), NOW + 1, "two"))
    clock.now += 2

    live = await sessions.load(session.cookie, everything=True)
    assert live
    fields, mark = await live.records.survivors([NOTE, BLOB])

    assert fields == {
        "note": Field(b'{"text":"plain"}', LATER),
        "note:one": Field(b'{"text":"by key"}', LATER + 60),
    }
    assert mark == b"2", "two writes until then"


async def test_the_mark_of_a_session_that_was_never_written_is_naught(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, NOTE.entry(Note("hi"), LATER))

    assert await of(session, vault).survivors([NOTE]) == ({}, b"0"), "of what was read, and nothing was"


async def test_R11_a_lease_lets_one_work_and_knows_anew_what_it_protects(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, NOTE.entry(Note("old"), LATER))
    records, other = session.records, of(session, vault)
    assert await records.get(NOTE) == Note("old")
    await other.put(NOTE.entry(Note("new"), LATER) | BLOB.entry(b"x", LATER))
    assert await records.get(BLOB) == b"x"
    await other.remove("blob")

    async with records.lease("work", fields=["note"]) as lease:
        assert lease.name == "work"
        assert set(lease.stored) == {"note", SEEN}
        assert await records.get(NOTE) == Note("new")
        assert await records.get(BLOB) == b"x", "what was not asked for is as known before"
        with pytest.raises(LeaseTaken):
            async with other.lease("work", wait=0):
                pass
        async with other.lease("other work", wait=0):
            pass

    async with other.lease("work", wait=0) as again:
        assert not again.released


async def test_R11_a_write_may_let_go_of_the_lease(vault: Vault, sessions: SessionStore) -> None:
    session = await begun(sessions)
    records, other = session.records, of(session, vault)

    async with records.lease("work", wait=0) as lease:
        assert await records.put(NOTE.entry(Note("hi"), LATER), release=lease)
        assert lease.released
        async with other.lease("work", wait=0) as theirs:
            assert await other.swap(NOTE, NOTE.entry(Note("over"), LATER), version=0, release=theirs)
            assert theirs.released
            async with records.lease("work", wait=0):
                pass


async def test_R11_whoever_waits_for_a_lease_gets_it_when_it_is_let_go(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    other = of(session, vault)

    async def wait() -> None:
        async with other.lease("work"):
            pass

    async with session.records.lease("work"):
        waiting = asyncio.create_task(wait())
        with pytest.raises(LeaseTaken):
            async with other.lease("work", wait=0.1):
                pass
        assert not waiting.done()
    await waiting


async def test_A2_what_a_session_has_no_room_for_is_known_as_not_being_there(
    vault: Vault, sessions: SessionStore
) -> None:
    several = RecordKind("several", bytes, most=2)
    session = await begun(sessions, BLOB.entry(b"x", LATER))
    large = several.entry(secrets.token_bytes(SESSION_BYTES), LATER, "large")

    assert await session.records.put({**large, **NOTE.entry(Note("hi"), LATER)}), "the session lives"

    assert session.records.raw(["several:large"]) == (None,)
    assert await session.records.get(several, "large") is None
    assert await of(session, vault).get(NOTE) == Note("hi")
    for number in range(4):
        assert await session.records.put(several.entry(b"small", LATER + number, str(number)))
    others = of(session, vault)
    assert [await others.get(several, str(number)) is not None for number in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert await others.get(several, "large") is None
    assert await others.get(BLOB) == b"x"
