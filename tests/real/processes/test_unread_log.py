"""A log that nobody reads stops no service (L11)."""

import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.real.processes.under_pressure import pressed, status_of
from tests.stage.patience import PATIENCE

# More lines than the pipe below takes, which is about twenty.
_REQUESTS: Final = 60
_PIPE: Final = 4_096
# For a busy computer; without an answer the test fails.
_SECONDS: Final = PATIENCE


def _unread() -> tuple[int, int]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE)
    return reading, writing


@pytest.mark.parametrize("service", ["gateway", "resource_api"])
def test_L11_a_log_that_nobody_reads_stops_nothing_and_is_there_when_somebody_reads_again(
    service: str, tmp_path: Path
) -> None:
    reading, writing = _unread()
    with pressed(service, tmp_path, stderr=writing) as (process, port):
        os.close(writing)
        answers = [status_of(port, seconds=_SECONDS) for _ in range(_REQUESTS)]
        assert answers == [200] * _REQUESTS, "health included"

        process.send_signal(signal.SIGTERM)
        with os.fdopen(reading, "rb") as log:
            lines = [json.loads(line) for line in log]
        assert process.wait(PATIENCE) == 0

    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= _REQUESTS, "none was lost: what waits for a reader has room for thousands"
    assert all(line["asctime"].endswith("Z") for line in lines)


@pytest.mark.parametrize("service", ["gateway", "resource_api"])
def test_L11_a_service_whose_log_nobody_will_read_ends_within_its_grace(service: str, tmp_path: Path) -> None:
    reading, writing = _unread()
    with pressed(service, tmp_path, stderr=writing) as (process, port):
        os.close(writing)
        for _ in range(_REQUESTS):
            assert status_of(port, seconds=_SECONDS) == 200
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE) == 0
    os.close(reading)


def test_L11_a_log_whose_reader_has_gone_stops_nothing(tmp_path: Path) -> None:
    reading, writing = _unread()
    with pressed("gateway", tmp_path, stderr=writing) as (process, port):
        os.close(writing)
        os.close(reading)

        assert [status_of(port, seconds=_SECONDS) for _ in range(_REQUESTS)] == [200] * _REQUESTS
        assert process.poll() is None


def test_L11_several_workers_serve_on_and_tear_no_line_of_each_other(tmp_path: Path) -> None:
    reading, writing = _unread()
    with pressed("gateway", tmp_path, stderr=writing, GATEWAY_WORKERS="2") as (process, port):
        os.close(writing)
        assert [status_of(port, seconds=_SECONDS) for _ in range(_REQUESTS)] == [200] * _REQUESTS

        process.send_signal(signal.SIGTERM)
        with os.fdopen(reading, "rb") as log:
            events = [json.loads(line)["event"] for line in log]

    assert events.count("request") >= _REQUESTS
