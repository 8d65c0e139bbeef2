import pytest

from benchmarks.peers.wrk import Load, read

PRINTED = """Running 3s test @ http://localhost:20600/api/session
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    44.92ms   25.71ms 285.73ms   94.22%
    Req/Sec     1.50k   331.80     1.96k    70.00%
  Latency Distribution
     50%  500.00us
     75%   43.41ms
     90%   48.93ms
     99%    1.05s 
  4520 requests in 3.00s, 5.53MB read
Requests/sec:   1506.09
Transfer/sec:      1.84MB
"""  # noqa: W291 -- wrk fills its columns with spaces


def test_times_are_read_in_milliseconds_whatever_their_unit() -> None:
    assert read(PRINTED) == Load(4520, 1506.09, 0.5, 1050.0, 0)


def test_refusals_and_lost_connections_are_counted_as_bad() -> None:
    lines = (
        "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 30\nRequests/sec"
    )

    assert read(PRINTED.replace("Requests/sec", lines)).bad == 40


def test_a_load_without_figures_is_no_load() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        read("unable to connect to localhost:1 Connection refused")
