"""What the gateway counts of the requests that it answers: how many, how long, which problems, which flows.

Owns these metrics, and who counts for which route; `metrics.py` has the others, and the registry.
Never has a label whose values a stranger chooses: routes are templates, problems are slugs, all else is our own words.
docs/reference/metrics.md says what each of them is for.
"""

from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from gateway.buffered_metrics import BufferedHistogram, Observations
from servicekit.problems import PROBLEM

FLOW: Final = web.RequestKey("flow", tuple[str, str])
"""The flow that a request belongs to, and what it has come to when the request succeeds."""
# 0.02 and 0.3 are those of the service levels: docs/explanation/reliability.md.
SECONDS: Final = (0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)

_STREAM: Final = "text/event-stream"
_WEBSOCKET: Final = 101
# A path and a method that are no route's.
_NO_ROUTE: Final = ("any", "unknown")


class RouteCounts:
    """What is counted of the requests of one method and route."""

    __slots__ = ("_requests", "_seconds")

    def __init__(self, seconds: Observations) -> None:
        self._requests: dict[int, int] = {}
        self._seconds = seconds

    def answered(self, status: int, seconds: float | None) -> None:
        """Count an answer, and how long it took; None for a stream or WebSocket, which stays open on purpose."""
        self._requests[status] = self._requests.get(status, 0) + 1
        if seconds is not None:
            self._seconds.observe(seconds)

    def take(self) -> dict[int, int]:
        """Return how many answers of each status wait to be brought into the metric, and begin again."""
        taken, self._requests = self._requests, {}
        return taken


def stays_open(response: web.StreamResponse) -> bool:
    """Tell whether an answer is a stream or a WebSocket, which lasts on purpose."""
    return response.status == _WEBSOCKET or response.content_type == _STREAM


class RequestMetrics:
    """The counts of one process, in a registry."""

    def __init__(self, own: CollectorRegistry) -> None:
        self._routes: dict[tuple[str, str], RouteCounts] = {}
        self._requests = Counter(
            "stepup_requests", "Requests answered.", ("method", "route", "status"), registry=own
        )
        self._seconds = BufferedHistogram(
            "stepup_request_seconds",
            "How long an answer took, streams and WebSockets left out.",
            ("method", "route"),
            buckets=SECONDS,
            registry=own,
        )
        self._problems = Counter(
            "stepup_problems", "Problems answered, pages included.", ("slug",), registry=own
        )
        self._flows = Counter(
            "stepup_journeys",
            "Authorization code flows: begun, completed, or the problem that one ended with.",
            ("purpose", "outcome"),
            registry=own,
        )

    def of_route(self, method: str, route: str) -> RouteCounts:
        """Return what counts the requests of a method and a route's template: one, however often it is asked for."""
        known = self._routes.get((method, route))
        if known is None:
            known = self._routes[method, route] = RouteCounts(self._seconds.child(method, route))
        return known

    def of_no_route(self) -> RouteCounts:
        """Return what counts the requests whose path is no route's."""
        return self.of_route(*_NO_ROUTE)

    def met(self, request: web.Request) -> None:
        """Count the problem that a request met, and what came of its flow; nothing where it has neither."""
        problem: str | None = request.get(PROBLEM)
        if problem is not None:
            self._problems.labels(problem).inc()
        if FLOW in request:
            purpose, outcome = request[FLOW]
            self._flows.labels(purpose, problem or outcome).inc()

    def flush(self) -> None:
        """Bring what waits into the metrics."""
        self._seconds.flush()
        for (method, route), counts in self._routes.items():
            for status, count in counts.take().items():
                self._requests.labels(method, route, str(status)).inc(count)
