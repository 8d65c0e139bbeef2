"""R18: whatever happens to a write, the answer about it is true. R17, S45: Graph's other ways to fail."""

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from local_tenant.signing import SigningKey
from tests.local_tenant.world import claims_of
from tests.resource_api.graph_double import Act, GraphDouble, graph_double
from tests.resource_api.stage import QUICK, Stage, running_api


@pytest.fixture
async def double() -> AsyncIterator[GraphDouble]:
    async with graph_double() as double:
        yield double


@pytest.fixture
async def stage(made_keys: Callable[[], SigningKey], double: GraphDouble) -> AsyncIterator[Stage]:
    async with running_api(made_keys, graph=double.url, patience=replace(QUICK, call=1.5)) as stage:
        double.profile |= {
            "id": claims_of(await stage.token())["oid"],
            "city": "London",
            "displayName": "Ada",
        }
        yield stage


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

    told = await stage.patch({"city": "Turin"})

    assert told.status == 200
    assert told.body["city"] == "Turin"
    assert len(double.sent("PATCH")) == 1


@pytest.mark.parametrize("lost", LOST)
async def test_R18_not_applied_and_the_answer_lost_is_not_saved(
    stage: Stage, double: GraphDouble, lost: dict[str, object]
) -> None:
    double.patches = [Act(applies=False, **lost)]  # type: ignore[arg-type] # the same

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug, told.body["outcome"]) == (502, "resource-unavailable", "not-saved")
    assert told.headers["Retry-After"]
    assert len(double.sent("PATCH")) == 1


async def test_R18_a_mixture_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(only=frozenset({"city"}), answers=False)]

    told = await stage.patch({"city": "Turin", "state": "Piedmont"})

    assert (told.status, told.body["outcome"]) == (502, "unknown")


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

    told = await stage.patch({"city": "Turin", "state": "Piedmont"})

    assert (told.status, told.body["outcome"]) == (502, "unknown")
    assert double.glimpses == []


async def test_R18_a_lagging_replica_gets_a_second_look(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(answers=False)]
    double.lag = 1

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.body["city"]) == (200, "Turin")


async def test_R18_someone_elses_change_meanwhile_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=False, status=500)]
    double.profile["city"] = "London"

    async def meanwhile() -> None:
        double.profile = {**double.profile, "city": "Paris"}

    double.after_patch = meanwhile
    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.body["outcome"]) == (502, "unknown")


async def test_R18_no_look_is_possible_is_unknown(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(applies=True, answers=False)]
    double.reads = [200, 500, 500]

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.body["outcome"]) == (502, "unknown")


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

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.body["city"]) == (200, "Turin")
    assert len(double.sent("GET")) == 1


async def test_R18_a_graph_that_cannot_be_reached_wrote_nothing(made_keys: Callable[[], SigningKey]) -> None:
    async with running_api(made_keys, graph="http://127.0.0.1:9") as stage:
        told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug, told.body["outcome"]) == (502, "resource-unavailable", "not-saved")


# --- R17, E24: patience with limits -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
async def test_R17_E24_a_busy_graph_is_asked_once_more(
    stage: Stage, double: GraphDouble, status: int
) -> None:
    double.patches = [Act(status=status, applies=False, headers={"Retry-After": "0"})]

    told = await stage.patch({"city": "Turin"})

    assert told.status == 200
    assert double.sent("PATCH") == [{"city": "Turin"}] * 2


@pytest.mark.parametrize("status", [429, 503])
async def test_R17_E24_and_not_twice(stage: Stage, double: GraphDouble, status: int) -> None:
    double.patches = [Act(status=status, applies=False, headers={"Retry-After": "0"}) for _ in range(3)]

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug, told.body["outcome"]) == (503, "resource-unavailable", "not-saved")
    assert len(double.sent("PATCH")) == 2


async def test_R17_a_long_pause_is_the_callers_to_make(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(status=429, applies=False, headers={"Retry-After": "120"})]

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.headers["Retry-After"]) == (503, "120")
    assert len(double.sent("PATCH")) == 1


async def test_R17_concurrent_writes_in_the_tenant_are_waited_for_once(
    stage: Stage, double: GraphDouble
) -> None:
    busy = Act(status=400, applies=False, body={"error": {"code": "Directory_ConcurrencyViolation"}})
    double.patches = [busy]

    assert (await stage.patch({"city": "Turin"})).status == 200


