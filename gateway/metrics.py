"""What the gateway counts, for Prometheus.

Owns the registry, and when what waits in plain Python (`buffered_metrics.py`) gets into it; of the metrics those that
neither requests (`request_metrics.py`) nor upstreams (`upstream_metrics.py`) have.
Never has a label whose values a stranger chooses: routes are templates, problems are slugs, all else is our own words.
docs/reference/metrics.md says what each of them is for.
"""

from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from gateway.buffered_metrics import BufferedHistogram
from gateway.request_metrics import SECONDS, RequestMetrics
from gateway.upstream_metrics import UpstreamMetrics
from servicekit.http.admission import RequestNumbers
from servicekit.version import VERSION

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FLUSH_SECONDS: Final = 1.0
"""How old what one of several processes counted may be when another is asked for it."""

_REDIS_SECONDS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_LAG_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_BY_LABEL: Final = (
    ("stepup_records_rejected", "Sealed records that no key opens.", "kind"),
    ("stepup_log_lines_dropped", "Lines of the log that were lost: there was no room for them.", "level"),
    ("stepup_requests_refused", "Requests that were told to come later.", "places"),
    ("stepup_limited", "Requests that a limit refused.", "limit"),
)
# What each process shows of its own state, and several together.
_OF_NOW: Final = (
    ("stepup_event_streams", "Event streams that are open."),
    ("stepup_events_pushed", "In how many processes Redis pushes what event streams tell; the others look."),
    ("stepup_connections", "Connections of clients that are open."),
    (
        "stepup_untrusted_proxy",
        "In how many processes nearly all requests come by a proxy that no setting names.",
    ),
)


