"""When it was, as Python's own calendar says it."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from servicekit.log_times import time_text


@given(st.one_of(st.floats(0, 4e9), st.integers(0, 4_000_000_000)))
def test_L11_a_time_is_what_the_calendar_says_to_the_millisecond(at: float) -> None:
    expected = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")

    assert time_text(at) == expected.replace("+00:00", "Z")
