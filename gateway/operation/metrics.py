"""What the gateway counts, for Prometheus.

Owns the names of the metrics, their labels and the ring that counts requests.
Never has a label whose values a stranger chooses: routes are templates, problems are slugs. With several workers each
counts for itself, and the first one answers.
"""

import time
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from servicekit.problems import PROBLEM

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "stepup_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "stepup_request_seconds",
            "How long an answer took.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._problems = Counter(
            "stepup_problems", "Problems answered, pages included.", ("slug",), registry=self._registry
        )

    def drawn(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def ring(self) -> Middleware:
        """Return the ring that counts; it stands outside all others."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            route = resource.canonical if resource else "unknown"
            began = time.perf_counter()
            response = await handler(request)
            self._seconds.labels(route).observe(time.perf_counter() - began)
            method = request.method if resource else "any"
            self._requests.labels(method, route, str(response.status)).inc()
            if PROBLEM in request:
                self._problems.labels(request[PROBLEM]).inc()
            return response

        return count
