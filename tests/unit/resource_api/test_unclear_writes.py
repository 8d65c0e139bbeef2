"""R18: whatever happens to a write, the answer about it is true."""

from collections.abc import Callable

import pytest

from local_tenant.signing import SigningKey
from tests.unit.resource_api.graph_double import Act, GraphDouble
from tests.unit.resource_api.stage import Stage, running_api


@pytest.fixture
def stage(stage_before_double: Stage) -> Stage:
    """Let Graph be the double."""
    return stage_before_double


LOST = [
    pytest.param({"answers": False}, id="cut"),
    pytest.param({"delay": 4}, id="time-out"),
    pytest.param({"status": 202}, id="202"),
    pytest.param({"status": 500}, id="500"),
    pytest.param({"status": 502}, id="502"),
    pytest.param({"status": 504}, id="504"),
]


@pytest.mark.parametrize("lost", LOST)
async def test_R18_applied_and_the_answer_lost_is_saved(
    stage: Stage, double: GraphDouble, lost: dict[str, object]
) -> None:
    double.patches = [Act(applies=True, **lost)]  # type: ignore[arg-type] # a table of its arguments

    answer = await stage.patch({"city": "Turin"})

    assert answer.status == 200
    assert answer.body["city"] == "Turin"
    assert len(double.sent("PATCH")) == 1


@pytest.mark.parametrize("lost", LOST)
async def test_L5_a_look_that_shows_the_old_values_is_no_evidence(
    stage: Stage, double: GraphDouble, lost: dict[str, object]
) -> None:
    double.patches = [Act(applies=False, **lost)]  # type: ignore[arg-type] # the same

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug, answer.body["outcome"]) == (502, "resource-unavailable", "unknown")
    assert answer.headers["Retry-After"]
    assert len(double.sent("PATCH")) == 1


async def test_R18_a_mixture_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(only=frozenset({"city"}), answers=False)]

    answer = await stage.patch({"city": "Turin", "state": "Piedmont"})

    assert (answer.status, answer.body["outcome"]) == (502, "unknown")


@pytest.mark.parametrize(
    "glimpses",
    [
        [{"city": "Turin", "state": None}, {"city": "London", "state": None}],
        [{"city": "Paris", "state": None}, {"city": "London", "state": None}],
    ],
    ids=["part of it was seen", "something else was seen"],
)
async def test_R18_what_one_look_saw_is_not_forgotten_at_the_next(
    stage: Stage, double: GraphDouble, glimpses: list[dict[str, object]]
) -> None:
    double.patches = [Act(answers=False)]
    double.glimpses = glimpses

    answer = await stage.patch({"city": "Turin", "state": "Piedmont"})

    assert (answer.status, answer.body["outcome"]) == (502, "unknown")
    assert double.glimpses == []


async def test_R18_a_lagging_replica_gets_a_second_look(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(answers=False)]
    double.lag = 1

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.body["city"]) == (200, "Turin")


async def test_R18_someone_elses_change_meanwhile_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=False, status=500)]
    double.profile["city"] = "London"

    async def meanwhile() -> None:
        double.profile = {**double.profile, "city": "Paris"}

    double.after_patch = meanwhile
    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.body["outcome"]) == (502, "unknown")


async def test_R18_no_look_is_possible_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=True, answers=False)]
    double.reads = [200, 500, 500]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.body["outcome"]) == (502, "unknown")


async def test_R18_an_old_value_and_then_no_answer_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=True, answers=False)]
    double.lag = 1
    double.reads = [200, 200, 500]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.body["outcome"]) == (502, "unknown")
    assert double.reads == []


async def test_R18_the_second_look_counts_when_the_first_fails(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=True, answers=False)]
    double.reads = [200, 500]

    assert (await stage.patch({"city": "Turin"})).status == 200


async def test_R18_the_same_values_again_are_saved_whatever_happened(
    stage: Stage, double: GraphDouble
) -> None:
    double.patches = [Act(applies=False, answers=False)]

    assert (await stage.patch({"city": "London"})).status == 200


async def test_R18_after_success_the_answer_trusts_the_write_and_not_a_replica(
    stage: Stage, double: GraphDouble
) -> None:
    double.lag = 10

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.body["city"]) == (200, "Turin")
    assert len(double.sent("GET")) == 1


async def test_R18_a_graph_that_cannot_be_reached_wrote_nothing(
    signing_keys: Callable[[], SigningKey],
) -> None:
    async with running_api(signing_keys, graph="http://127.0.0.1:9") as stage:
        answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug, answer.body["outcome"]) == (502, "resource-unavailable", "not-saved")
