"""The end of a step-up: a new id for the same person, and nothing at all when anything is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import (
    DifferentPerson,
    SignInFailed,
    SignInRequired,
)
from gateway.flows.flow import STEP_UP, CompletedFlow
from gateway.flows.flow_record import AuthCodeFlow
from gateway.session.confirmation import Confirmation
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession
from gateway.store.vault import Successor
from gateway.tokens.access_token import AccessToken
from gateway.tokens.token_records import TOKEN
from tests.unit.gateway.flows.scene import ADA, ANSWER, GRACE, LASTING, Scene
from tests.unit.gateway.store_of_tests import ABSOLUTE, NOW, ada

SKEW = 120


async def test_a_step_up_gives_the_same_person_a_new_id(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = await scene.begun(
        LASTING.entry("kept", NOW + 600),
        device="Chrome on Mac",
        sid="a-sid",
        last_mfa_at=5,
        step_ups_in_vain=1,
    )
    scene.clock.now = NOW + 60.9

    completed = await scene.step_up(before)

    session = completed.session
    assert session
    assert completed.return_to == "/edit"
    assert scene.broker.redeemed == [({"m": 1}, "a-nonce", ANSWER)]
    assert session.user == ada(
        device="Chrome on Mac",
        sid="a-sid",
        claims={"aud": "x"},
        last_mfa_at=int(NOW) + 60,
        last_step_up_at=int(NOW) + 60,
        step_ups_in_vain=1,
        confirmations={"edit": Confirmation(int(NOW) + 60, 1)},
    )
    assert session.absolute_at == NOW + ABSOLUTE
    assert await session.records.get(LASTING) == "kept"
    assert await session.records.get(TOKEN, "edit") == AccessToken("new", NOW + 600)
    assert not await scene.lives(before)
    assert await scene.sessions.why_ended(before.cookie) == "rotated"
    assert caplog.messages == ["authorization-response", "stepped-up"]


async def test_a_step_up_whose_token_names_the_authoritys_session_remembers_that_one(scene: Scene) -> None:
    scene.broker.person = replace(ADA, sid="newer")

    completed = await scene.step_up(await scene.begun(sid="older"))

    assert completed.session
    assert completed.session.user.sid == "newer"


async def test_what_was_proven_for_reading_is_not_proven_for_editing(scene: Scene) -> None:
    before = await scene.begun(last_mfa_at=5)

    completed = await scene.step_up(before, resource="graph")

    assert completed.session
    assert (completed.session.user.last_mfa_at, completed.session.user.last_step_up_at) == (5, int(NOW))
    assert await completed.session.records.get(TOKEN, "graph") == AccessToken("new", NOW + 600)
    assert await completed.session.records.get(TOKEN, "edit") is None


async def test_a_flow_that_names_no_resource_was_for_editing(scene: Scene) -> None:
    completed = await scene.step_up(await scene.begun(), resource="")

    assert completed.session
    assert await completed.session.records.get(TOKEN, "edit") == AccessToken("new", NOW + 600)
    assert completed.session.user.last_mfa_at == int(NOW)


async def test_S30_step_ups_are_counted_until_an_edit_goes_through(scene: Scene) -> None:
    before = await scene.begun(step_ups_in_vain=2, last_step_up_at=int(NOW), last_mfa_at=int(NOW))

    completed = await scene.step_up(before)

    assert completed.session
    assert completed.session.user.step_ups_in_vain == 3


async def test_S28_somebody_else_does_not_step_up_for_the_person(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    before = await scene.begun()
    scene.broker.person = GRACE

    with pytest.raises(DifferentPerson):
        await scene.step_up(before)

    assert await scene.lives(before)
    assert caplog.messages == ["authorization-response", "step-up-by-another"]


@pytest.mark.parametrize(
    "since, claims, is_fresh",
    [
        (None, {"auth_time": 0}, True),
        (int(NOW), {}, True),
        (None, {"auth_time": "long ago"}, True),
        (int(NOW), {"auth_time": None}, True),
        (int(NOW), {"auth_time": NOW - SKEW + 0.5}, True),
        (int(NOW), {"auth_time": NOW - SKEW - 0.5}, False),
        # Until claims were judged by whoever uses them, the verifier refused these for everybody.
        (int(NOW), {"auth_time": "long ago"}, False),
        (int(NOW), {"auth_time": NOW + SKEW + 1}, False),
        (int(NOW), {"auth_time": int(NOW)}, True),
        (int(NOW), {"auth_time": int(NOW) - SKEW}, True),
        (int(NOW), {"auth_time": int(NOW) - SKEW - 1}, False),
    ],
)
async def test_S28_a_confirmation_of_before_the_flow_does_not_count_where_the_token_tells(
    scene: Scene, since: int | None, claims: dict[str, Any], *, is_fresh: bool
) -> None:
    before = await scene.begun()
    scene.broker.person = replace(ADA, claims=claims)

    if is_fresh:
        assert (await scene.step_up(before, fresh_since=since)).session
    else:
        with pytest.raises(SignInFailed):
            await scene.step_up(before, fresh_since=since)
        assert await scene.lives(before)


async def test_S15_a_step_up_of_a_session_that_has_ended_starts_none(scene: Scene) -> None:
    session = await scene.begun()
    await scene.sessions.end(session, "signed-out")

    with pytest.raises(SignInRequired) as refused:
        await scene.step_up(session)

    assert refused.value.reason == "signed-out"
    assert scene.broker.redeemed == []


@pytest.mark.parametrize("cookie", ["", "no cookie of ours"])
async def test_S15_a_step_up_of_no_session_starts_none(scene: Scene, cookie: str) -> None:
    flow = AuthCodeFlow({}, STEP_UP, "/", "n", session=cookie)

    with pytest.raises(SignInRequired) as refused:
        await scene.complete(flow)
    assert refused.value.reason is None


async def rotated(scene: Scene, session: LiveSession) -> LiveSession:
    """Let another tab's step-up come first; return what it brought."""
    cookie = SessionCookie.new(session.cookie.family)
    after = await scene.sessions.start(ada(), {}, cookie=cookie, successor=Successor(session.ref, b"0"))
    assert after
    return after


async def test_a_tab_whose_session_another_tab_has_replaced_goes_on_with_that_one(scene: Scene) -> None:
    session = await scene.begun()
    after = await rotated(scene, session)

    assert await scene.step_up(session) == CompletedFlow(None, "/edit")

    assert scene.broker.redeemed == [], "its code is left alone"
    assert await scene.lives(after)


async def test_a_tab_that_is_overtaken_while_it_redeems_goes_on_as_well(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    session = await scene.begun()
    scene.broker.meanwhile = lambda: rotated(scene, session)

    assert await scene.step_up(session) == CompletedFlow(None, "/edit")
    assert caplog.messages == ["authorization-response"]


async def test_S18_a_session_that_is_signed_out_during_its_step_up_stays_so(scene: Scene) -> None:
    session = await scene.begun()
    scene.broker.meanwhile = lambda: scene.sessions.end(session, "signed-out")

    with pytest.raises(SignInRequired) as refused:
        await scene.step_up(session)
    assert refused.value.reason == "signed-out"
