"""Challenges, actions and the loop guard by resource: one never counts for another, and never hides it."""

import pytest

from gateway.demand import Demand
from gateway.errors import NotFound, StepUpLoop, StepUpRequired
from gateway.flows.confirmations import members_after
from gateway.flows.step_up import ACCEPTED, CHALLENGE, DEMANDED, StepUps, accepted_field, unmet
from gateway.session.confirmation import Confirmation
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.fields import Field
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import TOKEN
from tests.stage.stored import stored
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.rows import BILLS, EDIT, NOTES, READ, Row, judging
from tests.unit.gateway.store_of_tests import ABSOLUTE, NOW, begun


@pytest.fixture
def step_ups(clock: MovableClock) -> StepUps:
    return judging(clock)


async def way_of(step_ups: StepUps, session: LiveSession, demand: Demand) -> tuple[str, str]:
    """Keep a demand; return the id of its challenge, and what else the way says."""
    way = (await step_ups.keep(session, StepUpRequired(demand))).members["redirect"]
    name, _, rest = way.removeprefix("/auth/step-up?challenge=").partition("&")
    assert len(name) == 22
    return name, rest


async def test_the_way_out_of_a_row_s_demand_says_what_it_is_for_should_the_challenge_be_forgotten(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)

    _, notes = await way_of(step_ups, session, Demand(NOTES.scope, claims="{}"))
    assert notes == "action=notes"
    for profile in (EDIT, READ):
        assert (await way_of(step_ups, session, Demand(profile.scope)))[1] == "", "as ever"


async def test_where_rows_share_the_profile_s_scopes_its_ways_are_as_ever_and_the_rows_wait(
    sessions: SessionStore, clock: MovableClock
) -> None:
    rows = (Row("also-editing", EDIT.scope), Row("reading-me", READ.scope))
    step_ups = judging(clock, rows)
    known = {one.key: Confirmation(int(NOW)) for one in (EDIT, READ)}
    session = await begun(sessions, confirmations=known)

    for profile in (EDIT, READ):
        assert (await way_of(step_ups, session, Demand(profile.scope)))[1] == ""

    assert await step_ups.access(session) == {
        "profile.edit": "granted",
        "also-editing": "step-up",
        "reading-me": "step-up",
    }


