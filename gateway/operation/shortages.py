"""What the process lost for want of room: lines of the log and of the audit trail, and connections.

Owns the looking, once a second, and the telling to whoever counts: neither a log nor a connection may wait for a
counter.
Never does anything about it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from gateway.metrics import Metrics
from servicekit.audit.trail import Trail
from servicekit.http.connections import Connections
from servicekit.logs import dropped_lines

_EVERY_SECONDS: Final = 1.0


async def watch_shortages(
    metrics: Metrics,
    connections: Connections,
    trail: Trail,
    *,
    dropped: Callable[[], Mapping[str, int]] = dropped_lines,
    every: float = _EVERY_SECONDS,
) -> None:
    """Tell how many connections there are and what was lost since the last look, until it is cancelled.

    `dropped` returns how many lines of each level were lost since the start.
    """
    known: Counter[str] = Counter()
    closed = refused = lost = written = 0
    while True:
        now = Counter(dropped())
        for level, count in (now - known).items():
            metrics.log_lines_dropped(level, count)
        metrics.connections_made_room(connections.closed_for_room - closed)
        metrics.connections_refused(connections.refused - refused)
        metrics.connections_open(len(connections))
        metrics.audit_lines(
            written=trail.written - written, lost=trail.lost - lost, is_written=trail.is_written
        )
        known, closed, refused = now, connections.closed_for_room, connections.refused
        lost, written = trail.lost, trail.written
        await asyncio.sleep(every)
