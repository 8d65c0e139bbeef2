"""The way to the upstream of a row: connections, places and a circuit breaker of its own, so that none slows another.

Never sends anything, and never says what a row is.
"""

from collections.abc import Callable

from gateway.counts import Counts
from gateway.upstream_rows import UpstreamRow
from servicekit.outbound import Outbound
from servicekit.upstream import Upstream


def way_to(row: UpstreamRow, network: Outbound, *, now: Callable[[], float], counts: Counts) -> Outbound:
    """Return the way, whose breaker is counted by the row's name; `now` is a monotonic clock in seconds."""
    return network.to(
        Upstream(row.name, call_seconds=row.timeout),
        now=now,
        on_turn=lambda is_open: counts.breaker_turned(row.name, is_open=is_open),
    )
