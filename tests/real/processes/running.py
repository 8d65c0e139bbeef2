"""A service as a process whose log is read as it comes, so that a test can wait for what it says."""

import http
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.real.processes.under_pressure import ROOT, SETTINGS
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port

Event = dict[str, Any]


class Running:
    """One process, its port, and what it has logged so far."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self._lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                self._lines.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    @property
    def log(self) -> str:
        """Everything it has written."""
        with self._more:
            return "".join(self._lines)

    def events(self, name: str) -> list[Event]:
        """Return the lines of an event so far."""
        found = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [event for event in found if event["event"] == name]

    def wait_for(
        self, name: str, count: int = 1, *, where: Callable[[Event], bool] = lambda _: True
    ) -> list[Event]:
        """Return the lines of an event once there are `count` of them."""
        found: list[Event] = []

        def enough() -> bool:
            found[:] = [event for event in self.events(name) if where(event)]
            return len(found) >= count

        with self._more:
            assert self._more.wait_for(enough, PATIENCE), self.log
        return found

    def workers(self, count: int = 2) -> dict[int, int]:
        """Return the process id of who serves in each place, once `count` have said so and not ended since."""
        self.wait_for("worker-serving", count)
        return {event["place"]: event["pid"] for event in self.events("worker-serving")}

    def answers(self) -> None:
        """Wait until it answers, however little it logs."""
        deadline = time.monotonic() + PATIENCE
        while self.ask()[0] != http.HTTPStatus.OK:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def ask(self, path: str = "/health/live", **headers: str) -> tuple[int, str]:
        """Ask on a connection of its own; status 0 where nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Connection": "close", "X-CSRF": "1", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionRefusedError:
            return 0, ""
        finally:
            connection.close()


def start(service: str, place: Path, given: Mapping[str, str], *, port: int = 0) -> Running:
    """Start `service` in the folder `place`, where no other `.env` lies; `given` settings are added to a whole set."""
    port = port or free_port()
    compiled = {name: text for name, text in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
    process = subprocess.Popen(
        [sys.executable, "-m", service],
        cwd=place,
        env={
            "PYTHONPATH": str(ROOT),
            "PATH": os.defpath,
            **compiled,
            **SETTINGS[service],
            f"{service.upper()}_PORT": str(port),
            **given,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Running(process, port)


@contextmanager
def running(service: str, place: Path, **given: str) -> Iterator[Running]:
    """Run `service` while the block runs; it answers at the beginning."""
    one = start(service, place, given)
    try:
        one.wait_for("listening")
        workers = int(given.get("GATEWAY_WORKERS", "1"))
        if workers > 1:
            one.workers(workers)
        yield one
    finally:
        one.process.kill()
        one.ended()