class Metrics(RequestMetrics, UpstreamMetrics):
    """The counts of one process, or with `shared` of all that keep theirs in that directory."""

    def __init__(self, shared: Path | None = None) -> None:
        own = self._registry = CollectorRegistry()
        RequestMetrics.__init__(self, own)
        UpstreamMetrics.__init__(self, own)
        self._refreshes = Counter(
            "stepup_refreshes", "Silent refreshes, by how they ended.", ("resource", "outcome"), registry=own
        )
        self._token_seconds = Histogram(
            "stepup_token_request_seconds",
            "How long the token endpoint took.",
            ("grant", "outcome"),
            buckets=SECONDS,
            registry=own,
        )
        self._ended = Counter(
            "stepup_sessions_ended", "Sessions that were ended, by why.", ("reason",), registry=own
        )
        self._alone = Counter(
            "stepup_ends_not_replicated",
            "Ends of sessions that were told as done without a replica, as none was there.",
            registry=own,
        )
        self._redis_seconds = BufferedHistogram(
            "stepup_redis_seconds",
            "How long Redis took for a command; our own line and a late event loop do not count.",
            ("outcome",),
            buckets=_REDIS_SECONDS,
            registry=own,
        )
        self._clocks = Gauge(
            "stepup_clock_difference_seconds",
            "How far this machine's clock is ahead of another, as last seen.",
            ("clock",),
            registry=own,
            multiprocess_mode="livemostrecent",
        )
        self._request_numbers: dict[str, RequestNumbers] = {}
        self._in_work, self._waiting = (
            Gauge(name, documentation, ("places",), registry=own, multiprocess_mode="livesum")
            for name, documentation in (
                ("stepup_requests_in_work", "Requests that are worked on."),
                ("stepup_requests_waiting", "Requests that wait for a place."),
            )
        )
        self._streams, self._pushed, self._connections, self._untrusted_proxy = (
            Gauge(name, documentation, registry=own, multiprocess_mode="livesum")
            for name, documentation in _OF_NOW
        )
        self._rejected, self._dropped, self._refused, self._limited = (
            Counter(name, documentation, (label,), registry=own) for name, documentation, label in _BY_LABEL
        )
        self._lag = Histogram(
            "stepup_loop_lag_seconds",
            "How late the event loop was, looked at once a second.",
            buckets=_LAG_SECONDS,
            registry=own,
        )
        self._audit_lines = Counter(
            "stepup_audit_lines", "Lines of the audit trail, written or lost.", ("outcome",), registry=own
        )
        self._audit_written = Gauge(
            "stepup_audit_written", "Whether it is written.", registry=own, multiprocess_mode="livemin"
        )
        self._made_room = Counter(
            "stepup_connections_closed_for_room",
            "Connections in no request that were closed because the next one needed their place.",
            registry=own,
        )
        self._connections_refused = Counter(
            "stepup_connections_refused",
            "Connections that were closed at once because their network had too many at work.",
            registry=own,
        )
        build = Gauge(
            "stepup_build_info",
            "Always 1; its label says which version runs.",
            ("version",),
            registry=own,
            multiprocess_mode="max",
        )
        build.labels(VERSION).set(1)
        self._certificate: Gauge | None = None
        self._ahead: dict[str, int] = {}
        self._collected = self._registry
        if shared:
            self._collected = CollectorRegistry()
            MultiProcessCollector(self._collected, path=str(shared))  # type: ignore[no-untyped-call]  # the library's

    def flush(self) -> None:
        """Bring what waits into the metrics, and with shared counts to the other processes."""
        RequestMetrics.flush(self)
        UpstreamMetrics.flush(self)
        self._redis_seconds.flush()
        for places, numbers in self._request_numbers.items():
            self._in_work.labels(places).set(numbers.in_work)
            self._waiting.labels(places).set(numbers.waiting)

    def drawn(self) -> bytes:
        """Return everything in Prometheus' text format; with shared counts it reads files."""
        self.flush()
        return generate_latest(self._collected)

    def refreshed(self, resource: str, outcome: str) -> None:
        """Count a silent refresh."""
        self._refreshes.labels(resource, outcome).inc()

    def token_requested(self, grant: str, outcome: str, seconds: float) -> None:
        """Count a token request, and how long it took."""
        self._token_seconds.labels(grant, outcome).observe(seconds)

    def session_ended(self, reason: str) -> None:
        """Count the end of a session."""
        self._ended.labels(reason).inc()

    def end_not_replicated(self) -> None:
        """Count an end that only one server has."""
        self._alone.inc()

    def record_rejected(self, kind: str) -> None:
        """Count a record that no key opens."""
        self._rejected.labels(kind).inc()

    def redis_asked(self, outcome: str, seconds: float, commands: int = 1) -> None:
        """Count commands, and how long each of them took."""
        self._redis_seconds.child(outcome).observe(seconds, commands)

    def clock_differs(self, clock: str, seconds: int) -> None:
        """Show how far ours is ahead of another clock."""
        if self._ahead.get(clock) != seconds:  # most comparisons say the same as the one before
            self._ahead[clock] = seconds
            self._clocks.labels(clock).set(seconds)

    def request_numbers(self, places: str) -> RequestNumbers:
        """Return numbers of requests that are worked on, and that wait, which are shown as they are by then."""
        return self._request_numbers.setdefault(places, RequestNumbers())

    def request_refused(self, places: str) -> None:
        """Count a request that was told to come later."""
        self._refused.labels(places).inc()

    def limited(self, limit: str) -> None:
        """Count a request that a rate limit refused."""
        self._limited.labels(limit).inc()

    def untrusted_proxy(self, *, is_there: bool) -> None:
        """Show whether nearly all requests come by one proxy that we do not know."""
        self._untrusted_proxy.set(is_there)

    def streams_open(self, count: int) -> None:
        """Show how many event streams of our own are open."""
        self._streams.set(count)

    def events_pushed(self, *, is_pushed: bool) -> None:
        """Show whether changes are pushed."""
        self._pushed.set(is_pushed)

    def loop_was_late(self, seconds: float) -> None:
        """Count one look at the event loop."""
        self._lag.observe(seconds)

    def log_lines_dropped(self, level: str, count: int) -> None:
        """Count lines of the log that were lost; `level` in small letters."""
        self._dropped.labels(level).inc(count)

    def audit_lines(self, *, written: int, lost: int, is_written: bool) -> None:
        """Count lines of the audit trail, and show whether it can be written."""
        self._audit_lines.labels("written").inc(written)
        self._audit_lines.labels("lost").inc(lost)
        self._audit_written.set(is_written)

    def connections_open(self, count: int) -> None:
        """Show how many connections are open."""
        self._connections.set(count)

    def connections_made_room(self, count: int) -> None:
        """Count connections that were closed to make room for others."""
        self._made_room.inc(count)

    def connections_refused(self, count: int) -> None:
        """Count connections that were closed as soon as they came."""
        self._connections_refused.inc(count)

    def certificate_ends(self, at: float) -> None:
        """Show when the client certificate ends (seconds since 1970); without one nothing is shown, and not 0."""
        if self._certificate is None:
            self._certificate = Gauge(
                "stepup_client_certificate_end_timestamp_seconds",
                "When the client certificate ends.",
                registry=self._registry,
                multiprocess_mode="max",
            )
        self._certificate.set(at)


def forget_process(shared: Path | None, pid: int) -> None:
    """Leave out what a process that ended showed of its own state; what it counted stays counted."""
    if shared:
        mark_process_dead(pid, str(shared))  # type: ignore[no-untyped-call]  # the library's
