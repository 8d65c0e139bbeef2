"""What waits in plain Python gets into the metric as if each of it had been told to the library."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gateway.buffered_metrics import BufferedCounter, BufferedHistogram

# Of halves, so that sums are exact in whatever order they are added up.
BOUNDS: Final = (1 / 1024, 1 / 128, 1 / 8)
seconds = st.one_of(st.sampled_from([0.0, *BOUNDS]), st.integers(0, 8192).map(lambda number: number / 4096))
told = st.lists(st.tuples(st.sampled_from(["answered", "failed"]), seconds))


def shown(registry: CollectorRegistry) -> list[str]:
    """Return what is told of numbers, without when it began."""
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


@given(told, told)
def test_a_buffered_histogram_shows_what_the_librarys_own_does(
    first: list[tuple[str, float]], then: list[tuple[str, float]]
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    plain = Histogram("asked", "Asked.", ("outcome",), buckets=BOUNDS, registry=theirs)
    buffered = BufferedHistogram("asked", "Asked.", ("outcome",), buckets=BOUNDS, registry=ours)
    for part in (first, then):
        for outcome, value in part:
            plain.labels(outcome).observe(value)
            buffered.observe(value, outcome)
        buffered.flush()

        assert shown(ours) == shown(theirs)


def test_what_was_flushed_is_not_counted_again_and_what_came_since_is() -> None:
    registry = CollectorRegistry()
    counter = BufferedCounter(Counter("asked", "Asked.", ("upstream", "outcome"), registry=registry))
    counter.count("notes", "answered")
    counter.count("notes", "answered")
    counter.count("chat", "failed")
    for _ in range(2):
        counter.flush()
    assert registry.get_sample_value("asked_total", {"upstream": "notes", "outcome": "answered"}) == 2

    counter.count("notes", "answered")
    counter.flush()

    assert registry.get_sample_value("asked_total", {"upstream": "notes", "outcome": "answered"}) == 3
    assert registry.get_sample_value("asked_total", {"upstream": "chat", "outcome": "failed"}) == 1
