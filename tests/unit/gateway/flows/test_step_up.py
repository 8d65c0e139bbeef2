"""Step-up: what is kept until it is proven, when there are too many in vain, and whether an edit would go through."""

from typing import Any

import pytest

from gateway.demand import Demand
from gateway.errors import SignInRequired, StepUpLoop, StepUpRequired
from gateway.flows.access_rules import PROFILE_EDIT, rules_of
from gateway.flows.step_up import ACCEPTED, CHALLENGE, DEMANDED, StepUps
from gateway.session.records import RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.fields import Field
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import Resource, Resources
from gateway.tokens.token_records import GRANTED, REFUSAL, TOKEN, RememberedRefusal
from tests.stage.stored import stored
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import ABSOLUTE, NOW, begun

READ, EDIT = Resource("graph", "User.Read"), Resource("edit", "api://x/Edit")
REQUIRED = StepUpRequired(Demand("api://x/Edit", claims='{"a":1}'), cause="the resource asks")
NOTE = RecordKind("note", str)
CHALLENGE_SECONDS, LOOP_SECONDS = 600, 300
WAY = "/auth/step-up?challenge="


def judging(clock: MovableClock, *, max_age: int | None = None) -> StepUps:
    """Return one of a gateway without upstreams."""
    resources = Resources(READ, EDIT)
    return StepUps(now=clock, resources=resources, rules=rules_of(resources, edit_max_age=max_age))


@pytest.fixture
def step_ups(clock: MovableClock) -> StepUps:
    return judging(clock)


def ageing(clock: MovableClock) -> StepUps:
    """Return one for which a confirmation lasts a minute."""
    return judging(clock, max_age=60)


def token(resource: Resource, ends: float = NOW + 600) -> dict[str, Field]:
    return TOKEN.entry(AccessToken("a-token", ends), ends, resource.key)


def refusal(
    resource: Resource, ends: float = NOW + 10, *, beside: bool = False, kind: str = "interaction"
) -> dict[str, Field]:
    return REFUSAL.entry(RememberedRefusal(kind, "x", None, ends, beside), ends, resource.key)


def granted(*scopes: str) -> dict[str, Field]:
    return GRANTED.entry(list(scopes), NOW + 600)


async def challenge_of(step_ups: StepUps, session: LiveSession) -> str:
    """Keep a demand; return the id of its challenge."""
    way = (await step_ups.keep(session, REQUIRED)).members["redirect"]
    assert way.startswith(WAY)
    return str(way.removeprefix(WAY))


async def test_S27_a_demand_is_kept_here_and_the_browser_gets_its_name(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)

    error = await step_ups.keep(session, REQUIRED, NOTE.entry("beside", NOW + 60))

    assert error is not REQUIRED, "others may share the one that was raised"
    assert (error.demand, error.log_detail) == (REQUIRED.demand, "the resource asks")
    assert "redirect" not in REQUIRED.members
    assert set(error.members) == {"scope", "redirect"}
    name = error.members["redirect"].removeprefix(WAY)
    assert len(name) == 22
    assert await stored(session, CHALLENGE, name) == REQUIRED.demand
    assert await stored(session, NOTE) == "beside"
    assert await step_ups.demand(session, name) == REQUIRED.demand


async def test_S27_two_challenges_have_two_names(step_ups: StepUps, sessions: SessionStore) -> None:
    session = await begun(sessions)

    assert await challenge_of(step_ups, session) != await challenge_of(step_ups, session)