async def test_a_challenge_goes_before_the_action_and_a_forgotten_one_leaves_it_to_the_action(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    demand = Demand(NOTES.scope, claims='{"a":1}')
    name, _ = await way_of(step_ups, session, demand)

    assert await step_ups.demand(session, name, "bills") == demand
    assert await step_ups.demand(session, "forgotten", "bills") == Demand(BILLS.scope)
    assert await step_ups.demand(session, None, "notes") == Demand(NOTES.scope)
    for nothing in (None, "", "profile.edit"):
        assert await step_ups.demand(session, None, nothing) == Demand(EDIT.scope)


@pytest.mark.parametrize("action", ["unknown", "pictures", "NOTES", " notes", "edit", "graph", NOTES.scope])
async def test_an_action_that_nothing_is_called_by_is_told_so(
    step_ups: StepUps, sessions: SessionStore, action: str
) -> None:
    session = await begun(sessions)

    with pytest.raises(NotFound) as refused:
        await step_ups.demand(session, None, action)
    assert refused.value.detail == "There is nothing of this name to confirm for."


async def test_a_challenge_of_a_row_that_is_gone_is_a_forgotten_one(
    step_ups: StepUps, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    name, _ = await way_of(step_ups, session, Demand(NOTES.scope))

    assert await judging(clock, ()).demand(session, name) == Demand(EDIT.scope)


async def test_where_one_row_s_confirmations_age_those_for_its_resource_are_given_on_this_very_flow(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    ageing = judging(
        clock, (Row("notes", NOTES.scope), Row("own-notes", NOTES.scope, 60), Row("bills", BILLS.scope))
    )

    assert await ageing.demand(session, None, "notes") == Demand(NOTES.scope, fresh=True)
    assert await ageing.demand(session, None, "bills") == Demand(BILLS.scope)
    assert await ageing.demand(session, None) == Demand(EDIT.scope)
    editing = judging(clock, edit_max_age=60)
    name, _ = await way_of(editing, session, Demand(READ.scope))
    assert await editing.demand(session, name) == Demand(READ.scope, fresh=True)
    assert await editing.demand(session, None, "notes") == Demand(NOTES.scope)


async def confirmed(
    sessions: SessionStore, step_ups: StepUps, session: LiveSession, resource: Resource, at: float = NOW
) -> LiveSession:
    """Return the session that follows from one more confirmation, with what goes along."""
    in_vain = await step_ups.in_vain_after(session, resource)
    members = members_after(session.user, resource, at=int(at), in_vain=in_vain)
    records, _ = await session.records.survivors((ACCEPTED, DEMANDED, CHALLENGE))
    following = await begun(sessions, unmet(records, resource), **members)
    live = await sessions.load(following.cookie, everything=True)
    assert live
    return live


async def accepted(step_ups: StepUps, session: LiveSession, resource: Resource) -> None:
    """Let a resource accept a token."""
    await session.records.put(step_ups.success(session, resource))


async def loops(step_ups: StepUps, session: LiveSession, resource: Resource) -> bool:
    try:
        await step_ups.keep(session, StepUpRequired(Demand(resource.scope)))
    except StepUpLoop:
        return True
    return False


async def test_S30_a_resource_that_loops_does_so_whatever_else_works_between(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    for _ in range(3):
        assert not await loops(step_ups, session, NOTES)
        session = await confirmed(sessions, step_ups, session, NOTES)
        session = await confirmed(sessions, step_ups, session, BILLS)
        await accepted(step_ups, session, BILLS)
        session = await confirmed(sessions, step_ups, session, EDIT)
        await accepted(step_ups, session, EDIT)

    assert await loops(step_ups, session, NOTES)
    for other in (BILLS, EDIT, READ):
        assert not await loops(step_ups, session, other), "and it makes no loop of another"


async def test_S30_three_confirmations_for_three_resources_are_no_loop(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    for resource in (NOTES, BILLS, EDIT, READ):
        session = await confirmed(sessions, step_ups, session, resource)

    for resource in (NOTES, BILLS, EDIT, READ):
        assert not await loops(step_ups, session, resource)


async def test_S30_two_resources_that_loop_by_turns_both_end_in_an_explanation(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    for _ in range(3):
        for resource in (NOTES, BILLS):
            assert not await loops(step_ups, session, resource)
            session = await confirmed(sessions, step_ups, session, resource)

    assert await loops(step_ups, session, NOTES)
    assert await loops(step_ups, session, BILLS)


async def test_S30_what_a_resource_accepted_stays_accepted_over_another_s_confirmation(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    for _ in range(4):
        session = await confirmed(sessions, step_ups, session, NOTES)
        await accepted(step_ups, session, NOTES)
        session = await confirmed(sessions, step_ups, session, BILLS)
        assert not await loops(step_ups, session, NOTES)
        assert await step_ups.in_vain_after(session, NOTES) == 1
    assert await loops(step_ups, session, BILLS)


async def test_S30_what_was_accepted_before_the_last_confirmation_says_nothing_of_it(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await confirmed(sessions, step_ups, await begun(sessions), NOTES)
    await accepted(step_ups, session, NOTES)
    for _ in range(3):
        assert not await loops(step_ups, session, NOTES)
        session = await confirmed(sessions, step_ups, session, NOTES)

    assert await loops(step_ups, session, NOTES)


async def test_S30_a_loop_of_one_resource_is_over_by_its_own_clock(
    step_ups: StepUps, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    for _ in range(3):
        session = await confirmed(sessions, step_ups, session, NOTES)
    session = await confirmed(sessions, step_ups, session, BILLS, at=NOW + 250)

    clock.now = NOW + 299
    assert await loops(step_ups, session, NOTES)
    clock.now = NOW + 300
    assert not await loops(step_ups, session, NOTES), "another's confirmation does not prolong it"


async def test_S30_success_is_noted_by_resource_once_there_is_a_count(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions, confirmations={NOTES.key: Confirmation(int(NOW), 1)})

    counted_none = await begun(sessions, confirmations={NOTES.key: Confirmation(int(NOW), 0)})
    assert step_ups.success(counted_none, NOTES) == {}
    assert step_ups.success(session, BILLS) == {}
    assert step_ups.success(session, NOTES) == {f"edited:{NOTES.key}": Field(b"1", NOW + ABSOLUTE)}
    assert (accepted_field(EDIT), accepted_field(NOTES)) == ("edited", f"edited:{NOTES.key}")


async def test_S27_a_confirmation_ends_the_challenges_of_its_resource_and_no_others(
    step_ups: StepUps, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    notes, _ = await way_of(step_ups, session, Demand(NOTES.scope, claims="{}"))
    bills, _ = await way_of(step_ups, session, Demand(BILLS.scope, claims="{}"))
    live = await sessions.load(session.cookie, everything=True)
    assert live

    after = await confirmed(sessions, step_ups, live, NOTES)

    assert await stored(after, CHALLENGE, notes) is None
    assert await stored(after, CHALLENGE, bills) == Demand(BILLS.scope, claims="{}")
    assert await stored(after, DEMANDED, NOTES.key) is None
    assert await stored(after, DEMANDED, BILLS.key) == 1
    assert (await step_ups.access(after))["bills"] == "step-up"


def test_S27_a_challenge_that_nobody_can_read_ends_with_any_confirmation() -> None:
    other = {"challengers": Field(b"x", NOW)}

    assert unmet({"challenge:damaged": Field(b"x", NOW), **other}, NOTES) == other


def test_S46_a_confirmation_ends_the_token_of_its_resource_and_no_other_one() -> None:
    tokens = {TOKEN.field(one.key): Field(b"x", NOW) for one in (NOTES, BILLS, EDIT)}

    assert unmet(tokens, NOTES).keys() == {TOKEN.field(one.key) for one in (BILLS, EDIT)}
