"""What `access` says of rows with a scope: each by its own token, its own confirmations and its own age."""

import dataclasses
from typing import Any

import pytest

from gateway.demand import Demand
from gateway.errors import StepUpRequired
from gateway.flows.step_up import DEMANDED
from gateway.session.confirmation import Confirmation
from gateway.session.sessions import SessionStore
from gateway.store.fields import Field
from gateway.tokens.token_records import REFUSAL, RememberedRefusal
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.rows import BILLS, EDIT, NOTES, READ, ROWS, Row, judging
from tests.unit.gateway.flows.test_step_up import granted, token
from tests.unit.gateway.store_of_tests import NOW, begun

CONFIRMED = {NOTES.key: Confirmation(int(NOW))}


def refusal(kind: str = "interaction", *, beside: bool = False) -> dict[str, Field]:
    """Return the refusal of a token for notes."""
    ends = NOW + 10
    return REFUSAL.entry(RememberedRefusal(kind, "x", None, ends, beside), ends, NOTES.key)


def demanded() -> dict[str, Field]:
    """Return what is left of a demand for a confirmation for notes."""
    return DEMANDED.entry(1, NOW + 600, NOTES.key)


@pytest.mark.parametrize(
    "records, known, answer",
    [
        ({}, {}, "untried"),
        (token(NOTES), {}, "granted"),
        (token(BILLS) | token(READ) | token(EDIT), {}, "untried"),
        ({}, {"confirmations": CONFIRMED}, "granted"),
        ({}, {"confirmations": {BILLS.key: Confirmation(int(NOW))}}, "untried"),
        ({}, {"last_mfa_at": int(NOW), "last_step_up_at": int(NOW)}, "untried"),
        (refusal(), {}, "step-up"),
        (refusal(), {"confirmations": CONFIRMED}, "step-up"),
        (refusal(beside=True), {}, "untried"),
        (refusal("unavailable"), {}, "untried"),
        (refusal("blocked"), {"confirmations": CONFIRMED}, "granted"),
        (refusal() | token(NOTES), {}, "granted"),
        (demanded(), {}, "step-up"),
        (demanded(), {"confirmations": CONFIRMED}, "step-up"),
        (demanded() | token(NOTES), {}, "granted"),
        (granted("openid", NOTES.scope), {}, "untried"),
        (granted("openid"), {}, "step-up"),
        (granted("openid"), {"confirmations": CONFIRMED}, "step-up"),
        (granted("openid") | token(NOTES), {}, "granted"),
        ({}, {"ends_at": int(NOW) + 600, "confirmations": CONFIRMED}, "step-up"),
        (token(NOTES), {"ends_at": int(NOW) + 600}, "granted"),
    ],
)
async def test_a_row_s_access_is_what_is_known_of_its_resource(
    sessions: SessionStore,
    clock: MovableClock,
    records: dict[str, Field],
    known: dict[str, Any],
    answer: str,
) -> None:
    session = await begun(sessions, records, **known)

    assert (await judging(clock).access(session))["notes"] == answer


async def test_every_row_with_a_scope_has_a_member_and_the_profile_s_is_the_first(
    sessions: SessionStore, clock: MovableClock
) -> None:
    access = await judging(clock).access(await begun(sessions))

    assert access == {"profile.edit": "step-up", "notes": "untried", "bills": "untried"}
    assert next(iter(access)) == "profile.edit"


async def test_a_demand_for_editing_says_nothing_of_a_row_and_the_other_way_round(
    sessions: SessionStore, clock: MovableClock
) -> None:
    step_ups = judging(clock)
    confirmed = {EDIT.key: Confirmation(int(NOW)), **CONFIRMED, BILLS.key: Confirmation(int(NOW))}
    session = await begun(sessions, confirmations=confirmed)

    await step_ups.keep(session, StepUpRequired(Demand(NOTES.scope)))
    assert await step_ups.access(session) == {
        "profile.edit": "granted",
        "notes": "step-up",
        "bills": "granted",
    }
    await step_ups.keep(session, StepUpRequired(Demand(EDIT.scope)))
    assert (await step_ups.access(session))["profile.edit"] == "granted", "as ever: the authority renews"


