"""The ways in which a session ends (S18, S20, S21), and that nobody finds it then."""

from gateway.session.cookie import SessionCookie
from gateway.session.sessions import SessionStore
from gateway.store.vault import Successor, Vault
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW, OWNERS, ada, begun, indexed


async def test_S18_an_ended_session_says_why_and_no_index_names_it(
    vault: Vault, sessions: SessionStore
) -> None:
    session = await begun(sessions, sid="a-sid")
    other = await begun(sessions, sid="a-sid")

    await sessions.end(session, "signed-out")

    assert await sessions.load(session.cookie) is None
    assert await sessions.why_ended(session.cookie) == "signed-out"
    for kind in OWNERS:
        assert await indexed(vault, kind) == [other.ref]
    assert await sessions.load(other.cookie)


async def test_S18_an_end_finds_the_successor_where_it_is_told_to(sessions: SessionStore) -> None:
    old = await begun(sessions)
    cookie = SessionCookie.new(old.cookie.family)
    assert await sessions.start(ada(), {}, cookie=cookie, successor=Successor(old.ref, b"0"))

    await sessions.end(old, "signed-out")
    assert await sessions.load(cookie)
    await sessions.end(old, "signed-out", successors=True)
    assert await sessions.load(cookie) is None


async def test_of_a_session_that_nobody_remembers_it_is_said_that_it_expired(sessions: SessionStore) -> None:
    assert await sessions.why_ended(SessionCookie.new()) == "expired"


async def test_S20_the_authority_ends_the_sessions_of_its_own_session(sessions: SessionStore) -> None:
    one = await begun(sessions, sid="a-sid")
    two = await begun(sessions, sid="a-sid", oid="grace", sub="sub-of-grace")
    other_sid = await begun(sessions, sid="another")
    other_tenant = await begun(sessions, sid="a-sid", tid="another")

    assert await sessions.end_matching(tid="a-tenant", sid="a-sid", reason="ended-elsewhere") == 2

    for session in (one, two):
        assert await sessions.load(session.cookie) is None
        assert await sessions.why_ended(session.cookie) == "ended-elsewhere"
    for session in (other_sid, other_tenant):
        assert await sessions.load(session.cookie)
    assert await sessions.end_matching(tid="a-tenant", sid="a-sid", reason="ended-elsewhere") == 0


async def test_S21_the_authority_ends_the_sessions_of_a_subject_or_of_one_of_its_sessions(
    vault: Vault, sessions: SessionStore
) -> None:
    here = await begun(sessions, sid="a-sid")
    there = await begun(sessions, sid="another")
    graces = await begun(sessions, sid="a-sid", oid="grace", sub="sub-of-grace")

    ended = await sessions.end_matching(tid="a-tenant", sid="a-sid", sub="sub-of-ada", reason="x")
    assert ended == 1
    assert await sessions.load(here.cookie) is None
    assert await sessions.load(graces.cookie)
    assert await indexed(vault, "sub") == [there.ref]
    assert await indexed(vault, "sid") == [graces.ref]
    assert await sessions.end_matching(tid="a-tenant", sub="sub-of-ada", reason="x") == 1
    assert await sessions.load(there.cookie) is None


async def test_S20_who_signed_in_after_the_authoritys_word_stays_signed_in(sessions: SessionStore) -> None:
    before = await begun(sessions)
    after = await begun(sessions, created_at=int(NOW) + 1)

    ended = await sessions.end_matching(tid="a-tenant", sub="sub-of-ada", created_until=NOW, reason="x")

    assert ended == 1
    assert await sessions.load(before.cookie) is None
    assert await sessions.load(after.cookie)


async def test_S20_whoever_names_nothing_ends_nothing(sessions: SessionStore) -> None:
    session = await begun(sessions)

    assert await sessions.end_matching(tid="a-tenant", reason="x") == 0
    assert await sessions.end_matching(tid="a-tenant", sid="", sub="", reason="x") == 0
    assert await sessions.load(session.cookie)


async def test_A4_whoever_signs_in_has_the_references_to_lost_sessions_forgotten(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    lost = await begun(sessions)
    await vault.redis.delete(lost.ref.key)
    clock.now = NOW + 61
    assert await indexed(vault, "person") == [lost.ref]

    await vault.orphans.round()

    assert await indexed(vault, "person") == []
