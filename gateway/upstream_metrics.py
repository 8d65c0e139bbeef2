"""What the gateway counts of those whom it asks: upstreams, by the names of their rows, and who is left alone.

Owns these metrics; `metrics.py` has the others, and the registry. Never has a label whose values a stranger chooses.
docs/reference/metrics.md says what each of them is for.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.buffered_metrics import BufferedCounter, BufferedHistogram
from gateway.counts import Counts

_BREAKERS: Final = ("redis", "token-endpoint", "graph", "resource-api")
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class UpstreamMetrics(Counts):
    """The counts of one process, in a registry."""

    def __init__(self, own: CollectorRegistry) -> None:
        self._breakers = Gauge(
            "stepup_breaker_open",
            "In how many processes Redis, the token endpoint or an upstream is left alone, as it failed a moment ago.",
            ("breaker",),
            registry=own,
            multiprocess_mode="livesum",
        )
        self.watch_breakers(_BREAKERS)
        self._upstream_requests = BufferedCounter(
            Counter(
                "stepup_upstream_requests",
                "Requests to upstreams, by what came of them until the head of an answer.",
                ("upstream", "outcome"),
                registry=own,
            )
        )
        self._upstream_seconds = BufferedHistogram(
            "stepup_upstream_head_seconds",
            "How long the head of an upstream's answer took.",
            ("upstream",),
            buckets=_SECONDS,
            registry=own,
        )
        self._upstream_answers = BufferedCounter(
            Counter(
                "stepup_upstream_answers",
                "Answers of upstreams, by how their bodies ended.",
                ("upstream", "outcome"),
                registry=own,
            )
        )
        self._exchanges: Callable[[], Mapping[str, int]] = dict
        self._upstream_exchanges = Gauge(
            "stepup_upstream_exchanges",
            "Exchanges with upstreams that are under way.",
            ("upstream",),
            registry=own,
            multiprocess_mode="livesum",
        )
        self._websockets = Gauge(
            "stepup_websockets",
            "WebSockets that are open.",
            ("upstream",),
            registry=own,
            multiprocess_mode="livesum",
        )
        self._parked = Counter(
            "stepup_parked_requests",
            "Requests that step-up interrupted, by what became of them.",
            ("upstream", "outcome"),
            registry=own,
        )

    def parked(self, upstream: str, outcome: str) -> None:
        """Count what became of a request that step-up interrupted."""
        self._parked.labels(upstream, outcome).inc()

    def breaker_turned(self, breaker: str, *, is_open: bool) -> None:
        """Show whether somebody is left alone."""
        gauge = self._breakers.labels(breaker)
        (gauge.inc if is_open else gauge.dec)()  # a cluster has one for each server

    def watch_breakers(self, names: Iterable[str]) -> None:
        """Show circuit breakers of these names as closed, before one of them turns."""
        for name in names:
            self._breakers.labels(name).set(0)

    def upstream_asked(self, upstream: str, outcome: str, seconds: float | None = None) -> None:
        """Count a request to an upstream, and how long the head of its answer took."""
        self._upstream_requests.count(upstream, outcome)
        if seconds is not None:
            self._upstream_seconds.observe(seconds, upstream)

    def upstream_answer_ended(self, upstream: str, outcome: str) -> None:
        """Count the end of an answer."""
        self._upstream_answers.count(upstream, outcome)

    def watch_upstream_exchanges(self, numbers: Callable[[], Mapping[str, int]]) -> None:
        """Show how many exchanges are under way, by upstreams, whenever metrics are read."""
        self._exchanges = numbers

    def sockets_open(self, upstream: str, count: int) -> None:
        """Show how many WebSockets of a row are open."""
        self._websockets.labels(upstream).set(count)

    def flush(self) -> None:
        """Bring what waits into the metrics."""
        for each in (
            self._upstream_requests,
            self._upstream_seconds,
            self._upstream_answers,
        ):
            each.flush()
        for upstream, number in self._exchanges().items():
            self._upstream_exchanges.labels(upstream).set(number)
