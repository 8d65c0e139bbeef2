"""What one of several processes has counted, brought to where the others find it, once a second.

Owns the rhythm. What a process counted since the last time is lost where it is killed.
Never reads a count.
"""

import asyncio

from gateway.metrics import FLUSH_SECONDS, Metrics


async def flush_metrics(metrics: Metrics, *, every: float = FLUSH_SECONDS) -> None:
    """Bring the counts to the others every so many seconds, until it is cancelled."""
    while True:
        await asyncio.sleep(every)
        metrics.flush()