async def test_what_a_resource_accepts_ends_the_demand_and_nothing_else_is_written(
    sessions: SessionStore, clock: MovableClock
) -> None:
    step_ups = judging(clock)
    session = await begun(sessions, demanded())
    assert step_ups.success(session, NOTES) == {}, "what was not read is not known"
    live = await sessions.load(session.cookie, step_ups.access_fields)
    assert live

    assert step_ups.success(live, BILLS) == {}
    entries = step_ups.success(live, NOTES)
    assert entries == {DEMANDED.field(NOTES.key): None}
    await live.records.put(entries)

    assert (await step_ups.access(live))["notes"] == "untried"
    assert step_ups.success(live, NOTES) == {}


async def test_a_row_s_confirmation_ages_by_the_row(sessions: SessionStore, clock: MovableClock) -> None:
    rows = (Row("notes", NOTES.scope, 60), Row("reading-notes", NOTES.scope), Row("bills", BILLS.scope, 30))
    step_ups = judging(clock, rows)
    known = {NOTES.key: Confirmation(int(NOW)), BILLS.key: Confirmation(int(NOW))}
    session = await begun(sessions, token(NOTES) | token(BILLS), confirmations=known)
    never = await begun(sessions, token(NOTES))

    async def shown() -> dict[str, str]:
        access = await step_ups.access(session)
        return {name: access[name] for name in ("notes", "reading-notes", "bills")}

    assert await shown() == {"notes": "granted", "reading-notes": "granted", "bills": "granted"}
    clock.now = NOW + 30
    assert await shown() == {"notes": "granted", "reading-notes": "granted", "bills": "step-up"}
    step_ups.demand_freshness(session, step_ups.rules["notes"])
    with pytest.raises(StepUpRequired) as required:
        step_ups.demand_freshness(session, step_ups.rules["bills"])
    assert required.value.demand == Demand(BILLS.scope, fresh=True)
    clock.now = NOW + 60
    assert await shown() == {"notes": "step-up", "reading-notes": "granted", "bills": "step-up"}
    step_ups.demand_freshness(session, step_ups.rules["reading-notes"])
    assert (await step_ups.access(never))["notes"] == "step-up"


async def test_U9_access_holds_until_the_first_of_all_rows_changes(
    sessions: SessionStore, clock: MovableClock
) -> None:
    step_ups = judging(clock, (Row("notes", NOTES.scope, 60), Row("bills", BILLS.scope)))

    async def until(records: dict[str, Field], **known: Any) -> float:
        session = await begun(sessions, records, **known)
        live = await sessions.load(session.cookie, step_ups.access_fields)
        assert live
        return step_ups.access_until(live)

    assert await until(token(BILLS, NOW + 40), confirmations=CONFIRMED) == NOW + 40
    assert await until(token(BILLS, NOW + 90), confirmations=CONFIRMED) == NOW + 60
    assert await until(demanded() | token(BILLS, NOW + 900)) == NOW + 600


async def test_R23_what_is_named_is_all_that_is_read(
    sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    step_ups = judging(clock)
    known = {one.key: Confirmation(int(NOW)) for one in (EDIT, NOTES)}
    session = await begun(sessions, confirmations=known)
    live = await sessions.load(session.cookie, step_ups.access_fields)
    assert live
    way_to_redis.cut(lambda _: True, times=None)

    assert await step_ups.access(live) == {"profile.edit": "granted", "notes": "granted", "bills": "untried"}


def test_all_that_access_needs_is_named_once_so_that_it_is_read_in_one_step(clock: MovableClock) -> None:
    more = (*ROWS, dataclasses.replace(ROWS[0], name="notes-too"))

    fields = judging(clock, more).access_fields

    assert fields == (
        "token:edit",
        "refusal:edit",
        *(f"{kind}:{one.key}" for one in (NOTES, BILLS) for kind in ("token", "refusal", "demanded")),
        "granted",
    )
