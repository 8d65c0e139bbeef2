"""How long a session lives (S16): as long as it is used, and no longer than its time."""

import pytest

from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.scripts import TOUCH
from gateway.store.vault import Vault
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, begun, lifetime

# Within so many seconds of the last use nothing is written.
TOUCHED_EVERY = 20


async def test_S16_a_session_ends_when_it_was_not_used_for_too_long(
    sessions: SessionStore, clock: MovableClock, vault: Vault
) -> None:
    session = await begun(sessions)

    clock.now = NOW + IDLE - 0.01
    assert await sessions.load(session.cookie)
    clock.now = NOW + IDLE
    assert await sessions.load(session.cookie) is None
    assert await sessions.why_ended(session.cookie) == "expired"
    # Redis drops it by its lifetime there; whoever finds it too old ends nothing.
    assert await lifetime(vault, session) == pytest.approx(IDLE, abs=60)


async def test_S16_a_session_in_use_ends_when_its_time_is_over(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    clock.now = NOW + IDLE - 1
    while clock.now < NOW + ABSOLUTE:
        live = await sessions.load(session.cookie)
        assert live
        assert live.absolute_at == NOW + ABSOLUTE
        assert live.idle_at <= live.absolute_at
        await sessions.slide(live)
        clock.now += IDLE - 1

    clock.now = NOW + ABSOLUTE - 0.01
    assert await sessions.load(session.cookie)
    clock.now = NOW + ABSOLUTE
    assert await sessions.load(session.cookie) is None


@pytest.mark.parametrize("ends, absolute", [(100, 100), (IDLE + 50, IDLE + 50), (ABSOLUTE + 1, ABSOLUTE)])
async def test_W11_a_session_whose_tokens_cannot_be_renewed_ends_with_them(
    sessions: SessionStore, clock: MovableClock, ends: int, absolute: int
) -> None:
    session = await begun(sessions, ends_at=int(NOW) + ends)
    assert session.absolute_at == NOW + absolute

    while clock.now + IDLE / 2 < NOW + absolute:
        clock.now += IDLE / 2
        live = await sessions.load(session.cookie)
        assert live
        assert live.absolute_at == NOW + absolute
        await sessions.slide(live)
    clock.now = NOW + absolute - 0.01
    assert await sessions.load(session.cookie)
    clock.now = NOW + absolute
    assert await sessions.load(session.cookie) is None
    assert await sessions.why_ended(session.cookie) == "expired"


async def test_S16_use_is_noted_every_twenty_seconds_and_no_more_often(
    sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command], vault: Vault
) -> None:
    session = await begun(sessions)
    noted = way_to_redis.watch(runs(TOUCH), answered=True)

    clock.now = NOW + TOUCHED_EVERY
    await sessions.slide(session)
    assert noted.met == []
    clock.now = NOW + TOUCHED_EVERY + 0.5
    await vault.redis.pexpire(session.ref.key, 100_000)
    await sessions.slide(session)
    assert len(noted.met) >= 1
    assert await lifetime(vault, session) == pytest.approx(IDLE, abs=60)
    live = await sessions.load(session.cookie)
    assert live
    assert live.idle_at == NOW + TOUCHED_EVERY + 0.5 + IDLE


async def test_S16_short_lives_are_noted_every_tenth_of_them(
    vault: Vault, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    sessions = SessionStore(vault, now=clock, idle=100, absolute=ABSOLUTE)
    session = await begun(sessions)
    noted = way_to_redis.watch(runs(TOUCH))

    clock.now = NOW + 10
    await sessions.slide(session)
    assert noted.met == []
    clock.now = NOW + 10.5
    await sessions.slide(session)
    assert noted.met


async def test_S16_near_the_end_of_its_time_a_session_slides_no_further(
    sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command], vault: Vault
) -> None:
    session = await begun(sessions)
    late = LiveSession(session.cookie, session.user, NOW + ABSOLUTE, NOW + ABSOLUTE, session.records)
    noted = way_to_redis.watch(runs(TOUCH))

    clock.now = NOW + ABSOLUTE - 50
    await sessions.slide(late)
    assert noted.met == [], "there is nothing to gain"
    await sessions.slide(session)
    assert noted.met
    assert await lifetime(vault, session) == pytest.approx(50, abs=30)


async def test_R5_a_redis_that_cannot_be_written_hides_no_session(
    sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions)
    clock.now = NOW + 300
    refused = way_to_redis.refuse(runs(TOUCH), NOT_NOW, times=None)

    await sessions.slide(session)

    assert refused.met
