"""Step-ups for the resources of rows: what is asked, what is brought, and what is left of all the others."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.demand import Demand
from gateway.errors import DifferentPerson, NotFound, SignInExpired, StepUpRequired
from gateway.flows.flow_record import AuthCodeFlow
from gateway.flows.step_up import CHALLENGE, DEMANDED
from gateway.session.confirmation import Confirmation
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.stored_form import read_record, write_record
from gateway.tokens.access_token import AccessToken
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import GRANTED, TOKEN
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.rows import BILLS, EDIT, NOTES, READ, ROWS
from tests.unit.gateway.flows.scene import GRACE, Scene, stepping_up
from tests.unit.gateway.flows.test_step_up import token
from tests.unit.gateway.store_of_tests import NOW


@dataclass(frozen=True, slots=True)
class AuthCodeFlowBefore:
    """What the release before reads of a flow."""

    msal: dict[str, Any]
    purpose: str
    return_to: str
    nonce: str
    session: str = ""
    resource: str = ""
    fresh_since: int | None = None
    begun_by: str = ""


@pytest.fixture
def scene(sessions: SessionStore, clock: MovableClock) -> Scene:
    """Give the two ends of a flow of a gateway with rows."""
    return Scene(sessions, clock, ROWS)


def for_row(session: LiveSession, resource: Resource) -> AuthCodeFlow:
    """Return the flow of a step-up for a row's resource."""
    return replace(stepping_up(session), resource=None, upstream=resource.key)


async def challenge_for(scene: Scene, session: LiveSession, resource: Resource) -> str:
    """Let a resource ask for more; return the id of the challenge."""
    way = await scene.step_ups.keep(session, StepUpRequired(Demand(resource.scope, claims="{}")))
    return str(way.members["redirect"].partition("challenge=")[2].partition("&")[0])


async def test_a_step_up_up_front_asks_for_what_its_action_needs(scene: Scene) -> None:
    session = await scene.begun()

    _, flow = await scene.auth.begin_step_up(session, "/notes", challenge=None, action="notes")

    (asked,) = scene.broker.asked
    assert (asked["resource"], asked["demand"]) == (NOTES, Demand(NOTES.scope))
    assert (flow.resource, flow.upstream, flow.return_to) == (None, NOTES.key, "/notes")
    with pytest.raises(NotFound):
        await scene.auth.begin_step_up(session, "/notes", challenge=None, action="note")


async def test_a_step_up_for_the_profile_is_remembered_as_the_release_before_reads_it(scene: Scene) -> None:
    session = await scene.begun()

    _, editing = await scene.auth.begin_step_up(session, "/", challenge=None, action="profile.edit")
    challenge = await challenge_for(scene, session, READ)
    _, reading = await scene.auth.begin_step_up(session, "/", challenge=challenge, action="profile.edit")

    assert (editing.resource, editing.upstream) == ("edit", "")
    assert (reading.resource, reading.upstream) == ("graph", "")


async def test_R27_the_release_before_refuses_a_row_s_flow_instead_of_taking_it_for_editing(
    scene: Scene,
) -> None:
    session = await scene.begun()
    _, flow = await scene.auth.begin_step_up(session, "/", challenge=None, action="notes")
    _, editing = await scene.auth.begin_step_up(session, "/", challenge=None)

    assert read_record(AuthCodeFlow, write_record(flow)) == flow
    assert read_record(AuthCodeFlowBefore, write_record(flow)) is None, "as one that is too old"
    before = read_record(AuthCodeFlowBefore, write_record(editing))
    assert before
    assert before.resource == "edit"


@pytest.mark.parametrize(
    "action, known, granted, beside",
    [
        ("notes", (), None, [READ]),
        ("notes", (EDIT, BILLS), None, [READ, EDIT, BILLS]),
        ("notes", (NOTES,), None, [READ]),
        ("profile.edit", (NOTES, BILLS), None, [READ, NOTES, BILLS]),
        ("profile.edit", (EDIT,), None, [READ]),
        # What the authority says of the grant goes before what was confirmed.
        ("notes", (EDIT,), ["openid", BILLS.scope], [READ, BILLS]),
        ("notes", (EDIT, BILLS), [], [READ]),
    ],
)
async def test_what_was_reached_so_far_is_asked_for_beside(
    scene: Scene,
    action: str,
    known: tuple[Resource, ...],
    granted: list[str] | None,
    beside: list[Resource],
) -> None:
    records = {} if granted is None else GRANTED.entry(granted, NOW + 600)
    confirmations = {one.key: Confirmation(int(NOW)) for one in known}
    session = await scene.begun(records, confirmations=confirmations)

    await scene.auth.begin_step_up(session, "/", challenge=None, action=action)

    (asked,) = scene.broker.asked
    assert asked["beside"] == beside


async def test_a_step_up_for_a_row_confirms_that_and_leaves_tokens_and_confirmations_of_the_others(
    scene: Scene,
) -> None:
    kept = {EDIT.key: Confirmation(5, 2), BILLS.key: Confirmation(6)}
    before = await scene.begun(
        token(EDIT) | token(BILLS), confirmations=kept, last_mfa_at=5, last_step_up_at=5, step_ups_in_vain=2
    )

    completed = await scene.complete(for_row(before, NOTES))

    assert completed.upstream == "notes"
    session = completed.session
    assert session
    assert session.ref != before.ref
    assert not await scene.lives(before)
    assert session.user.confirmations == {**kept, NOTES.key: Confirmation(int(NOW), 1)}
    assert (session.user.last_mfa_at, session.user.last_step_up_at, session.user.step_ups_in_vain) == (
        5,
        5,
        2,
    )
    assert await session.records.get(TOKEN, NOTES.key) == AccessToken("new", NOW + 600)
    for other in (EDIT, BILLS):
        assert await session.records.get(TOKEN, other.key) == AccessToken("a-token", NOW + 600)


