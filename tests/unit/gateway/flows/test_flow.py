"""The two ends of a flow: what is asked of the authority, and the session that a sign-in starts."""

from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.audit.origin import Origin, coming_from
from gateway.demand import Demand
from gateway.errors import (
    SignInCancelled,
    SignInFailed,
    SignInRequired,
    StepUpCancelled,
    StepUpRequired,
)
from gateway.flows.flow import SIGN_IN, SIGN_UP, STEP_UP
from gateway.flows.flow_record import AuthCodeFlow
from gateway.store.scripts import CREATE
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import TOKEN
from servicekit.errors import AccessBlocked
from servicekit.reference import reference_of
from tests.stage.redis_wire import Command, runs
from tests.stage.references import with_reference
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.flows.scene import ADA, ANSWER, EDIT, ISSUER, LASTING, READ, Scene, signing_in
from tests.unit.gateway.store_of_tests import NOW, ada


def test_flows_are_called_by_what_they_are_for() -> None:
    assert (SIGN_IN, SIGN_UP, STEP_UP) == ("sign-in", "sign-up", "step-up")


async def test_A6_a_flow_remembers_which_request_began_it(scene: Scene) -> None:
    session, request = await scene.begun(), make_mocked_request("GET", "/auth/step-up")

    async def begin(_request: web.Request) -> web.Response:
        _, signing_in = await scene.auth.begin(SIGN_IN, "/", None)
        _, stepping_up = await scene.auth.begin_step_up(session, "/", challenge=None)
        assert {signing_in.begun_by, stepping_up.begun_by} == {reference_of(request)}
        return web.Response()

    await with_reference(request, begin)


@pytest.mark.parametrize("purpose, prompt", [(SIGN_IN, None), (SIGN_UP, "create")])
async def test_a_sign_in_asks_for_reading_and_a_sign_up_for_a_new_account(
    scene: Scene, purpose: str, prompt: str | None
) -> None:
    url, flow = await scene.auth.begin(purpose, "/edit", None)

    (asked,) = scene.broker.asked
    assert asked == {"resource": READ, "state": asked["state"], "prompt": prompt}
    assert len(asked["state"]) == 43
    assert url == "https://authority/"
    assert flow == AuthCodeFlow({"state": asked["state"]}, purpose, "/edit", "a-nonce", session="")


async def test_S2_every_flow_has_a_state_of_its_own(scene: Scene) -> None:
    session = await scene.begun()
    for _ in range(10):
        await scene.auth.begin(SIGN_IN, "/", None)
        await scene.auth.begin_step_up(session, "/", challenge=None)

    assert {len(asked["state"]) for asked in scene.broker.asked} == {43}
    assert len({asked["state"] for asked in scene.broker.asked}) == 20


async def test_a_sign_in_remembers_the_session_that_the_browser_has(scene: Scene) -> None:
    session = await scene.begun()

    _, flow = await scene.auth.begin(SIGN_IN, "/", session)

    assert flow.session == session.cookie.text


async def test_a_step_up_up_front_asks_for_editing(scene: Scene) -> None:
    session = await scene.begun(claims={"login_hint": "a-hint"})

    url, flow = await scene.auth.begin_step_up(session, "/edit", challenge=None)

    (asked,) = scene.broker.asked
    assert asked == {
        "resource": EDIT,
        "beside": [READ],
        "state": asked["state"],
        "login_hint": "a-hint",
        "demand": Demand(EDIT.scope),
    }
    assert url == "https://authority/"
    assert flow == AuthCodeFlow(
        {"state": asked["state"]},
        STEP_UP,
        "/edit",
        "a-nonce",
        session=session.cookie.text,
        resource="edit",
        fresh_since=None,
    )


@pytest.mark.parametrize("last_mfa_at, beside", [(None, []), (int(NOW), [EDIT])])
async def test_a_step_up_for_reading_asks_for_what_was_reached_beside_it(
    scene: Scene, last_mfa_at: int | None, beside: list[Resource]
) -> None:
    session = await scene.begun(last_mfa_at=last_mfa_at)
    demand = Demand(READ.scope, claims="{}")
    way = await scene.step_ups.keep(session, StepUpRequired(demand))
    challenge = way.members["redirect"].partition("=")[2]

    _, flow = await scene.auth.begin_step_up(session, "/", challenge=challenge)

    (asked,) = scene.broker.asked
    assert (asked["resource"], asked["demand"], asked["beside"]) == (READ, demand, beside)
    assert asked["login_hint"] is None
    assert flow.resource == "graph"


@pytest.mark.parametrize("oldest, since", [(None, None), (0, int(NOW)), (30, int(NOW) - 30)])
async def test_a_step_up_remembers_since_when_a_confirmation_counts(
    scene: Scene, oldest: int | None, since: int | None
) -> None:
    scene.clock.now = NOW + 0.9
    scene.broker.oldest = oldest

    _, flow = await scene.auth.begin_step_up(await scene.begun(), "/", challenge=None)

    assert flow.fresh_since == since


