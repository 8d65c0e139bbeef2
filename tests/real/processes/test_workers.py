"""Several workers behind one port: what the death of one costs, of all, and of their parent."""

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.processes.running import Running, running, start
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Running]:
    """Run two workers."""
    with running("gateway", tmp_path, GATEWAY_WORKERS="2") as one:
        yield one


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run two workers for all tests that end none for good."""
    with running("gateway", tmp_path_factory.mktemp("gateway"), GATEWAY_WORKERS="2") as one:
        yield one


def ended(pid: int) -> bool:
    """Tell whether a process is no more, or nothing but its exit status."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until_ended(*pids: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(ended(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_L7_a_worker_that_ends_is_replaced_and_nobody_else_notices(
    lasting: Running, number: signal.Signals
) -> None:
    killed = lasting.workers()[0]
    served, gone = len(lasting.events("worker-serving")), len(lasting.events("worker-ended"))

    os.kill(killed, number)
    if number != signal.SIGTERM:
        wait_until_ended(killed)  # what it had accepted until then is its own
    while len(lasting.events("worker-serving")) == served:
        assert lasting.ask()[0] == 200

    (told,) = lasting.wait_for("worker-ended", gone + 1)[gone:]
    assert told["exit_code"] == (0 if number == signal.SIGTERM else -number)
    replaced = lasting.workers()[told["place"]]
    assert replaced != killed
    assert not ended(replaced)


def test_L7_all_workers_at_once_are_replaced_and_who_connects_meanwhile_is_answered(lasting: Running) -> None:
    served = len(lasting.events("worker-serving"))

    workers = lasting.workers().values()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    wait_until_ended(*workers)

    assert lasting.ask()[0] == 200
    lasting.wait_for("worker-serving", served + 2)
    assert lasting.ask()[0] == 200


def test_L7_workers_end_with_their_parent_however_it_ends_and_the_port_is_free(
    gateway: Running, tmp_path: Path
) -> None:
    workers = gateway.workers()

    gateway.process.kill()
    again = start("gateway", tmp_path, {}, port=gateway.port)
    try:
        again.wait_for("listening")
        wait_until_ended(*workers.values())
        assert again.ask()[0] == 200
    finally:
        again.process.kill()
        again.ended()


def children(pid: int) -> list[int]:
    told = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [line.split() for line in told.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def test_L7_what_forks_the_workers_takes_none_with_it_and_the_next_one_replaces_them(
    gateway: Running,
) -> None:
    workers = gateway.workers()
    (forks,) = children(gateway.process.pid)
    threads = Path(f"/proc/{forks}/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "a fork copies the one that forks"

    os.kill(forks, signal.SIGTERM)
    os.kill(forks, signal.SIGKILL)
    gateway.wait_for("fork-server-ended")
    assert gateway.ask()[0] == 200
    assert not any(ended(pid) for pid in workers.values())

    os.kill(workers[0], signal.SIGKILL)
    gateway.wait_for("worker-serving", 3)
    assert gateway.workers()[1] == workers[1]
    assert not ended(gateway.workers()[0])
    assert gateway.ask()[0] == 200

    gateway.send(signal.SIGINT)
    assert gateway.ended() == 0
    wait_until_ended(*workers.values(), *gateway.workers().values())


def test_L7_workers_that_cannot_start_end_the_gateway_and_the_log_says_so(tmp_path: Path) -> None:
    # What a worker opens at its start, and the parent does not: the counts that they share.
    (tmp_path / "gone").mkdir()
    one = start("gateway", tmp_path, {"GATEWAY_WORKERS": "2", "TMPDIR": str(tmp_path / "gone")})
    try:
        one.wait_for("listening")
        (shared,) = (tmp_path / "gone").glob("stepup-metrics-*")
        shared.rmdir()
        shared.write_text("no directory any more")
        assert one.ended() == 1, one.log
    finally:
        one.process.kill()
        one.ended()

    assert one.events("no-worker-starts")
    assert 4 <= len(one.events("worker-ended")) < 16, "it does not go round and round"


def metrics(admin: int) -> str:
    """Return what the operators' side tells."""
    connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_L7_U35_the_operators_port_answers_again_when_its_worker_has_died_and_one_that_ends_tells_its_counts(
    tmp_path: Path,
) -> None:
    admin = free_port()
    with running("gateway", tmp_path, GATEWAY_WORKERS="2", GATEWAY_ADMIN_PORT=str(admin)) as gateway:
        os.kill(gateway.workers()[0], signal.SIGKILL)
        text = metrics(admin)
        for _ in range(40):
            assert gateway.ask()[0] == 200
        other = gateway.workers()[1]
        os.kill(other, signal.SIGTERM)
        wait_until_ended(other)
        after = metrics(admin)

    assert "\nstepup_build_info{" in text
    assert '\nstepup_breaker_open{breaker="redis"} 0.0' in text
    assert '\nstepup_requests_total{method="GET",route="/health/live",status="200"} 40.0' in after


def test_L7_ctrl_c_at_a_terminal_reaches_the_whole_group_and_ends_it_in_good_order(gateway: Running) -> None:
    workers = gateway.workers()

    for pid in (gateway.process.pid, *workers.values()):
        os.kill(pid, signal.SIGINT)

    assert gateway.ended() == 0
    wait_until_ended(*workers.values())
    assert "Traceback" not in gateway.log
    assert not gateway.events("worker-ended")
