"""How soon others are answered while a thousand slow connections come from one address.

Runs `slowhttptest` (a program of Debian and Homebrew) in its four ways against the gateway, the operators' port and the
resource API, each as a process with `--descriptors` at most: 1,024 are 512 places. Meanwhile one program of the same
address and one of another network ask ten times a second, each time by a new connection.

    python -m benchmarks.bench_slow_clients [--descriptors 1024] [--connections 1000] [--seconds 20]

Needs `ulimit -n` above twice the connections, and a system where all of 127.0.0.0/8 is this computer.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from tests.real.processes.under_pressure import pressed
from tests.stage.ports import free_port

SOURCES: Final = {"same address": "127.0.0.1", "another network": "127.0.5.1"}
WAYS: Final = {
    "slow heads": ("-H", "-i", "5"),
    "slow bodies": ("-B", "-i", "5", "-s", "8192", "-x", "10"),
    "many ranges": ("-R", "-a", "10", "-b", "3000"),
    "slow readers": ("-X", *["-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"]),
}
_EVERY_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 30


class Probe:
    """Asks again and again from one address until it is told to stop."""

    def __init__(self, port: int, path: str, source: str) -> None:
        self.took: list[float] = []
        self.answers = Counter[str]()
        self._request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-CSRF: 1\r\nConnection: close\r\n\r\n"
        self._port, self._source = port, source

    def run(self, stop: threading.Event) -> None:
        """Ask, and note how long each answer took."""
        while not stop.wait(_EVERY_SECONDS):
            began = time.perf_counter()
            try:
                self.answers[self._ask()] += 1
            except OSError as error:
                self.answers[type(error).__name__] += 1
            self.took.append(time.perf_counter() - began)

    def _ask(self) -> str:
        with socket.create_connection(
            ("127.0.0.1", self._port), _LONGEST_SECONDS, source_address=(self._source, 0)
        ) as connection:
            connection.sendall(self._request.encode())
            whole = b""
            while piece := connection.recv(65_536):
                whole += piece
        return whole[9:12].decode()


@contextmanager
def probing(port: int, path: str) -> Iterator[dict[str, Probe]]:
    """Ask from each address while the block runs."""
    stop = threading.Event()
    probes = {name: Probe(port, path, source) for name, source in SOURCES.items()}
    threads = [threading.Thread(target=probe.run, args=(stop,)) for probe in probes.values()]
    for thread in threads:
        thread.start()
    try:
        yield probes
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main() -> None:
    """Measure as the command line asks, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--descriptors", type=int, default=1024)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    program = shutil.which("slowhttptest")
    if program is None:
        sys.exit("slowhttptest is not installed on this computer")
    count = ("-c", str(given.connections), "-r", "400", "-l", str(given.seconds), "-p", "3")
    with ExitStack() as running:
        places = [Path(running.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        log, beside = running.enter_context((places[0] / "log").open("wb")), free_port()
        limits = {"stderr": log.fileno(), "descriptors": given.descriptors}
        _, gateway = running.enter_context(
            pressed("gateway", places[0], **limits, GATEWAY_ADMIN_PORT=str(beside))
        )
        _, api = running.enter_context(pressed("resource_api", places[1], **limits))
        for part, port, target, path in (
            ("gateway", gateway, "/api/session", "/api/session"),
            ("operators' port", beside, "/metrics", "/nowhere"),
            ("resource API", api, "/profile", "/health/live"),
        ):
            for way, options in WAYS.items():
                with probing(port, path) as probes:
                    subprocess.run(  # noqa: S603 - a program of the system, with options of ours
                        [program, *options, *count, "-u", f"http://localhost:{port}{target}"],
                        capture_output=True,
                        check=False,
                    )
                for name, probe in probes.items():
                    print(
                        f"{part:16} {way:13} {name:16} median {median(probe.took):.3f} s, "
                        f"longest {max(probe.took):.2f} s, {dict(probe.answers)}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
