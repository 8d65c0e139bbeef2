"""Bad tokens without end are answered 429, and a good one never is."""

import logging

import pytest

from resource_api.bad_tokens import A_MINUTE
from servicekit.log_strangers import FIELDS, STRANGER
from tests.unit.resource_api.stage import Stage

CHANGE = {"city": "Turin"}


async def flood(stage: Stage) -> int:
    """Send made-up tokens until they are refused otherwise; return how many were answered with what is wrong."""
    for number in range(2 * A_MINUTE):
        answer = await stage.patch(CHANGE, f"made.up.{number}")
        if answer.status == 429:
            assert answer.slug == "too-many-requests"
            assert int(answer.headers["Retry-After"]) == 1
            return number
        assert (answer.status, answer.slug) == (401, "invalid-token")
    raise AssertionError("there is no limit")


async def test_A5_S51_a_flood_of_bad_tokens_is_told_so_and_a_good_one_from_the_same_address_goes_through(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert A_MINUTE <= await flood(stage) < 1.9 * A_MINUTE
        for _ in range(20):
            await stage.patch(CHANGE, "made.up.again")

    assert (await stage.patch(CHANGE, await stage.token())).status == 200
    lines = [vars(record)[FIELDS] for record in caplog.records if record.getMessage() == "rate-limited"]
    said = [(line["limit"], line["refused"], line["network"]) for line in lines]
    assert said == [("tokens", 1, "127.0.0.0/24")]


async def test_A5_who_sends_no_token_at_all_is_told_what_is_missing_and_not_counted(stage: Stage) -> None:
    for _ in range(A_MINUTE + 10):
        answer = await stage.patch(CHANGE, headers={"Authorization": "Basic eDp5"})
        assert answer.status == 401

    assert (await stage.patch(CHANGE, "made.up.token")).status == 401


async def test_A5_a_token_that_only_comes_too_late_is_not_counted(stage: Stage) -> None:
    late = stage.forged(exp=int(stage.clock()) - 1_000)
    for _ in range(A_MINUTE + 10):
        assert (await stage.patch(CHANGE, late)).slug == "invalid-token"

    assert (await stage.patch(CHANGE, "made.up.token")).status == 401


@pytest.mark.parametrize("token", ["a b", "=", "Bearer"])
async def test_A5_what_has_not_even_the_form_of_a_token_is_counted(stage: Stage, token: str) -> None:
    for _ in range(2 * A_MINUTE):
        answer = await stage.patch(CHANGE, headers={"Authorization": f"Bearer {token}"})
        if answer.status == 429:
            return
        assert (answer.status, answer.slug) == (401, "invalid-token")
    raise AssertionError("there is no limit")


async def test_A5_who_is_believed_is_no_stranger_to_the_log_whatever_becomes_of_the_request(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await stage.patch(CHANGE, stage.forged(scp="User.Read"))
        await stage.patch(CHANGE, "made.up.token")

    said = [vars(record)[STRANGER] for record in caplog.records if record.getMessage() == "problem"]
    assert said == [None, "127.0.0.1"]
