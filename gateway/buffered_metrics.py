"""Metrics that are told something several times a request: they wait in plain Python until they are flushed.

Owns the waiting counts, and that each of them gets into the metric once. A metric of the library takes a lock for each
number, and writes into a shared file where several processes count together; adding to an `int` is a tenth of that.
Never knows a name, and never decides when it is time to flush: `metrics.py` does, before it is read and once a second.
One thread, that of the event loop, tells and flushes.
"""

from bisect import bisect_left
from typing import Any

from prometheus_client import Counter, Histogram


class BufferedCounter:
    """A counter by its labels."""

    def __init__(self, metric: Counter) -> None:
        self._metric = metric
        self._waiting: dict[tuple[str, ...], int] = {}

    def count(self, *labels: str) -> None:
        """Count one more."""
        self._waiting[labels] = self._waiting.get(labels, 0) + 1

    def flush(self) -> None:
        """Bring what waits into the metric."""
        waiting, self._waiting = self._waiting, {}
        for labels, count in waiting.items():
            self._metric.labels(*labels).inc(count)


class Observations:
    """What waits for one child of a histogram: how many in each bucket, and their sum."""

    __slots__ = ("_bounds", "buckets", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)  # the last one takes what is above all bounds
        self.total = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count a value, once or more; a bound belongs to the bucket below it (`le`)."""
        self.buckets[bisect_left(self._bounds, value)] += times
        self.total += value * times

    def take(self) -> tuple[list[int], float]:
        """Return what waits, and begin again."""
        taken = self.buckets, self.total
        self.buckets, self.total = [0] * len(taken[0]), 0.0
        return taken


class BufferedHistogram:
    """A histogram by its labels; `bounds` are those of its buckets, without the last one, which has none."""

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...], **options: Any) -> None:
        self._bounds: tuple[float, ...] = options["buckets"]
        self._metric = _Histogram(name, documentation, labels, **options)
        self._children: dict[tuple[str, ...], Observations] = {}

    def child(self, *labels: str) -> Observations:
        """Return what waits for these labels; the same whenever it is asked for."""
        known = self._children.get(labels)
        if known is None:
            known = self._children[labels] = Observations(self._bounds)
        return known

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        self.child(*labels).observe(value)

    def flush(self) -> None:
        """Bring what waits into the metric."""
        for labels, observations in self._children.items():
            buckets, total = observations.take()
            if any(buckets):
                self._metric.labels(*labels).add(buckets, total)


class _Histogram(Histogram):
    """The library's, which otherwise takes one value at a time."""

    def add(self, counts: list[int], total: float) -> None:
        """Add that many values to each bucket, whose sum is `total`."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)
