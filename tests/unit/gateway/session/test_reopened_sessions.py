"""Sessions that were opened a moment ago are used again only as they are in Redis now (S15 to S18, S21)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.session.kept_sessions import KEPT_SECONDS
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.vault import Successor, Vault
from tests.stage.redis_wire import Command, reads_a_session
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, ada, begun

NOTE = RecordKind("note", str)
OTHER = RecordKind("other", str)
SENT = "what the browser sent"
FIELDS = ("note",)


@pytest.fixture
async def session(sessions: SessionStore) -> LiveSession:
    """Give a session that was opened a moment ago."""
    begun_now = await begun(sessions, NOTE.entry("hi", NOW + 300))
    opened = await sessions.load(begun_now.cookie, FIELDS, keep_as=SENT)
    assert opened
    return opened


@pytest.fixture
def elsewhere(vault: Vault, clock: MovableClock) -> SessionStore:
    """Give the sessions as another gateway has them."""
    return SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE)


async def test_what_has_not_changed_is_not_read_again(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    steps = way_to_redis.watch(lambda _: True)

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert again == session
    assert await again.records.get(NOTE) == "hi"
    assert len(steps.met) == 1, "one look at its mark"


async def test_nothing_is_kept_under_words_that_nobody_opened_a_session_with(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    steps = way_to_redis.watch(lambda _: True)

    for words in (session.cookie.text, SENT + " ", "", SENT.upper()):
        assert await sessions.reopen(words, FIELDS) is None

    assert steps.met == []


async def test_S15_a_cookie_that_opened_nothing_is_not_kept(
    sessions: SessionStore, session: LiveSession
) -> None:
    right = session.cookie
    for wrong in (
        SessionCookie(right.family, right.id, b"x" * 32),
        SessionCookie(right.family, SessionCookie.new().id, right.secret),
    ):
        assert await sessions.load(wrong, FIELDS, keep_as="wrong") is None
        assert await sessions.reopen("wrong", FIELDS) is None


@pytest.mark.parametrize("names, are_read_again", [(60, True), (61, False)])
async def test_what_was_asked_for_before_is_read_again_as_long_as_it_is_no_more_than_routes_name(
    sessions: SessionStore, session: LiveSession, names: int, *, are_read_again: bool
) -> None:
    before = tuple(f"record-{number}" for number in range(names))  # and the session's own three
    assert await sessions.load(session.cookie, before, keep_as="many")
    assert await sessions.reopen("many", before)

    assert await sessions.load(session.cookie, FIELDS, keep_as="many")

    assert (await sessions.reopen("many", before) is not None) is are_read_again
    assert await sessions.reopen("many", FIELDS)


async def _end(store: SessionStore, session: LiveSession) -> None:
    await store.end(session, "signed-out")


async def _write(store: SessionStore, session: LiveSession) -> None:
    other = await store.load(session.cookie)
    assert other
    assert await other.records.put(NOTE.entry("changed", NOW + 300))


async def _slide(store: SessionStore, session: LiveSession) -> None:
    other = await store.load(session.cookie)
    assert other
    await store.slide(other)


async def _rotate(store: SessionStore, session: LiveSession) -> None:
    whole = await store.load(session.cookie, everything=True)
    assert whole
    lasting, mark = await whole.records.survivors([NOTE])
    successor = Successor(session.ref, mark)
    cookie = SessionCookie.new(session.cookie.family)
    assert await store.start(ada(), lasting, cookie=cookie, successor=successor)


Change = Callable[[SessionStore, LiveSession], Awaitable[None]]


@pytest.mark.parametrize("change", [_end, _rotate, _write, _slide], ids=lambda change: change.__name__[1:])
async def test_S18_S21_whatever_another_gateway_has_done_to_it_is_so_here(
    sessions: SessionStore,
    elsewhere: SessionStore,
    session: LiveSession,
    clock: MovableClock,
    change: Change,
) -> None:
    is_still_there = change in {_write, _slide}
    clock.now += 100

    await change(elsewhere, session)

    assert await sessions.reopen(SENT, FIELDS) is None, "it is not as it was"
    assert (await sessions.load(session.cookie, FIELDS, keep_as=SENT) is not None) is is_still_there
    assert (await sessions.reopen(SENT, FIELDS) is not None) is is_still_there


async def test_what_this_process_writes_behind_somebody_else_is_read_again_and_nobody_asks_for_its_mark_before(
    sessions: SessionStore,
    elsewhere: SessionStore,
    session: LiveSession,
    way_to_redis: RequestProxy[Command],
) -> None:
    await _write(elsewhere, session)
    assert await session.records.put(NOTE.entry("changed", NOW + 300))
    steps = way_to_redis.watch(lambda _: True)

    assert await sessions.reopen(SENT, FIELDS) is None
    assert steps.met == []
    opened = await sessions.load(session.cookie, FIELDS, keep_as=SENT)
    assert opened
    assert await opened.records.get(NOTE) == "changed"


async def test_S18_what_this_process_writes_while_the_mark_is_on_its_way_is_not_used_as_it_was(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    held = way_to_redis.hold(reads_a_session)
    again = asyncio.create_task(sessions.reopen(SENT, FIELDS))
    await held.reached()
    # Nobody knows whether it was written; the mark that is on its way is the one of before.
    way_to_redis.cut(lambda command: not reads_a_session(command), times=None)
    with pytest.raises(SessionStoreUnavailable):
        await session.records.put(NOTE.entry("changed", NOW + 300))

    held.release()

    assert await again is None


async def test_what_was_not_read_of_a_session_that_was_opened_before_is_read_when_it_is_asked_for(
    sessions: SessionStore,
) -> None:
    session = await begun(sessions, NOTE.entry("hi", NOW + 300) | OTHER.entry("there", NOW + 300))
    assert await sessions.load(session.cookie, FIELDS, keep_as=SENT)

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert await again.records.get(OTHER) == "there"


async def test_S17_a_use_that_this_process_notes_is_known_without_reading_it_again(
    sessions: SessionStore, session: LiveSession, clock: MovableClock
) -> None:
    clock.now += 100
    await sessions.slide(session)

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert again.idle_at == NOW + 100 + IDLE


async def test_S17_it_is_over_when_its_time_is(
    sessions: SessionStore, session: LiveSession, clock: MovableClock
) -> None:
    clock.now = session.idle_at - 1
    assert await sessions.reopen(SENT, FIELDS)

    clock.now = session.idle_at

    assert await sessions.reopen(SENT, FIELDS) is None
    assert len(sessions.kept) == 0


async def test_a_record_is_used_no_longer_than_it_lives(
    sessions: SessionStore, session: LiveSession, clock: MovableClock
) -> None:
    assert await session.records.get(NOTE) == "hi"
    clock.now = NOW + 299
    again = await sessions.reopen(SENT, FIELDS)
    assert again
    assert await again.records.get(NOTE) == "hi"

    clock.now = NOW + 300

    again = await sessions.reopen(SENT, FIELDS)
    assert again
    assert await again.records.get(NOTE) is None


@pytest.mark.usefixtures("session")
async def test_R2_where_redis_cannot_be_asked_nothing_is_used_and_nothing_is_kept(
    sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.cut(lambda _: True, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await sessions.reopen(SENT, FIELDS)

    assert len(sessions.kept) == 0


async def test_what_was_not_read_is_read_with_all_that_was(sessions: SessionStore) -> None:
    begun_now = await begun(sessions, NOTE.entry("hi", NOW + 300) | OTHER.entry("there", NOW + 300))
    session = await sessions.load(begun_now.cookie, FIELDS, keep_as=SENT)
    assert session

    assert await sessions.reopen(SENT, ("other",)) is None
    assert await sessions.load(session.cookie, ("other",), keep_as=SENT)

    for fields in (("other",), FIELDS):
        assert await sessions.reopen(SENT, fields), "two routes do not drive each other out"


@pytest.mark.usefixtures("session")
async def test_requests_share_what_was_opened_and_nothing_that_one_of_them_changes(
    sessions: SessionStore,
) -> None:
    one, two = await sessions.reopen(SENT, FIELDS), await sessions.reopen(SENT, FIELDS)
    assert one
    assert two

    assert await one.records.put(NOTE.entry("changed", NOW + 300))

    assert await one.records.get(NOTE) == "changed"
    assert await two.records.get(NOTE) == "hi", "as it was when its request began"


async def test_what_follows_from_the_records_is_good_as_long_as_they_are(
    sessions: SessionStore, session: LiveSession, clock: MovableClock
) -> None:
    session.records.keep_result("answer", "so", NOW + 50)

    again = await sessions.reopen(SENT, FIELDS)
    assert again
    assert again.records.result("answer") == "so"
    assert await again.records.put(NOTE.entry("changed", NOW + 300))
    assert again.records.result("answer") is None, "they are others now"
    clock.now = NOW + 50
    other = await sessions.load(session.cookie, FIELDS, keep_as=SENT)
    assert other
    assert other.records.result("answer") is None


async def test_S15_none_is_kept_for_longer_than_a_minute(
    vault: Vault, clock: MovableClock, session: LiveSession
) -> None:
    steady = MovableClock(0.0)
    sessions = SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE, monotonic=steady)
    assert await sessions.load(session.cookie, FIELDS, keep_as=SENT)

    steady.now = KEPT_SECONDS

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_S18_a_session_that_had_no_mark_when_it_was_read_is_not_taken_for_one_that_has_none_any_more(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    begun_now = await begun(sessions)
    await vault.redis.hdel(begun_now.ref.key, "seen")
    clock.now = IDLE / 2  # so early that it counts as used a moment ago, whenever that was
    assert await sessions.load(begun_now.cookie, FIELDS, keep_as=SENT)

    await _end(sessions, begun_now)

    assert await sessions.reopen(SENT, FIELDS) is None
