"""`python -m resource_api` as a process: start, end, exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from resource_api.settings import PREFIX
from servicekit.version import VERSION
from tests.real.processes.under_pressure import AT_ONCE
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.unit.resource_api.test_settings import GOOD

ROOT = Path(__file__).parents[3]


def command(place: Path, **environment: str) -> "subprocess.Popen[str]":
    """Start the service where no `.env` lies."""
    others = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    return subprocess.Popen(
        [sys.executable, "-m", "resource_api"],
        cwd=place,
        env={**others, "PYTHONPATH": str(ROOT), **AT_ONCE, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_configuration_that_cannot_be_used_ends_with_2_and_every_fault(tmp_path: Path) -> None:
    with command(tmp_path, RESOURCE_API_PORT="x") as process:
        out, output = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (2, "")
    assert "RESOURCE_API_PORT is 'x', which is not a whole number." in output
    assert "RESOURCE_API_CLIENT_ID is missing." in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_with_everything_else_down_and_ends_with_0(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with command(
        tmp_path, **GOOD, RESOURCE_API_PORT=str(port), RESOURCE_API_AUTHORITY_MAP="http://127.0.0.1:9"
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/health/live", timeout=PATIENCE
                ) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(number)
        _, output = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    assert "Traceback" not in output
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["event"] for event in events if event["event"] in {"listening", "stopping"}] == [
        "listening",
        "stopping",
    ]
    assert [event["version"] for event in events if event["event"] == "listening"] == [VERSION]
    (request_line, *_) = [event for event in events if event["event"] == "request"]
    assert (request_line["route"], request_line["status"]) == ("/health/live", 200)


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with command(tmp_path, **GOOD, RESOURCE_API_PORT=port) as process:
            _, output = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert f"The resource API cannot listen on 127.0.0.1:{port}" in output
    assert "Traceback" not in output
