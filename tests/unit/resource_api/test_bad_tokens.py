"""Bad tokens without end are answered 429, and a good one never is."""

import logging

import pytest
from aiohttp.test_utils import make_mocked_request

from resource_api.access import ScopePolicy
from resource_api.bad_tokens import A_MINUTE
from resource_api.errors import InvalidToken
from servicekit.log_strangers import FIELDS, STRANGER
from tests.unit.resource_api.stage import SCOPE, Stage

CHANGE = {"city": "Turin"}


async def refused(stage: Stage, times: int, authorization: str) -> None:
    """Let the API judge requests that are refused for their token, without the way there and back."""
    request = make_mocked_request("PATCH", "/profile", headers={"Authorization": authorization})
    request = request.clone(remote="127.0.0.1")
    for _ in range(times):
        with pytest.raises(InvalidToken):
            await stage.gatekeeper.admit(request, ScopePolicy(SCOPE))


async def test_A5_S51_a_flood_of_bad_tokens_is_told_so_and_a_good_one_from_the_same_address_goes_through(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await refused(stage, A_MINUTE - 1, "Bearer made.up.token")
        last = await stage.patch(CHANGE, "made.up.last")
        assert (last.status, last.slug) == (401, "invalid-token")
        for _ in range(20):
            answer = await stage.patch(CHANGE, "made.up.again")
            assert (answer.status, answer.slug) == (429, "too-many-requests")
            assert answer.headers["Retry-After"] == "1"

    assert (await stage.patch(CHANGE, await stage.token())).status == 200
    lines = [vars(record)[FIELDS] for record in caplog.records if record.getMessage() == "rate-limited"]
    said = [(line["limit"], line["refused"], line["network"]) for line in lines]
    assert said == [("tokens", 1, "127.0.0.0/24")]
    stage.clock.now += 1
    assert (await stage.patch(CHANGE, "made.up.later")).status == 401, "the wait that was told is true"


async def test_A5_who_sends_no_token_at_all_is_told_what_is_missing_and_not_counted(stage: Stage) -> None:
    await refused(stage, A_MINUTE + 10, "Basic eDp5")

    assert (await stage.patch(CHANGE, headers={"Authorization": "Basic eDp5"})).status == 401
    assert (await stage.patch(CHANGE, "made.up.token")).status == 401


async def test_A5_a_token_that_only_comes_too_late_is_not_counted(stage: Stage) -> None:
    late = stage.forged(exp=int(stage.clock()) - 1_000)
    await refused(stage, A_MINUTE + 10, f"Bearer {late}")

    assert (await stage.patch(CHANGE, late)).slug == "invalid-token"
    assert (await stage.patch(CHANGE, "made.up.token")).status == 401


@pytest.mark.parametrize("token", ["a b", "=", "Bearer"])
async def test_A5_what_has_not_even_the_form_of_a_token_is_counted(stage: Stage, token: str) -> None:
    await refused(stage, A_MINUTE, f"Bearer {token}")

    assert (await stage.patch(CHANGE, headers={"Authorization": f"Bearer {token}"})).status == 429


async def test_A5_who_is_believed_is_no_stranger_to_the_log_whatever_becomes_of_the_request(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await stage.patch(CHANGE, stage.forged(scp="User.Read"))
        await stage.patch(CHANGE, "made.up.token")

    said = [vars(record)[STRANGER] for record in caplog.records if record.getMessage() == "problem"]
    assert said == [None, "127.0.0.1"]
