"""A session that is kept opened is what Redis holds after this process wrote to it, or is read again (S15, S18)."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.kept_sessions import KEPT_SECONDS
from gateway.session.opened_records import MOST_GROWTH, MOST_NAMES
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.scripts import WRITE
from gateway.store.vault import WRITES, Vault
from tests.stage.redis_wire import Command, reads_a_session, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.session.chance import FIELDS, LATER, NOTE, TOKEN, WAITING, Dice, Note
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, begun

SENT = "what the browser sent"


@pytest.fixture
async def session(sessions: SessionStore) -> LiveSession:
    """Give a session that was opened a moment ago."""
    begun_now = await begun(sessions, NOTE.entry(Note("hi"), LATER))
    opened = await sessions.load(begun_now.cookie, FIELDS, keep_as=SENT)
    assert opened
    return opened


@pytest.fixture
def elsewhere(vault: Vault, clock: MovableClock) -> SessionStore:
    """Give the sessions as another gateway has them."""
    return SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE)


async def opened_by(store: SessionStore, session: LiveSession) -> LiveSession:
    """Return the session as somebody else opens it."""
    other = await store.load(session.cookie, FIELDS)
    assert other
    return other


async def test_what_this_process_has_written_is_known_and_costs_one_look_at_the_mark(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    for text in ("one", "two", "three"):
        assert await session.records.put(NOTE.entry(Note(text), LATER))
        steps = way_to_redis.watch(lambda _: True)

        again = await sessions.reopen(SENT, FIELDS)

        assert again
        assert await again.records.get(NOTE) == Note(text)
        assert len(steps.met) == 1
        session = again


async def _foreign_write(store: SessionStore, session: LiveSession) -> None:
    assert await (await opened_by(store, session)).records.put(NOTE.entry(Note("theirs"), LATER))


async def _foreign_removal(store: SessionStore, session: LiveSession) -> None:
    await (await opened_by(store, session)).records.remove("note")


async def _foreign_swap(store: SessionStore, session: LiveSession) -> None:
    assert await (await opened_by(store, session)).records.swap(
        TOKEN, TOKEN.entry("theirs", LATER, "a"), version=0
    )


async def _foreign_end(store: SessionStore, session: LiveSession) -> None:
    await store.end(session, "signed-out")


@pytest.mark.parametrize(
    "change",
    [_foreign_write, _foreign_removal, _foreign_swap, _foreign_end],
    ids=lambda change: change.__name__[1:],
)
@pytest.mark.parametrize("moment", ["before", "on its way", "after"])
async def test_S18_S21_anybody_elses_write_in_between_has_it_read_again(
    sessions: SessionStore,
    elsewhere: SessionStore,
    session: LiveSession,
    *,
    change: Callable[[SessionStore, LiveSession], Awaitable[None]],
    moment: str,
) -> None:
    if moment == "before":
        await change(elsewhere, session)
    if moment == "on its way":
        await asyncio.gather(change(elsewhere, session), session.records.put(NOTE.entry(Note("ours"), LATER)))
    else:
        await session.records.put(NOTE.entry(Note("ours"), LATER))
    if moment == "after":
        await change(elsewhere, session)

    again = await sessions.reopen(SENT, FIELDS)

    # Where ours came first and theirs was seen by the mark, or theirs came first and ours was not the next.
    assert again is None


async def test_S18_a_write_that_redis_ran_twice_is_read_again(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    lost = way_to_redis.lose_answer(runs(WRITE))
    assert await session.records.put(NOTE.entry(Note("ours"), LATER))
    assert lost.met

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_S18_a_write_of_which_nobody_knows_what_became_of_it_is_read_again(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.cut(runs(WRITE), times=2)
    with pytest.raises(SessionStoreUnavailable):
        await session.records.put(NOTE.entry(Note("ours"), LATER))

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_S18_a_write_that_was_left_is_read_again(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    held = way_to_redis.hold(runs(WRITE))
    leaving = asyncio.create_task(session.records.put(NOTE.entry(Note("ours"), LATER)))
    await held.reached()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    held.release()

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_S18_while_it_is_written_it_is_read_and_not_used_as_it_was(
    sessions: SessionStore, session: LiveSession, way_to_redis: RequestProxy[Command]
) -> None:
    held = way_to_redis.hold(runs(WRITE))
    writing = asyncio.create_task(session.records.put(NOTE.entry(Note("ours"), LATER)))
    await held.reached()
    asked = way_to_redis.watch(reads_a_session)

    assert await sessions.reopen(SENT, FIELDS) is None
    assert asked.met == []

    held.release()
    assert await writing


async def test_R13_one_that_another_holder_overtook_is_read_again(
    sessions: SessionStore, session: LiveSession
) -> None:
    assert not await session.records.swap(TOKEN, TOKEN.entry("late", LATER, "a"), version=7)

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_R13_a_version_that_this_process_counted_up_is_known(
    sessions: SessionStore, session: LiveSession
) -> None:
    for version in range(3):
        assert await session.records.version(TOKEN) == version
        assert await session.records.swap(TOKEN, TOKEN.entry(f"token {version}", LATER, "a"), version=version)
        again = await sessions.reopen(SENT, FIELDS)
        assert again
        assert await again.records.get(TOKEN, "a") == f"token {version}"
        session = again


async def test_A2_what_had_to_make_room_is_gone_here_as_well(
    sessions: SessionStore, session: LiveSession
) -> None:
    for number, key in enumerate("abc"):
        assert await session.records.put(WAITING.entry(key, LATER + number, key))

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert await again.records.get_all(WAITING, "abc") == {"b": "b", "c": "c"}


async def test_a_token_that_this_process_wrote_is_held_no_longer_than_the_session_holds_it(
    sessions: SessionStore, session: LiveSession, clock: MovableClock
) -> None:
    assert await session.records.put(TOKEN.entry("secret", NOW + 50, "a"))
    for _ in range(2):  # as it was written, and as it was read
        again = await sessions.reopen(SENT, FIELDS)
        assert again
        assert await again.records.get(TOKEN, "a") == "secret"
    clock.now = NOW + 50

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert await again.records.get(TOKEN, "a") is None


async def test_what_followed_from_the_records_of_before_is_forgotten(
    sessions: SessionStore, session: LiveSession
) -> None:
    session.records.keep_result("answer", "so", LATER)
    assert await session.records.put(NOTE.entry(Note("ours"), LATER))

    again = await sessions.reopen(SENT, FIELDS)

    assert again
    assert again.records.result("answer") is None


async def test_S15_writes_keep_it_no_longer_than_a_minute(
    vault: Vault, clock: MovableClock, session: LiveSession
) -> None:
    steady = MovableClock(0.0)
    sessions = SessionStore(vault, now=clock, idle=IDLE, absolute=ABSOLUTE, monotonic=steady)
    opened = await sessions.load(session.cookie, FIELDS, keep_as=SENT)
    assert opened
    for seconds in (KEPT_SECONDS / 2, KEPT_SECONDS - 0.001):
        steady.now = seconds
        assert await opened.records.put(NOTE.entry(Note(str(seconds)), LATER))
        opened = await sessions.reopen(SENT, FIELDS)
        assert opened

    steady.now = KEPT_SECONDS

    assert await sessions.reopen(SENT, FIELDS) is None


async def test_A2_what_comes_by_writes_is_counted_and_what_is_not_counted_is_bounded(
    sessions: SessionStore, session: LiveSession
) -> None:
    assert session.opened
    text = random.Random(1).randbytes(MOST_GROWTH // 5).hex()  # noqa: S311 - nothing is secret about it
    size = session.opened.size
    for number in range(2):
        assert await session.records.put(TOKEN.entry(text, LATER, f"x{number}"))
    assert session.opened.size > size
    assert session.opened.records.grown > 0
    assert await sessions.reopen(SENT, FIELDS)
    assert session.opened.records.grown == 0, "it is counted"

    for number in range(2, 6):
        assert await session.records.put(TOKEN.entry(text, LATER, f"x{number}"))

    assert await sessions.reopen(SENT, FIELDS) is None, "so much more is not kept without being counted"


async def test_A2_names_are_bounded_as_well(sessions: SessionStore, session: LiveSession) -> None:
    for number in range(MOST_NAMES):
        await session.records.remove(f"made-up-{number}")
        if await sessions.reopen(SENT, FIELDS) is None:
            break

    assert number < MOST_NAMES - 1
    assert session.opened
    assert len(session.opened.records.stored) <= MOST_NAMES


@pytest.mark.parametrize("seed", range(12))
async def test_S18_S21_whatever_happens_in_whatever_order_it_is_what_redis_holds_or_is_read_again(
    sessions: SessionStore, elsewhere: SessionStore, session: LiveSession, clock: MovableClock, *, seed: int
) -> None:
    dice, live, reopened = Dice(seed, clock), session, 0
    for _ in range(25):
        await dice.round((sessions, live), (elsewhere, await opened_by(elsewhere, session)))

        again = await sessions.reopen(SENT, FIELDS)
        reopened += again is not None
        live = again or await sessions.load(session.cookie, FIELDS, keep_as=SENT) or live
        fresh = await elsewhere.load(session.cookie, everything=True)

        assert live.opened
        assert fresh
        assert fresh.opened
        kept, held = live.opened.records, fresh.opened.records
        assert {name: kept.stored.get(name) for name in (*FIELDS, WRITES)} == {
            name: held.stored.get(name) for name in (*FIELDS, WRITES)
        }
        assert kept.mark == held.mark
        assert await live.records.get(NOTE) == await fresh.records.get(NOTE)
        assert await live.records.get(TOKEN, "a") == await fresh.records.get(TOKEN, "a")
        assert await live.records.get_all(WAITING, "abc") == await fresh.records.get_all(WAITING, "abc")
    assert reopened > 5
