"""Sessions: how one begins, what opens it, how long it lives, and the ways in which it ends (S14 to S18)."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.session.records import RecordKind
from gateway.session.sessions import RECORD, SessionStore, UserSession
from gateway.session.summary import SUMMARY, SessionSummary
from gateway.store.fields import Field
from gateway.store.scripts import CREATE
from gateway.store.stored_form import read_record
from gateway.store.vault import SEEN, Overtaken, Successor, Vault
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, OWNERS, ada, begun, indexed, lifetime

NOTE = RecordKind("note", str)


def test_S28_a_person_is_tenant_object_and_subject_together() -> None:
    assert ada().is_same_person(ada(name="Lady Lovelace", username="other", created_at=1, sid="s"))
    for changed in ({"tid": "x"}, {"oid": "x"}, {"sub": "x"}):
        assert not ada().is_same_person(ada(**changed))


def test_a_session_remembers_nothing_that_nobody_told() -> None:
    assert ada() == UserSession(
        version=1,
        tid="a-tenant",
        oid="ada",
        sub="sub-of-ada",
        name="Ada Lovelace",
        username="ada@example.com",
        sid="",
        device="",
        created_at=int(NOW),
        last_mfa_at=None,
        last_step_up_at=None,
        step_ups_in_vain=0,
        claims={},
    )


def test_what_a_session_remembers_is_never_changed_and_may_come_from_a_later_version() -> None:
    later: Any = {"of a later version": 1}
    user = ada(**later)

    assert user == ada()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(user, "name", "Grace")  # noqa: B010 - mypy knows that it cannot be done


async def test_a_session_begins_with_its_records_and_opens_by_its_cookie(
    vault: Vault, sessions: SessionStore
) -> None:
    user = ada(device="Firefox on Linux", last_mfa_at=5, sid="a-sid", claims={"aud": "x"})
    cookie = SessionCookie.new()

    started = await sessions.start(user, NOTE.entry("hi", NOW + 60), cookie=cookie)

    assert started
    assert (started.cookie, started.user, started.ref) == (cookie, user, cookie.ref)
    assert (started.idle_at, started.absolute_at) == (NOW + IDLE, NOW + ABSOLUTE)
    assert await started.records.get(NOTE) == "hi"
    assert await lifetime(vault, started) == pytest.approx(IDLE, abs=60)
    live = await sessions.load(cookie)
    assert live == started
    assert await live.records.get(NOTE) == "hi"


async def test_S16_a_session_begun_late_in_the_persons_time_lives_no_longer_than_that(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    clock.now = NOW + ABSOLUTE - 100

    session = await begun(sessions)

    assert (session.idle_at, session.absolute_at) == (NOW + ABSOLUTE, NOW + ABSOLUTE)
    assert await lifetime(vault, session) == pytest.approx(100, abs=60)


async def test_a_persons_other_sessions_may_read_the_summary_and_nothing_else(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, device="Firefox on Linux", last_mfa_at=5)

    stored = await vault.read(session.ref, ["summary", "session"])
    summary = vault.open(session.ref, "summary", stored["summary"], secret=b"")

    assert summary
    assert summary.expires_at == NOW + ABSOLUTE
    assert read_record(SessionSummary, summary.value) == SessionSummary("Firefox on Linux", NOW, 5)
    assert vault.open(session.ref, "session", stored["session"], secret=b"") is None
    record = vault.open(session.ref, "session", stored["session"], secret=session.cookie.secret)
    assert record
    assert record.expires_at == NOW + ABSOLUTE


async def test_S19_a_session_is_named_by_its_person_its_subject_and_the_authoritys_session(
    vault: Vault, sessions: SessionStore
) -> None:
    with_sid = await begun(sessions, sid="a-sid")
    without = await begun(sessions)

    for kind in ("person", "sub"):
        assert set(await indexed(vault, kind)) == {with_sid.ref, without.ref}
    assert await indexed(vault, "sid") == [with_sid.ref]
    seconds: int = await vault.redis.ttl(f"stepup:index:person:{OWNERS['person']}")
    assert ABSOLUTE - 60 < seconds <= ABSOLUTE


async def test_what_is_ours_of_a_session_stands_over_a_record_of_that_name(sessions: SessionStore) -> None:
    session = await begun(sessions, {RECORD: Field(b"{}", NOW + 60), SUMMARY: Field(b"{}", NOW + 60)})

    assert await sessions.load(session.cookie)


async def test_S15_a_successor_lives_and_the_old_id_is_dead(vault: Vault, sessions: SessionStore) -> None:
    old = await begun(sessions, NOTE.entry("old", NOW + 60))
    cookie = SessionCookie.new(old.cookie.family)

    new = await sessions.start(ada(last_mfa_at=5), {}, cookie=cookie, successor=Successor(old.ref, b"0"))

    assert new
    assert await sessions.load(cookie) == new
    assert await new.records.get(NOTE) is None
    assert await sessions.load(old.cookie) is None
    assert await sessions.why_ended(old.cookie) == "rotated"
    assert await indexed(vault, "person") == [new.ref]


async def test_S15_there_is_no_successor_of_a_session_that_has_ended_or_was_written(
    sessions: SessionStore,
) -> None:
    old = await begun(sessions)
    successor = Successor(old.ref, b"0")
    await old.records.put(NOTE.entry("late", NOW + 60))

    with pytest.raises(Overtaken):
        await sessions.start(ada(), {}, cookie=SessionCookie.new(old.cookie.family), successor=successor)
    assert await sessions.load(old.cookie)
    await sessions.end(old, "signed-out")
    cookie = SessionCookie.new(old.cookie.family)
    assert await sessions.start(ada(), {}, cookie=cookie, successor=successor) is None
    assert await sessions.load(cookie) is None


async def test_the_records_that_a_route_needs_come_with_the_cookie(
    sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions, NOTE.entry("hi", NOW + 60))
    asked = way_to_redis.watch(lambda command: command.name != "AUTH")

    live = await sessions.load(session.cookie, ["note", SEEN, "note"])

    assert live
    assert await live.records.get(NOTE) == "hi"
    (command,) = asked.met
    assert command.words[2:] == (b"session", b"seen", b"writes", b"note")


async def test_everything_is_read_where_everything_is_wanted(
    sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions, NOTE.entry("hi", NOW + 60))

    live = await sessions.load(session.cookie, everything=True)

    assert live
    asked = way_to_redis.watch(lambda _: True)
    assert await live.records.get(NOTE) == "hi"
    assert await live.records.version(NOTE) == 0
    assert asked.met == []


async def test_S15_nothing_opens_for_another_secret_id_or_family(sessions: SessionStore) -> None:
    cookie = (await begun(sessions)).cookie
    other = SessionCookie.new()

    for wrong in (
        SessionCookie(cookie.family, cookie.id, other.secret),
        SessionCookie(cookie.family, other.id, cookie.secret),
        SessionCookie(other.family, cookie.id, cookie.secret),
    ):
        assert await sessions.load(wrong) is None
    assert await sessions.load(cookie)


async def test_R27_a_session_that_another_version_wrote_differently_is_none(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    odd = {RECORD: Field(b'{"version":2}', NOW + ABSOLUTE)}
    await vault.write(session.ref, odd, secret=session.cookie.secret)

    assert await sessions.load(session.cookie) is None


async def test_R2_a_redis_that_fails_is_not_a_session_that_has_ended(
    sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions)
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await sessions.load(session.cookie)
    with pytest.raises(SessionStoreUnavailable):
        await begun(sessions)


async def test_R12_a_session_is_not_begun_where_redis_refuses_it(
    sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.refuse(runs(CREATE), NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await begun(sessions)