async def test_S27_a_challenge_is_kept_for_ten_minutes(
    step_ups: StepUps, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    name = await challenge_of(step_ups, session)

    clock.now = NOW + CHALLENGE_SECONDS - 1
    assert await step_ups.demand(session, name) == REQUIRED.demand
    clock.now = NOW + CHALLENGE_SECONDS
    assert await step_ups.demand(session, name) == Demand(EDIT.scope)


async def test_without_a_challenge_a_step_up_brings_what_an_edit_needs(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    await challenge_of(step_ups, session)

    for name in (None, "", "unknown"):
        assert await step_ups.demand(session, name) == Demand("api://x/Edit")


async def test_where_confirmations_age_each_is_given_on_this_very_flow(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    step_ups = ageing(clock)
    aged = StepUpRequired(Demand("User.Read", acr_values="c1", max_age=30))
    name = (await step_ups.keep(session, aged)).members["redirect"].removeprefix(WAY)

    assert await step_ups.demand(session, name) == Demand("User.Read", fresh=True, acr_values="c1")
    assert await step_ups.demand(session, None) == Demand("api://x/Edit", fresh=True)


async def test_nothing_is_kept_in_a_session_that_has_ended(step_ups: StepUps, sessions: SessionStore) -> None:
    session = await begun(sessions)
    await sessions.end(session, "signed-out")

    with pytest.raises(SignInRequired) as refused:
        await step_ups.keep(session, REQUIRED)
    assert refused.value.reason == "signed-out"


async def in_vain(sessions: SessionStore, times: int, **changed: Any) -> LiveSession:
    """Return a session that confirmed so often at NOW without an edit."""
    return await begun(
        sessions,
        **{"step_ups_in_vain": times, "last_step_up_at": int(NOW), "last_mfa_at": int(NOW), **changed},
    )


async def test_S30_there_is_no_fourth_step_up_in_vain(step_ups: StepUps, sessions: SessionStore) -> None:
    assert await challenge_of(step_ups, await in_vain(sessions, 2))
    session = await in_vain(sessions, 3)
    for _ in range(2):
        with pytest.raises(StepUpLoop) as refused:
            await step_ups.keep(session, REQUIRED)
        assert refused.value.headers == {"Retry-After": "300"}


async def test_S30_after_five_minutes_a_person_may_try_again(
    step_ups: StepUps, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await in_vain(sessions, 3)

    clock.now = NOW + LOOP_SECONDS - 1
    with pytest.raises(StepUpLoop):
        await step_ups.keep(session, REQUIRED)
    clock.now = NOW + LOOP_SECONDS
    assert await challenge_of(step_ups, session)
    assert await challenge_of(step_ups, await in_vain(sessions, 3, last_step_up_at=None))


async def test_S30_an_edit_that_went_through_ends_the_count(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await in_vain(sessions, 3)
    entries = step_ups.success(session, EDIT)
    assert entries == {ACCEPTED.field(): Field(b"1", NOW + ABSOLUTE)}

    await session.records.put(entries)

    assert await challenge_of(step_ups, session)
    assert await step_ups.in_vain_after(session, EDIT) == 1


async def test_S30_where_nothing_was_in_vain_nothing_is_written(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)

    assert step_ups.success(session, EDIT) == {}
    assert await step_ups.in_vain_after(session, EDIT) == 1


async def test_S30_the_next_session_counts_on(
    step_ups: StepUps, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await in_vain(sessions, 2)

    assert await step_ups.in_vain_after(session, EDIT) == 3
    clock.now = NOW + LOOP_SECONDS
    assert await step_ups.in_vain_after(session, EDIT) == 1


@pytest.mark.parametrize("last_mfa_at", [None, int(NOW)])
async def test_with_a_token_an_edit_goes_through(
    step_ups: StepUps, sessions: SessionStore, last_mfa_at: int | None
) -> None:
    session = await begun(sessions, token(EDIT), last_mfa_at=last_mfa_at)

    assert await step_ups.access(session) == {PROFILE_EDIT: "granted"}


@pytest.mark.parametrize(
    "records, last_mfa_at, answer",
    [
        ({}, None, "step-up"),
        (token(READ), None, "step-up"),
        ({}, int(NOW), "granted"),
        (refusal(EDIT), int(NOW), "step-up"),
        (refusal(EDIT, kind="blocked"), int(NOW), "step-up"),
        (refusal(READ), int(NOW), "granted"),
        (refusal(EDIT, beside=True), int(NOW), "granted"),
        (granted("openid", EDIT.scope), int(NOW), "granted"),
        (granted("openid"), int(NOW), "step-up"),
        (granted(), int(NOW), "step-up"),
        (token(EDIT) | granted(), None, "granted"),
    ],
)
async def test_without_one_it_does_once_the_person_has_confirmed_and_nobody_refused_it(
    step_ups: StepUps,
    sessions: SessionStore,
    records: dict[str, Field],
    last_mfa_at: int | None,
    answer: str,
) -> None:
    session = await begun(sessions, records, last_mfa_at=last_mfa_at)

    assert await step_ups.access(session) == {PROFILE_EDIT: answer}


async def test_W11_what_nothing_can_renew_has_to_be_brought_anew(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions, last_mfa_at=int(NOW), ends_at=int(NOW) + 600)
    with_token = await begun(sessions, token(EDIT), last_mfa_at=int(NOW), ends_at=int(NOW) + 600)

    assert await step_ups.access(session) == {PROFILE_EDIT: "step-up"}
    assert await step_ups.access(with_token) == {PROFILE_EDIT: "granted"}


def test_without_upstreams_the_records_that_say_so_are_those_of_editing(step_ups: StepUps) -> None:
    assert step_ups.access_fields == ("token:edit", "refusal:edit", "granted")


async def test_a_confirmation_that_is_too_old_counts_as_none(
    sessions: SessionStore, clock: MovableClock, step_ups: StepUps
) -> None:
    session = await begun(sessions, token(EDIT), last_mfa_at=int(NOW))
    never = await begun(sessions, token(EDIT))

    clock.now = NOW + 59
    ageing(clock).demand_freshness(session, ageing(clock).rules[PROFILE_EDIT])
    assert await ageing(clock).access(session) == {PROFILE_EDIT: "granted"}
    assert await ageing(clock).access(never) == {PROFILE_EDIT: "step-up"}
    clock.now = NOW + 60
    assert await ageing(clock).access(session) == {PROFILE_EDIT: "step-up"}
    for stale in (session, never):
        with pytest.raises(StepUpRequired) as required:
            ageing(clock).demand_freshness(stale, ageing(clock).rules[PROFILE_EDIT])
        assert required.value.demand == Demand("api://x/Edit", fresh=True)
        assert required.value.log_detail == "there is no confirmation yet, or it is too old"
    for any_age in (session, never):
        step_ups.demand_freshness(any_age, step_ups.rules[PROFILE_EDIT])
        assert await step_ups.access(any_age) == {PROFILE_EDIT: "granted"}, "the authority alone decides"


def test_records_are_called_as_the_release_before_calls_them_and_go_along() -> None:
    kinds = (CHALLENGE, ACCEPTED, DEMANDED)

    assert [kind.name for kind in kinds] == ["challenge", "edited", "demanded"]
    assert all(kind.survives_step_up for kind in kinds), "what one step-up ends is another's as well"
