"""Until when the session's `access` says the same, so that nobody has to look before (U9)."""

import math
from collections.abc import Sequence

import pytest

from gateway.session.sessions import LiveSession, SessionStore
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.test_step_up import EDIT, ageing, judging, token
from tests.unit.gateway.store_of_tests import NOW, begun


async def loaded(
    sessions: SessionStore, fields: Sequence[str], ends: float, *, confirmed_at: int | None
) -> LiveSession:
    """Return a session with a token for editing, as a request has it that reads what access depends on."""
    session = await begun(sessions, token(EDIT, ends), last_mfa_at=confirmed_at)
    read = await sessions.load(session.cookie, fields)
    assert read
    return read


@pytest.mark.parametrize(
    "ends, confirmed_at, until",
    [
        (NOW + 600, int(NOW), NOW + 60),
        (NOW + 30, int(NOW), NOW + 30),
        (NOW + 600, None, NOW + 600),
        (NOW + 600, int(NOW) - 61, NOW + 600),
    ],
)
async def test_U9_access_stays_until_a_record_ends_or_the_confirmation_is_too_old(
    sessions: SessionStore, clock: MovableClock, ends: float, confirmed_at: int | None, until: float
) -> None:
    session = await loaded(sessions, ageing(clock).access_fields, ends, confirmed_at=confirmed_at)

    assert ageing(clock).access_until(session) == until


async def test_U9_where_confirmations_do_not_age_only_records_end(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session = await loaded(sessions, judging(clock).access_fields, NOW + 600, confirmed_at=int(NOW))

    assert judging(clock).access_until(session) == NOW + 600


async def test_U9_where_nothing_ends_nothing_changes(sessions: SessionStore, clock: MovableClock) -> None:
    session = await begun(sessions)
    read = await sessions.load(session.cookie, judging(clock).access_fields)
    assert read

    assert judging(clock).access_until(read) == math.inf
