"""Whether a session is still there, for whoever uses it without asking anything."""

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.session.end_watch import SessionEndWatch
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.names import tombstone_key
from gateway.store.vault import Successor, Vault
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, ada, begun


def watch_of(vault: Vault, session: LiveSession, clock: MovableClock) -> SessionEndWatch:
    """Return a watch over a session."""
    return SessionEndWatch(vault, session, now=clock, idle=IDLE)


async def stepped_up(sessions: SessionStore, before: LiveSession) -> LiveSession:
    """Give the session another id."""
    cookie = SessionCookie.new(family=before.ref.family)
    fresh = await sessions.start(ada(), {}, cookie=cookie, successor=Successor(before.ref, b"0"))
    assert fresh
    return fresh


async def test_looking_prolongs_nothing_and_use_elsewhere_does(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    watch = watch_of(vault, session, clock)

    clock.now = NOW + IDLE / 2
    assert await watch.look() is None
    assert watch.changes_at == NOW + IDLE
    await sessions.slide(session)
    assert await watch.look() is None
    assert watch.changes_at == NOW + IDLE * 1.5

    clock.now = NOW + IDLE * 1.5
    assert await watch.look() == "expired"


async def test_the_last_moment_is_known_without_redis(
    vault: Vault, sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    watch = watch_of(vault, await begun(sessions), clock)
    way_to_redis.cut(lambda _: True, times=None)

    clock.now = NOW + ABSOLUTE - 1
    with pytest.raises(SessionStoreUnavailable):
        await watch.look()
    clock.now = NOW + ABSOLUTE
    assert await watch.look() == "expired"


@pytest.mark.parametrize("reason", ["signed-out", "ended-elsewhere", "too-many-sessions"])
async def test_an_end_has_its_reason_also_after_several_step_ups(
    vault: Vault, sessions: SessionStore, clock: MovableClock, reason: str
) -> None:
    session = await begun(sessions)
    watch = watch_of(vault, session, clock)
    second = await stepped_up(sessions, session)
    assert await watch.look() is None
    assert watch.ref == second.ref

    third = await stepped_up(sessions, await stepped_up(sessions, second))
    assert await watch.look() is None, "two that were never looked at"
    assert watch.ref == third.ref

    await sessions.end(third, reason)
    assert await watch.look() == reason


async def test_who_signs_out_under_the_old_id_has_ended_the_new_one_too(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    watch = watch_of(vault, session, clock)
    await stepped_up(sessions, session)

    await sessions.end(session, "signed-out", successors=True)

    assert await watch.look() == "signed-out"


async def test_an_end_that_nobody_remembers_was_one_by_time(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    watch = watch_of(vault, session, clock)
    await sessions.end(session, "signed-out")
    await vault.redis.delete(tombstone_key(session.ref))

    assert await watch.look() == "expired"
