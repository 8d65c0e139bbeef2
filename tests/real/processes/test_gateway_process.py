"""`python -m gateway` as a process: how it starts with nobody around it, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from servicekit.version import VERSION
from tests.real.processes.under_pressure import AT_ONCE
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.unit.gateway.test_settings import COMPLETE


def environment(root: Path, **given: str) -> dict[str, str]:
    """Return an environment with nothing of this machine's own settings in it."""
    compiled = {name: text for name, text in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
    return {
        "PYTHONPATH": str(root),
        "PYTHONUNBUFFERED": "1",
        "PATH": os.defpath,
        **compiled,
        **AT_ONCE,
        **given,
    }


def run(root: Path, here: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway"],
        env=environment(root, **given),
        cwd=here,  # another .env than a developer's
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_configuration_that_cannot_be_used_ends_the_process_with_2(
    project_root: Path, tmp_path: Path
) -> None:
    ended = run(project_root, tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 7
    assert all(line.startswith("GATEWAY_") for line in ended.stderr.splitlines())


def test_a_taken_port_ends_the_process_with_1_and_one_sentence(project_root: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run(project_root, tmp_path, **COMPLETE, GATEWAY_PORT=port)

    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"The gateway cannot listen on 127.0.0.1:{port}: ")
    assert "already in use" in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_taken_port_of_the_operators_side_is_told_before_anything_is_served(
    project_root: Path, tmp_path: Path, workers: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = str(taken.getsockname()[1])
        given = {"GATEWAY_PORT": str(free_port()), "GATEWAY_ADMIN_PORT": admin, "GATEWAY_WORKERS": workers}
        ended = run(project_root, tmp_path, **COMPLETE, **given)

    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"The gateway cannot listen on 127.0.0.1:{admin}: ")


@contextmanager
def running(root: Path, here: Path, **given: str) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """Run a gateway as a process with nobody around it."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"],
        env=environment(root, **COMPLETE, GATEWAY_PORT=str(port), **given),
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE
        while fetched(f"{url}/health/live")[0] != 200:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, url
    finally:
        process.kill()
        process.communicate()


def fetched(url: str, **headers: str) -> tuple[int, str]:
    """Return status and body; status 0 while nobody listens."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - the same
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def test_R1_without_redis_and_without_a_tenant_it_lives_says_so_and_ends_well(
    project_root: Path, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(project_root, tmp_path, GATEWAY_AUTHORITY_MAP=nobody) as (process, url):
        assert fetched(f"{url}/health/live") == (200, '{"status": "live"}')
        status, body = fetched(f"{url}/health/ready")
        assert (status, json.loads(body)["type"]) == (503, "/problems/session-store-unavailable")
        assert fetched(f"{url}/")[0] == 200, "pages are served"
        status, body = fetched(f"{url}/api/session", **{"X-CSRF": "1"})
        assert (status, json.loads(body)["authenticated"]) == (200, False)

        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0
    events = [json.loads(line) for line in output.splitlines()]
    (listening,) = [event for event in events if event["event"] == "listening"]
    assert (listening["version"], listening["workers"]) == (VERSION, 1)
    assert listening["addresses"] == [["127.0.0.1", int(url.rpartition(":")[2])]]
    assert "nobody-may-see" not in output


RAW = {
    "a header with a NUL": b"GET /api/profile HTTP/1.1\r\nHost: localhost\r\nCookie: canary-x7\0\r\n\r\n",
    "a method that is none": b"CANARY-X7 /canary-x7?code=canary-x7 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a line that is none": b"GET /auth/callback?code=canary-x7 HTTP/9\r\nHost: localhost\r\n\r\n",
    "more fields than anybody sends": b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    + b"X: canary-x7\r\n" * 1_100
    + b"\r\n",
    "a length that is none": b"POST /auth/callback HTTP/1.1\r\nHost: localhost\r\nContent-Length: canary-x7\r\n\r\n",
}


def test_S35_S55_a_request_that_cannot_be_parsed_is_quoted_neither_in_the_log_nor_in_the_answer(
    project_root: Path, tmp_path: Path
) -> None:
    with running(project_root, tmp_path, GATEWAY_LOG_LEVEL="DEBUG") as (process, url):
        for what, request in RAW.items():
            with socket.create_connection(
                ("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE
            ) as connection:
                # A first request that can be parsed: aiohttp keeps quiet about a connection that only talks nonsense.
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                connection.recv(65_536)
                connection.sendall(request)
                answer = connection.recv(65_536)
                status = 431 if "fields" in what else 400
                assert re.match(rb"HTTP/1.[01] %d " % status, answer), what
                assert b"application/problem+json" in answer, what
                for leak in (b"canary", b"aiohttp", b"python"):
                    assert leak not in answer.lower(), what
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

    assert output.count("request-refused-by-parser") == len(RAW), "it is told that there was one"
    assert "canary-x7" not in output.lower()
