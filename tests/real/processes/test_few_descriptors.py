"""A service with few descriptors serves whoever asks, however many only connect (L12)."""

import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.real.processes.under_pressure import ROOT, pressed, status_of
from tests.stage.loopback import loopback_addresses
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

_DESCRIPTORS: Final = 64
_QUIET: Final = 100
# For a busy computer; without an answer the test fails.
_SECONDS: Final = PATIENCE


@contextmanager
def quiet_connections(port: int, said: bytes, *, networks: int = 1) -> Iterator[None]:
    """Connect again and again, in turns from so many networks, while the block runs."""
    addresses = itertools.cycle(loopback_addresses(networks))
    with ExitStack() as open_ones:
        for _ in range(_QUIET):
            connection = open_ones.enter_context(
                socket.create_connection(("127.0.0.1", port), source_address=(next(addresses), 0))
            )
            try:
                connection.sendall(said)
            except ConnectionError:  # it made room already
                continue
        yield


@pytest.mark.parametrize("service", ["gateway", "resource_api"])
@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: l"], ids=["who say nothing", "who say half of a head"]
)
def test_L12_a_person_is_served_beside_more_idle_connections_than_there_are_descriptors(
    service: str, said: bytes, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as stderr,
        pressed(service, tmp_path, stderr=stderr.fileno(), descriptors=_DESCRIPTORS) as (process, port),
    ):
        with quiet_connections(port, said, networks=4):
            assert [status_of(port, seconds=_SECONDS) for _ in range(20)] == [200] * 20
            assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < _DESCRIPTORS, (
                "some are left for Redis and files"
            )
        assert status_of(port, seconds=_SECONDS) == 200

        process.terminate()
        assert process.wait(_SECONDS) == 0

    loud = [line for line in map(json.loads, log.read_text().splitlines()) if line["levelname"] != "INFO"]
    assert [line["event"] for line in loud if line["event"] == "connections-at-limit"] == [
        "connections-at-limit"
    ]
    assert not [line for line in loud if "out of system resource" in line["event"]]


def test_A3_S52_one_network_never_has_all_places_and_the_log_names_it_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as stderr,
        pressed("gateway", tmp_path, stderr=stderr.fileno(), descriptors=_DESCRIPTORS) as (process, port),
    ):
        with quiet_connections(port, b"GET / HTTP/1.1\r\nHost: l"):
            assert [status_of(port, seconds=_SECONDS) for _ in range(5)] == [200] * 5
        process.terminate()
        assert process.wait(_SECONDS) == 0

    lines = [line for line in map(json.loads, log.read_text().splitlines()) if line["levelname"] != "INFO"]
    (line,) = [line for line in lines if line["event"].startswith("connections-")]
    assert (line["event"], line["network"]) == ("connections-of-a-network-at-limit", "127.0.0.0/24")
    assert line["held"] <= _DESCRIPTORS // 2 * 3 // 4


def test_L12_a_collector_of_metrics_that_never_closes_takes_nothing_from_people_or_operators(
    tmp_path: Path,
) -> None:
    log, beside = tmp_path / "log", free_port()
    with (
        log.open("wb") as stderr,
        pressed(
            "gateway",
            tmp_path,
            stderr=stderr.fileno(),
            descriptors=_DESCRIPTORS,
            GATEWAY_ADMIN_PORT=str(beside),
        ) as (process, port),
        quiet_connections(beside, b""),
    ):
        for _ in range(10):
            assert status_of(port, seconds=_SECONDS) == 200
            assert status_of(beside, "/metrics", seconds=_SECONDS) == 200
        assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < _DESCRIPTORS
    assert "out of system resource" not in log.read_text()


_SERVER: Final = """
import asyncio, socket, sys
from aiohttp import web
from servicekit.http.limited_site import LimitedSite
from servicekit.http.quiet_server import QuietRunner
from servicekit.logs import configure_logs

async def answer(_request):
    return web.Response(text="here")

async def serve():
    app = web.Application()
    app.router.add_get("/health/live", answer)
    runner = QuietRunner(app, service="gateway")
    runner.connections.most = 1_000
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    await LimitedSite(runner, listener, runner.connections).start()
    print(listener.getsockname()[1], flush=True)
    await asyncio.Event().wait()

configure_logs()
asyncio.run(serve())
"""


def test_L12_where_descriptors_are_gone_nobody_floods_the_log_and_people_are_served(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh", sys.executable, "-c", _SERVER],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as process,
    ):
        assert process.stdout
        port = int(process.stdout.readline())
        with quiet_connections(port, b""):
            assert [status_of(port, seconds=_SECONDS) for _ in range(5)] == [200] * 5
        process.kill()

    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events.count("descriptors-exhausted") in range(1, 10), "asyncio's own way writes thousands"
    assert set(events) == {"descriptors-exhausted", "request"}
