"""The upstreams that the profile needs, one record for each: Graph, to read it, and the resource API, to edit it.

Owns what each of them may cost us, and that each has connections, places and a circuit breaker of its own.
Never sends anything.
"""

from collections.abc import Callable, Iterable
from typing import Final

from gateway.counts import Counts
from servicekit.outbound import Outbound
from servicekit.upstream import Upstream

GRAPH: Final = Upstream("graph", call_seconds=8)
# The API itself reads back after a time-out, which takes longer than one call to Graph.
RESOURCE_API: Final = Upstream("resource-api", call_seconds=25)
UPSTREAMS: Final = (GRAPH, RESOURCE_API)


def way_to(upstream: Upstream, network: Outbound, *, now: Callable[[], float], counts: Counts) -> Outbound:
    """Return the way to an upstream, whose breaker is counted by its name; `now` is a monotonic clock in seconds."""
    return network.to(
        upstream, now=now, on_turn=lambda is_open: counts.breaker_turned(upstream.name, is_open=is_open)
    )


def ways_to(
    upstreams: Iterable[Upstream], network: Outbound, *, now: Callable[[], float], counts: Counts
) -> list[Outbound]:
    """Return the way to each, in this order; `now` is a monotonic clock in seconds."""
    return [way_to(upstream, network, now=now, counts=counts) for upstream in upstreams]
