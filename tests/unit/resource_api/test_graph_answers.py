"""R17, S45, E11: Graph's patience and ours, and what each of its answers means."""

import uuid

import pytest

from tests.unit.resource_api.graph_double import Act, GraphDouble
from tests.unit.resource_api.stage import Stage


@pytest.fixture
def stage(stage_before_double: Stage) -> Stage:
    """Let Graph be the double."""
    return stage_before_double


# --- R17, E24: patience with limits -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
async def test_R17_E24_a_busy_graph_is_asked_once_more(
    stage: Stage, double: GraphDouble, status: int
) -> None:
    double.patches = [Act(status=status, applies=False, headers={"Retry-After": "0"})]

    answer = await stage.patch({"city": "Turin"})

    assert answer.status == 200
    assert double.sent("PATCH") == [{"city": "Turin"}] * 2


@pytest.mark.parametrize("status, expected, outcome", [(429, 503, "not-saved"), (503, 502, "unknown")])
async def test_R17_E24_and_not_twice(
    stage: Stage, double: GraphDouble, status: int, expected: int, outcome: str
) -> None:
    double.patches = [Act(status=status, applies=False, headers={"Retry-After": "0"}) for _ in range(3)]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug, answer.body["outcome"]) == (expected, "resource-unavailable", outcome)
    assert len(double.sent("PATCH")) == 2


async def test_R17_a_long_pause_is_the_callers_to_make(stage: Stage, double: GraphDouble) -> None:
    double.patches = [Act(status=429, applies=False, headers={"Retry-After": "120"})]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "120")
    assert len(double.sent("PATCH")) == 1


async def test_R17_concurrent_writes_in_the_tenant_are_waited_for_once(
    stage: Stage, double: GraphDouble
) -> None:
    busy = Act(status=400, applies=False, body={"error": {"code": "Directory_ConcurrencyViolation"}})
    double.patches = [busy]

    assert (await stage.patch({"city": "Turin"})).status == 200


async def test_L5_a_tenant_that_stays_busy_with_other_writes_is_no_fault_of_a_value(
    stage: Stage, double: GraphDouble
) -> None:
    busy = Act(status=400, applies=False, body={"error": {"code": "Directory_ConcurrencyViolation"}})
    double.patches = [busy, busy]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug, answer.body["outcome"]) == (503, "resource-unavailable", "not-saved")


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

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug) == (502, "resource-unavailable")
    assert "London" not in answer.text
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

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug) == (502, "resource-unavailable")


async def test_S44_graphs_answer_is_projected(stage: Stage, double: GraphDouble) -> None:
    double.profile["passwordProfile"] = "secret"

    answer = await stage.patch({"city": "Turin"})

    assert "passwordProfile" not in answer.text
    assert "userPrincipalName" not in answer.text
    assert double.sent("GET")[0]["$select"].split(",") == list(answer.body)


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

    answer = await stage.patch({"city": "Turin"}, headers=headers)

    assert answer.headers["client-request-id"] == correlation
    names = {"host", "authorization", "accept", "accept-encoding", "user-agent", "client-request-id"}
    for method, sent, _ in double.seen:
        content = {"content-type", "content-length"} if method == "PATCH" else set()
        assert {name.lower() for name in sent} <= names | content
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

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug) == (422, "invalid-profile-patch")
    assert [(entry["field"], entry["code"]) for entry in answer.body["errors"]] == [("city", "invalid_value")]
    assert "Invalid value specified" not in answer.text
    assert "secretInternal" not in answer.text


@pytest.mark.parametrize(
    "status, expected, slug",
    [
        (403, 403, "access-blocked"),
        (404, 409, "profile-not-found"),
        (409, 503, "resource-unavailable"),
        (405, 502, "resource-unavailable"),
        (302, 502, "resource-unavailable"),
    ],
)
async def test_E11_a_refusal_is_told_by_its_meaning_and_without_graphs_text(
    stage: Stage, double: GraphDouble, status: int, expected: int, slug: str
) -> None:
    body = {"error": {"code": "Odd<b>", "message": "internal canary"}}
    headers = {"Location": "https://evil.example/"} if status == 302 else {}
    double.patches = [Act(status=status, applies=False, body=body, headers=headers)]

    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, answer.slug) == (expected, slug)
    assert "canary" not in answer.text
    assert "Odd<" not in answer.text
    assert "Location" not in answer.headers
