"""What a process does when it is told something, while it serves: both services, alone and with workers."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.real.processes.running import Running, running
from tests.stage.patience import PATIENCE

WAYS: Final = {
    "one process": ("gateway", {}),
    "two workers": ("gateway", {"GATEWAY_WORKERS": "2"}),
    "the resource API": ("resource_api", {}),
}
LONG: Final = {
    "GATEWAY_SHUTDOWN_DELAY_SECONDS": str(PATIENCE),
    "RESOURCE_API_SHUTDOWN_DELAY_SECONDS": str(PATIENCE),
}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """Run one of them, which would announce its end for long; nobody else is needed."""
    service, given = request.param
    with running(service, tmp_path, **LONG, **given) as one:
        yield one


def kept(one: Running) -> http.client.HTTPConnection:
    """Return a connection that was used and is idle."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PATIENCE)
    assert asked(connection) == (200, None)
    return connection


def asked(connection: http.client.HTTPConnection, path: str = "/health/live") -> tuple[int, str | None]:
    """Return the status, and what the answer says of the connection."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers["Connection"]


def test_L8_the_end_is_told_first_then_nobody_is_let_in_and_who_is_here_is_told_to_leave(
    served: Running,
) -> None:
    idle, busy = kept(served), kept(served)

    served.send(signal.SIGQUIT if served.events("worker-serving") else signal.SIGTERM)
    served.wait_for("stopping", len(served.events("worker-serving")) or 1)

    assert (served.ask("/health/ready")[0], served.ask()[0]) == (503, 200), "it still takes connections"
    assert json.loads(served.ask("/health/ready")[1]) == {"status": "stopping"}
    assert asked(busy) == (200, "close")
    served.send(signal.SIGINT)  # no more time for others to notice
    assert served.ended() == 0
    assert served.ask()[0] == 0
    assert idle.sock.recv(1) == b"", "closed, and not reset"
    for connection in (idle, busy):
        connection.close()


def test_L8_a_signal_that_means_nothing_ends_nothing_and_two_interrupts_wait_for_nobody(
    served: Running,
) -> None:
    for count, number in enumerate((signal.SIGUSR1, signal.SIGUSR2), 1):
        served.send(number)
        assert served.wait_for("signal-ignored", count)[-1]["signal"] == number.name
    served.send(signal.SIGPIPE)
    assert served.ask()[0] == 200
    assert served.process.poll() is None

    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as slow:
        slow.sendall(b"PATCH /profile HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        served.send(signal.SIGINT)
        served.wait_for("stopping")
        served.send(signal.SIGINT)

        assert served.ended() == 0


# Settings that change while it serves


def changing(tmp_path: Path, service: str, **settings: str) -> None:
    """Write the settings that are not in the environment."""
    lines = [f"{service.upper()}_{name}={text}\n" for name, text in settings.items()]
    (tmp_path / ".env").write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("service, given", WAYS.values(), ids=list(WAYS))
def test_L8_hangup_takes_up_settings_in_every_worker_and_connections_stay(
    tmp_path: Path, service: str, given: dict[str, str]
) -> None:
    changing(tmp_path, service, LOG_LEVEL="INFO")
    with running(service, tmp_path, **given) as served:
        workers = len(served.events("worker-serving")) or 1
        connection = kept(served)

        changing(tmp_path, service, LOG_LEVEL="WARNING")
        served.send(signal.SIGHUP)
        told = served.wait_for("reloaded", workers)
        before = len(served.events("request"))

        assert [event["changed"] for event in told] == [["log_level"]] * workers
        assert asked(connection) == (200, None), "on the same connection"
        assert [served.ask()[0] for _ in range(8)] == [200] * 8
        assert len(served.events("request")) == before, "nobody writes lines of that level any more"
        assert served.process.poll() is None
        connection.close()


def test_A6_what_an_operator_changed_is_in_the_audit_trail_by_name(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    changing(tmp_path, "gateway", LOG_LEVEL="INFO", AUDIT_FILE=str(path))
    with running("gateway", tmp_path) as served:
        changing(tmp_path, "gateway", LOG_LEVEL="WARNING", AUDIT_FILE=str(path))
        served.send(signal.SIGHUP)
        served.wait_for("reloaded")
        served.send(signal.SIGTERM)
        served.process.wait(PATIENCE)

    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(line["fact"], line["event"], line.get("settings")) for line in lines] == [
        ("start", "sys_startup", None),
        ("settings-change", "sys_config_changed", ["log_level"]),
        ("stop", "sys_shutdown", None),
    ]


def test_L8_settings_that_cannot_be_used_are_refused_at_hangup_and_nothing_changes(tmp_path: Path) -> None:
    changing(tmp_path, "gateway", LOG_LEVEL="INFO")
    with running("gateway", tmp_path) as served:
        changing(tmp_path, "gateway", LOG_LEVEL="LOUD", PORTT="1")
        served.send(signal.SIGHUP)

        (told,) = served.wait_for("reload-refused")

        assert "GATEWAY_LOG_LEVEL" in " ".join(told["faults"])
        assert served.ask()[0] == 200
        assert served.wait_for("request"), "it logs as before"
        assert not served.events("reloaded")


def answers(served: Running) -> dict[str, set[int]]:
    """Return what all workers say to a request without the header that the guard asks for."""
    return {
        name: {served.ask(f"/api/{name}/7", **{"X-CSRF": "0"})[0] for _ in range(8)}
        for name in ("notes", "tasks")
    }


def test_L8_rows_of_upstreams_are_taken_up_by_every_worker_or_refused_as_a_whole(tmp_path: Path) -> None:
    file, row = (
        tmp_path / "upstreams.toml",
        '[[upstream]]\nname = "{0}"\nprefix = "/api/{0}"\ntarget = "{1}"\n',
    )
    file.write_text(row.format("notes", "https://notes.example"), encoding="utf-8")
    changing(tmp_path, "gateway", UPSTREAMS=str(file))
    with running("gateway", tmp_path, GATEWAY_WORKERS="2") as served:
        assert answers(served) == {"notes": {403}, "tasks": {404}}, "the guard speaks where there is a row"

        file.write_text(row.format("tasks", "https://tasks.example"), encoding="utf-8")
        served.send(signal.SIGHUP)
        told = served.wait_for("reloaded", 2)
        assert [event["changed"] for event in told] == [["upstreams"]] * 2
        assert answers(served) == {"notes": {404}, "tasks": {403}}

        file.write_text(row.format("notes", "http://notes.example"), encoding="utf-8")
        served.send(signal.SIGHUP)
        (refused,) = served.wait_for("reload-refused")
        assert "row 1 (notes)" in " ".join(refused["faults"])
        assert "which is plain http to another machine" in " ".join(refused["faults"])
        assert answers(served) == {"notes": {404}, "tasks": {403}}