async def test_another_tab_s_challenge_waits_on_while_this_one_confirms_for_something_else(
    scene: Scene,
) -> None:
    session = await scene.begun()
    notes, bills = [await challenge_for(scene, session, one) for one in (NOTES, BILLS)]
    _, of_notes = await scene.auth.begin_step_up(session, "/notes", challenge=notes)
    _, of_bills = await scene.auth.begin_step_up(session, "/bills", challenge=bills)

    first = await scene.complete(of_notes)
    second = await scene.complete(of_bills)

    assert first.session
    assert (second.session, second.return_to) == (None, "/bills"), (
        "the browser has what the first one brought"
    )
    after = await scene.sessions.load(first.session.cookie)
    assert after
    assert await after.records.get(CHALLENGE, notes) is None
    assert await after.records.get(CHALLENGE, bills) == Demand(BILLS.scope, claims="{}")
    _, again = await scene.auth.begin_step_up(after, "/bills", challenge=bills)
    third = await scene.complete(again)
    assert third.session
    assert await scene.step_ups.access(third.session) == {
        "profile.edit": "step-up",
        "notes": "granted",
        "bills": "granted",
    }


async def test_what_another_tab_demands_while_a_code_is_redeemed_goes_along(scene: Scene) -> None:
    session = await scene.begun()
    _, flow = await scene.auth.begin_step_up(session, "/", challenge=None, action="notes")
    demanded: list[str] = []

    async def elsewhere() -> None:
        tab = await scene.sessions.load(session.cookie)
        assert tab
        demanded.append(await challenge_for(scene, tab, BILLS))
        demanded.append(await challenge_for(scene, tab, NOTES))

    scene.broker.meanwhile = elsewhere
    completed = await scene.complete(flow)

    assert completed.session
    assert await completed.session.records.get(CHALLENGE, demanded[0])
    assert await completed.session.records.get(DEMANDED, BILLS.key) == 1
    assert await completed.session.records.get(CHALLENGE, demanded[1]) is None
    assert await completed.session.records.get(DEMANDED, NOTES.key) is None


@pytest.mark.parametrize("upstream", ["scope-of-a-row-that-is-gone", "notes"])
async def test_a_flow_for_a_row_that_is_not_here_brings_nothing_and_changes_nothing(
    scene: Scene, upstream: str
) -> None:
    before = await scene.begun()

    with pytest.raises(SignInExpired):
        await scene.complete(replace(for_row(before, NOTES), upstream=upstream))

    assert scene.broker.redeemed == []
    assert await scene.lives(before)


async def test_S28_somebody_else_does_not_step_up_for_the_person_s_notes(scene: Scene) -> None:
    before = await scene.begun(token(BILLS))
    scene.broker.person = GRACE

    with pytest.raises(DifferentPerson):
        await scene.complete(for_row(before, NOTES))

    live = await scene.sessions.load(before.cookie)
    assert live
    assert await live.records.get(TOKEN, NOTES.key) is None
    assert await live.records.get(TOKEN, BILLS.key)


async def test_S30_confirmations_for_a_row_are_counted_by_the_row(scene: Scene) -> None:
    session: LiveSession | None = await scene.begun(step_ups_in_vain=3, last_step_up_at=int(NOW))
    for _ in range(2):
        assert session
        session = (await scene.complete(for_row(session, NOTES))).session

    assert session
    counted: dict[str, Any] = {"graph": Confirmation(int(NOW), 3), NOTES.key: Confirmation(int(NOW), 2)}
    assert session.user.confirmations == counted


@pytest.mark.parametrize(
    "resource, asked, is_kept",
    [
        (NOTES, [NOTES.scope], True),
        (NOTES, [NOTES.scope, READ.scope], False),
        (NOTES, [NOTES.scope, BILLS.scope], False),
        (NOTES, [NOTES.scope, "openid", "of-nobody-here"], True),
        (EDIT, [EDIT.scope, READ.scope], True),
        (EDIT, [EDIT.scope, READ.scope, NOTES.scope], False),
        (READ, [READ.scope, EDIT.scope], True),
        (READ, [READ.scope, BILLS.scope], False),
    ],
)
async def test_S46_a_token_that_opens_somebody_else_s_resource_as_well_is_not_kept_for_this_one(
    scene: Scene, resource: Resource, asked: list[str], *, is_kept: bool
) -> None:
    before = await scene.begun(token(resource))
    flow = for_row(before, resource) if resource in {NOTES, BILLS} else stepping_up(before)
    named = flow.resource if flow.upstream else resource.key

    completed = await scene.complete(replace(flow, msal={"scope": asked}, resource=named))

    assert completed.session
    kept = await completed.session.records.get(TOKEN, resource.key)
    assert kept == (AccessToken("new", NOW + 600) if is_kept else None), "and that of before is gone as well"
    assert (await scene.step_ups.access(completed.session))["profile.edit"] == (
        "granted" if resource is EDIT else "step-up"
    )
