"""What a session can renew its tokens with: what a flow brought, else what was there before, else nothing (W3, W11)."""

from dataclasses import replace

import pytest

from gateway.flows.session_start import SessionStarts
from gateway.session.sessions import SessionStore
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import Redeemed
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import CACHE, GRANTED, TOKEN
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.test_session_start import (
    BROUGHT,
    EDIT,
    KINDS,
    LASTING,
    LATER,
    READ,
    before_step_up,
)
from tests.unit.gateway.store_of_tests import NOW, ada, begun

NOT_RENEWABLE = replace(BROUGHT, cache='{"AccessToken":{"a":1}}', granted=["openid"])


@pytest.fixture
def starts(sessions: SessionStore, clock: MovableClock) -> SessionStarts:
    return SessionStarts(sessions, KINDS, now=clock)


async def test_W11_without_a_refresh_token_a_session_ends_with_its_token(starts: SessionStarts) -> None:
    session = await starts.after_sign_in(ada(), NOT_RENEWABLE, READ, None)

    assert session
    assert (session.user.ends_at, session.absolute_at) == (NOW + 600, NOW + 600)
    assert await session.records.get(CACHE) == b"{}", "so that it is known that there is none"


@pytest.mark.parametrize("resource", [EDIT, READ])
async def test_W11_a_step_up_without_a_refresh_token_goes_on_with_the_grant_of_before(
    starts: SessionStarts, sessions: SessionStore, resource: Resource
) -> None:
    grant = CACHE.entry(b'{"RefreshToken":{"r":0}}', LATER) | GRANTED.entry(["openid"], LATER)
    before = await before_step_up(sessions, grant | LASTING.entry("kept", LATER))

    session = await starts.after_step_up(ada(), NOT_RENEWABLE, resource, before)

    assert session
    live = await sessions.load(session.cookie, everything=True)
    assert live
    assert live.user.ends_at is None
    assert await live.records.get(CACHE) == b'{"RefreshToken":{"r":0}}'
    assert await live.records.get(GRANTED) == ["openid"]
    assert await live.records.get(LASTING) == "kept"
    assert await live.records.get(TOKEN, resource.key) == BROUGHT.token


@pytest.mark.parametrize("resource, ends_at", [(EDIT, NOW + 60), (READ, NOW + 600)])
async def test_W11_a_step_up_prolongs_a_session_that_nothing_renews_only_with_a_token_to_read(
    starts: SessionStarts, sessions: SessionStore, resource: Resource, ends_at: float
) -> None:
    session = await begun(sessions, CACHE.entry(b"{}", LATER), ends_at=int(NOW) + 60)
    before = await sessions.load(session.cookie, everything=True)
    assert before

    after = await starts.after_step_up(ada(), NOT_RENEWABLE, resource, before)

    assert after
    assert after.user.ends_at == ends_at


async def test_W3_what_a_flow_says_is_granted_is_kept_with_its_refresh_token(
    starts: SessionStarts, sessions: SessionStore
) -> None:
    before = await before_step_up(sessions, GRANTED.entry(["openid"], LATER))
    brought = replace(BROUGHT, granted=["openid", EDIT.scope])

    for session in (
        await starts.after_sign_in(ada(), brought, READ, None),
        await starts.after_step_up(ada(), brought, EDIT, before),
    ):
        assert session
        assert await session.records.get(GRANTED) == ["openid", EDIT.scope]


@pytest.mark.parametrize("brought, is_kept", [(BROUGHT, False), (NOT_RENEWABLE, True)])
async def test_S46_a_token_that_is_too_wide_is_kept_only_where_no_narrower_one_is_to_be_had(
    starts: SessionStarts, sessions: SessionStore, brought: Redeemed, *, is_kept: bool
) -> None:
    old = TOKEN.entry(AccessToken("old", LATER), LATER, EDIT.key)
    before = await before_step_up(sessions, old)

    session = await starts.after_step_up(ada(), brought, EDIT, before, is_too_wide=True)

    assert session
    live = await sessions.load(session.cookie, everything=True)
    assert live
    assert await live.records.get(TOKEN, EDIT.key) == (BROUGHT.token if is_kept else None)
    assert (await live.records.get(CACHE) is None) is is_kept