async def test_R17_retries_stay_a_tenth_of_the_traffic(stage: Stage, double: GraphDouble) -> None:
    double.reads = [503] * 1000

    for _ in range(30):
        assert (await stage.patch({"city": "Turin"})).status == 503
    assert len(double.sent("GET")) <= 30 + 10 + 4


# --- what Graph's other answers mean --------------------------------------------------------------------------


async def test_S45_E10_another_persons_profile_is_neither_shown_nor_changed(
    stage: Stage, double: GraphDouble, caplog: pytest.LogCaptureFixture
) -> None:
    double.profile["id"] = str(uuid.uuid4())

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug) == (502, "resource-unavailable")
    assert "London" not in told.text
    assert double.sent("PATCH") == []
    assert "graph-answered-for-another-person" in caplog.text


@pytest.mark.parametrize(
    "profile",
    [{"id": None}, {"id": 7}, {"city": ["London"]}, {"city": {"a": 1}}, {"displayName": 7}],
)
async def test_a_profile_that_is_none_is_a_failure_of_graph(
    stage: Stage, double: GraphDouble, profile: dict[str, object]
) -> None:
    double.profile |= profile

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug) == (502, "resource-unavailable")


async def test_S44_graphs_answer_is_projected(stage: Stage, double: GraphDouble) -> None:
    double.profile["passwordProfile"] = "secret"

    told = await stage.patch({"city": "Turin"})

    assert "passwordProfile" not in told.text
    assert "userPrincipalName" not in told.text
    assert double.sent("GET")[0]["$select"].split(",") == list(told.body)


async def test_S47_graph_gets_only_headers_that_we_built(stage: Stage, double: GraphDouble) -> None:
    correlation = str(uuid.uuid4())
    headers = {
        "client-request-id": correlation,
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Host": "evil.example",
        "Cookie": "a=b",
        "If-Match": "*",
        "ConsistencyLevel": "eventual",
        "Prefer": "x",
        "X_Odd": "y",
        "traceparent": "00-0-0-00",
    }

    told = await stage.patch({"city": "Turin"}, headers=headers)

    assert told.headers["client-request-id"] == correlation
    known = {"host", "authorization", "accept", "accept-encoding", "user-agent", "client-request-id"}
    for method, sent, _ in double.seen:
        content = {"content-type", "content-length"} if method == "PATCH" else set()
        assert {name.lower() for name in sent} <= known | content
        assert sent["client-request-id"] == correlation
        assert sent["Host"] == "graph.microsoft.com"
        assert sent["Authorization"] != f"Bearer {await stage.token()}"


async def test_E11_graphs_refusal_of_a_value_is_told_in_our_words(stage: Stage, double: GraphDouble) -> None:
    error = {
        "code": "Request_BadRequest",
        "message": "Invalid value specified for property 'city' of resource 'User'.",
        "details": [{"target": "city", "code": "InvalidValue"}, {"target": "secretInternal"}],
    }
    double.patches = [Act(status=400, applies=False, body={"error": error})]

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug) == (422, "invalid-profile-patch")
    assert [(entry["field"], entry["code"]) for entry in told.body["errors"]] == [("city", "invalid_value")]
    assert "Invalid value specified" not in told.text
    assert "secretInternal" not in told.text


@pytest.mark.parametrize(
    "status, told_status, slug",
    [
        (403, 403, "access-blocked"),
        (404, 409, "profile-not-found"),
        (409, 503, "resource-unavailable"),
        (405, 502, "resource-unavailable"),
        (302, 502, "resource-unavailable"),
    ],
)
async def test_E11_a_refusal_is_told_by_its_meaning_and_without_graphs_text(
    stage: Stage, double: GraphDouble, status: int, told_status: int, slug: str
) -> None:
    body = {"error": {"code": "Odd<b>", "message": "internal canary"}}
    headers = {"Location": "https://evil.example/"} if status == 302 else {}
    double.patches = [Act(status=status, applies=False, body=body, headers=headers)]

    told = await stage.patch({"city": "Turin"})

    assert (told.status, told.slug) == (told_status, slug)
    assert "canary" not in told.text
    assert "Odd" not in told.text
    assert "Location" not in told.headers