@pytest.mark.parametrize("purpose", [SIGN_IN, STEP_UP])
async def test_S5_an_answer_of_another_authority_is_refused_and_nothing_redeemed(
    scene: Scene, purpose: str
) -> None:
    flow = replace(signing_in(), purpose=purpose)

    with pytest.raises(SignInFailed):
        await scene.complete(flow, iss="https://evil.example")
    with pytest.raises(SignInFailed):
        await scene.complete(flow, iss="https://evil.example", error="access_denied")
    scene.discovery.promises_issuer = True
    with pytest.raises(SignInFailed):
        await scene.complete(flow)
    assert scene.broker.redeemed == []


@pytest.mark.parametrize("purpose, outcome", [(SIGN_IN, SignInCancelled), (STEP_UP, StepUpCancelled)])
async def test_a_refusal_redeems_nothing_and_leaves_the_session(
    scene: Scene, purpose: str, outcome: type[Exception]
) -> None:
    session = await scene.begun()

    with pytest.raises(outcome):
        await scene.complete(replace(signing_in(session), purpose=purpose), error="access_denied")

    assert scene.broker.redeemed == []
    assert await scene.lives(session)


async def test_W6_a_refusal_is_read_with_its_description_and_its_subcode(scene: Scene) -> None:
    with pytest.raises(AccessBlocked):
        await scene.complete(signing_in(), error="access_denied", error_description="AADSTS53003: no")
    with pytest.raises(SignInCancelled):
        await scene.complete(signing_in(), error="server_error", error_subcode="cancel")


async def test_a_sign_in_starts_a_session_of_whoever_came_back(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    scene.clock.now = NOW + 0.9

    completed = await scene.complete(signing_in(), iss=ISSUER, session_state="s" * 200)

    assert scene.broker.redeemed == [
        ({"m": 1}, "a-nonce", {**ANSWER, "iss": ISSUER, "session_state": "s" * 200})
    ]
    assert completed.return_to == "/edit"
    session = completed.session
    assert session
    assert session.user == ada(sid="s" * 128, device="Firefox on Linux", claims={"aud": "x"})
    assert await session.records.get(TOKEN, "graph") == AccessToken("new", NOW + 600)
    assert await scene.lives(session)
    assert scene.cookies == [session.cookie], "made where all cookies are"
    assert scene.broker.throttled is None, "nobody, where no network is known"
    assert caplog.messages == ["authorization-response", "signed-in"]


async def test_S20_the_authoritys_own_name_of_its_session_goes_before_that_of_the_answer(
    scene: Scene,
) -> None:
    scene.broker.person = replace(ADA, sid="of the token")
    completed = await scene.complete(signing_in(), session_state="of the answer")
    assert completed.session
    assert completed.session.user.sid == "of the token"
    scene.broker.person = ADA
    nameless = await scene.complete(signing_in())
    assert nameless.session
    assert nameless.session.user.sid == ""


async def test_S15_a_sign_in_ends_the_session_that_the_browser_had(scene: Scene) -> None:
    before = await scene.begun(LASTING.entry("old", NOW + 60))

    completed = await scene.complete(signing_in(before))

    assert completed.session
    assert await completed.session.records.get(LASTING) is None
    assert not await scene.lives(before)
    assert await scene.sessions.why_ended(before.cookie) == "replaced"


async def test_S20_a_sign_in_that_was_ended_while_it_began_is_none(
    scene: Scene, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.refuse(runs(CREATE), b":0\r\n")

    with pytest.raises(SignInRequired) as refused:
        await scene.complete(signing_in())
    assert refused.value.reason == "expired"


@pytest.mark.parametrize("network, who", [("198.51.100.0/24", "198.51.100.0/24"), ("", None)])
async def test_A5_a_sign_in_is_held_back_with_its_network(
    scene: Scene, network: str, who: str | None
) -> None:
    await scene.auth.complete(signing_in(), ANSWER, device="", network=network)

    assert scene.broker.throttled == who


@pytest.mark.parametrize("purpose, is_known", [(STEP_UP, True), (SIGN_IN, False)])
async def test_A6_a_step_up_that_was_refused_is_known_to_be_its_person_s(
    scene: Scene, purpose: str, *, is_known: bool
) -> None:
    session = await scene.begun()
    origin = Origin()

    with coming_from(origin), pytest.raises((SignInCancelled, StepUpCancelled)):
        await scene.complete(replace(signing_in(session), purpose=purpose), error="access_denied")

    assert (origin.subject is not None) is is_known


async def test_R2_what_became_of_a_step_up_is_told_also_while_redis_is_away(
    scene: Scene, way_to_redis: RequestProxy[Command]
) -> None:
    flow = replace(signing_in(await scene.begun()), purpose=STEP_UP)
    way_to_redis.cut(lambda _: True, times=None)

    with pytest.raises(StepUpCancelled):
        await scene.complete(flow, error="access_denied")


async def test_A6_a_sign_in_that_fails_is_not_about_whoever_the_browser_was_signed_in_as(
    scene: Scene,
) -> None:
    session, origin = await scene.begun(), Origin()

    async def fail() -> None:
        raise AccessBlocked

    scene.broker.meanwhile = fail
    with coming_from(origin), pytest.raises(AccessBlocked):
        await scene.complete(signing_in(session))

    assert origin.subject is None
