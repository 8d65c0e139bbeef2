"""What is counted of a request, and that it costs next to nothing."""

import asyncio
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from aiohttp.web import Response

from gateway.metrics import Metrics
from gateway.operation.metrics_flush import flush_metrics
from gateway.request_metrics import FLOW, stays_open
from servicekit.problems import PROBLEM
from tests.stage.python_calls import python_calls


def lines(metrics: Metrics, name: str) -> set[str]:
    """Return what is shown of a metric."""
    text = metrics.drawn().decode().splitlines()
    return {line for line in text if line.startswith(f"{name}{{")}


def test_whoever_asks_for_the_same_route_counts_with_the_others() -> None:
    metrics = Metrics()
    for status in (200, 200, 503):
        metrics.of_route("GET", "/api/session").answered(status, 0.0421)
    metrics.of_route("HEAD", "/api/session").answered(200, 0.0421)

    assert lines(metrics, "stepup_requests_total") == {
        'stepup_requests_total{method="GET",route="/api/session",status="200"} 2.0',
        'stepup_requests_total{method="GET",route="/api/session",status="503"} 1.0',
        'stepup_requests_total{method="HEAD",route="/api/session",status="200"} 1.0',
    }
    assert 'stepup_request_seconds_count{method="GET",route="/api/session"} 3.0' in lines(
        metrics, "stepup_request_seconds_count"
    )


def test_a_route_that_nobody_asked_for_is_not_shown() -> None:
    metrics = Metrics()
    metrics.of_route("GET", "/api/session")

    assert lines(metrics, "stepup_requests_total") == set()
    assert lines(metrics, "stepup_request_seconds_count") == set()


@pytest.mark.parametrize(
    "status, kind", [(101, ""), (200, "text/event-stream"), (200, "text/event-stream; charset=utf-8")]
)
def test_what_stays_open_on_purpose_has_no_answer_time(status: int, kind: str) -> None:
    response = Response(status=status, headers={"Content-Type": kind} if kind else {})
    assert stays_open(response)
    assert not stays_open(Response(text="text/event-stream"))

    metrics = Metrics()
    metrics.of_no_route().answered(response.status, None)

    assert lines(metrics, "stepup_request_seconds_count") == set()
    assert lines(metrics, "stepup_requests_total") == {
        f'stepup_requests_total{{method="any",route="unknown",status="{status}"}} 1.0'
    }


@pytest.mark.parametrize("problem", [None, "sign-in-failed"])
def test_a_flow_ends_with_what_it_came_to_or_with_the_problem_that_it_met(problem: str | None) -> None:
    metrics, request = Metrics(), make_mocked_request("GET", "/")
    request[FLOW] = ("sign-in", "completed")
    if problem:
        request[PROBLEM] = problem
    metrics.met(request)

    outcome = problem or "completed"
    assert lines(metrics, "stepup_journeys_total") == {
        f'stepup_journeys_total{{outcome="{outcome}",purpose="sign-in"}} 1.0'
    }
    assert lines(metrics, "stepup_problems_total") == (
        {f'stepup_problems_total{{slug="{problem}"}} 1.0'} if problem else set()
    )


async def test_what_waits_is_brought_to_the_others_again_and_again() -> None:
    flushed: asyncio.Queue[None] = asyncio.Queue()

    class Noting(Metrics):
        def flush(self) -> None:
            flushed.put_nowait(None)

    task = asyncio.create_task(flush_metrics(Noting(), every=0.001))
    for _ in range(2):
        await flushed.get()
    task.cancel()


def test_nothing_that_is_counted_for_each_request_asks_the_library(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    route = metrics.of_route("GET", "/api/profile")

    assert python_calls(lambda: route.answered(200, 0.004)) <= 2
    assert python_calls(lambda: route.answered(200, None)) <= 1
    assert python_calls(lambda: metrics.redis_asked("answered", 0.0004)) <= 4
    assert python_calls(lambda: metrics.upstream_asked("notes", "answered", 0.004)) <= 5


def test_what_is_so_at_the_moment_is_asked_for_when_somebody_looks() -> None:
    metrics, open_exchanges = Metrics(), {"notes": 0, "chat": 2}
    metrics.watch_upstream_exchanges(lambda: open_exchanges)
    numbers = metrics.request_numbers("work")

    for in_work, waiting, exchanges in ((3, 1, 5), (0, 0, 0)):
        numbers.in_work, numbers.waiting, open_exchanges["notes"] = in_work, waiting, exchanges

        assert lines(metrics, "stepup_requests_in_work") == {
            f'stepup_requests_in_work{{places="work"}} {float(in_work)}'
        }
        assert lines(metrics, "stepup_requests_waiting") == {
            f'stepup_requests_waiting{{places="work"}} {float(waiting)}'
        }
        assert lines(metrics, "stepup_upstream_exchanges") == {
            f'stepup_upstream_exchanges{{upstream="notes"}} {float(exchanges)}',
            'stepup_upstream_exchanges{upstream="chat"} 2.0',
        }
