"""Confirmations by resource, as this release and the release before write and read them (R27)."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from gateway.flows.confirmations import confirmations_of, members_after
from gateway.session.confirmation import Confirmation
from gateway.session.sessions import UserSession
from gateway.tokens.resources import Resource
from tests.unit.gateway.flows.rows import BILLS, EDIT, NOTES, READ
from tests.unit.gateway.store_of_tests import ada


class UserSessionBefore(BaseModel):
    """What the release before reads of a session, and writes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    tid: str
    oid: str
    sub: str
    name: str
    username: str
    created_at: int
    last_mfa_at: int | None = None
    last_step_up_at: int | None = None
    step_ups_in_vain: int = 0


def confirmed(user: UserSession, resource: Resource, at: int, in_vain: int) -> UserSession:
    """Return what a session remembers after one more confirmation."""
    return user.model_copy(update=members_after(user, resource, at=at, in_vain=in_vain))


def read_back(user: UserSession) -> UserSession:
    return UserSession.model_validate_json(user.model_dump_json())


@pytest.mark.parametrize(
    "left, known",
    [
        ({}, {}),
        ({"last_mfa_at": 5, "last_step_up_at": 5, "step_ups_in_vain": 2}, {"edit": Confirmation(5, 2)}),
        ({"last_step_up_at": 7, "step_ups_in_vain": 2}, {"graph": Confirmation(7, 2)}),
        (
            {"last_mfa_at": 5, "last_step_up_at": 7, "step_ups_in_vain": 2},
            {"edit": Confirmation(5, 0), "graph": Confirmation(7, 2)},
        ),
        # Older than the moment of any step-up: too old for a loop.
        ({"last_mfa_at": 5, "step_ups_in_vain": 3}, {"edit": Confirmation(5, 0)}),
        ({"step_ups_in_vain": 3}, {}),
    ],
)
def test_R27_what_the_release_before_counted_together_is_that_of_the_last_confirmation(
    left: dict[str, Any], known: dict[str, Confirmation]
) -> None:
    assert confirmations_of(ada(**left)) == known


def test_a_confirmation_is_of_its_resource_and_leaves_the_others_as_they_are() -> None:
    user = confirmed(confirmed(confirmed(ada(), EDIT, 5, 1), NOTES, 6, 1), BILLS, 7, 2)

    assert confirmations_of(read_back(user)) == {
        "edit": Confirmation(5, 1),
        NOTES.key: Confirmation(6, 1),
        BILLS.key: Confirmation(7, 2),
    }
    again = confirmed(user, NOTES, 8, 2)
    assert confirmations_of(again) == {**confirmations_of(user), NOTES.key: Confirmation(8, 2)}


def test_R27_the_first_confirmation_of_this_release_takes_over_what_the_release_before_knew() -> None:
    user = confirmed(ada(last_mfa_at=5, last_step_up_at=5, step_ups_in_vain=2), NOTES, 9, 1)

    assert confirmations_of(user) == {"edit": Confirmation(5, 2), NOTES.key: Confirmation(9, 1)}


@pytest.mark.parametrize(
    "resource, at, left",
    [
        (EDIT, 9, {"last_mfa_at": 9, "last_step_up_at": 9, "step_ups_in_vain": 3}),
        (READ, 9, {"last_mfa_at": 5, "last_step_up_at": 9, "step_ups_in_vain": 3}),
        (NOTES, 9, {"last_mfa_at": 5, "last_step_up_at": 5, "step_ups_in_vain": 2}),
    ],
)
def test_R27_the_release_before_reads_what_it_would_have_written_itself_and_nothing_of_upstreams(
    resource: Resource, at: int, left: dict[str, Any]
) -> None:
    user = confirmed(ada(last_mfa_at=5, last_step_up_at=5, step_ups_in_vain=2), resource, at, 3)

    before = UserSessionBefore.model_validate_json(user.model_dump_json())

    assert before.model_dump(include=set(left)) == left


def test_what_follows_is_told_whole_for_a_person_who_came_back_with_nothing_of_before() -> None:
    before = ada(last_mfa_at=5, last_step_up_at=7, step_ups_in_vain=2)
    known = {"edit": Confirmation(5, 0), "graph": Confirmation(7, 2)}

    assert members_after(before, NOTES, at=9, in_vain=1) == {
        "confirmations": {**known, NOTES.key: Confirmation(9, 1)},
        "last_mfa_at": 5,
        "last_step_up_at": 7,
        "step_ups_in_vain": 2,
    }


def test_R27_a_loop_goes_on_where_both_releases_count_by_turns() -> None:
    """The release before drops what it does not know, so that its own count is what there is."""
    user = confirmed(ada(), EDIT, 5, 1)
    left = UserSessionBefore.model_validate_json(user.model_dump_json()).model_dump()
    left |= {"last_mfa_at": 6, "last_step_up_at": 6, "step_ups_in_vain": left["step_ups_in_vain"] + 1}

    back = UserSession.model_validate_json(json.dumps(left))

    assert confirmations_of(back) == {"edit": Confirmation(6, 2)}


def test_the_person_s_list_of_sessions_shows_the_last_confirmation_whatever_it_was_for() -> None:
    assert ada().last_confirmed_at is None
    assert ada(last_mfa_at=5, last_step_up_at=7).last_confirmed_at == 5
    assert confirmed(confirmed(ada(), NOTES, 9, 1), EDIT, 7, 1).last_confirmed_at == 9
