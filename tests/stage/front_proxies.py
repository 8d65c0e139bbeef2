"""The proxies of docs/how-to/proxies as programs, each with the file that the page shows: only addresses are changed.

Owns what is put in the place of names, ports and paths, and that a test is skipped where the program is not installed.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from devstack.front_proxies import front_proxy
from tests.stage.patience import PATIENCE
from tests.stage.sources import ROOT

FILES: Final = ROOT / "docs" / "how-to" / "proxies"
PROXIES: Final = ("nginx", "haproxy", "caddy", "traefik")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy runs: its folder, the file with certificate and key, its port, and the gateways' addresses."""

    folder: Path
    pem: Path
    port: int
    gateways: Sequence[str]

    def adapted(self, name: str, changes: Sequence[tuple[str, str]]) -> Path:
        """Write one of the page's files with what is ours here; every change must find its place."""
        text = (FILES / name).read_text(encoding="utf-8")
        here = [
            ("gateway-1:3000", self.gateways[0]),
            ("gateway-2:3000", self.gateways[-1]),
            ("profile.example.com", "127.0.0.1"),
            *changes,
        ]
        for old, new in here:
            if old in text or (old, new) in changes:
                assert old in text, (name, old)
                text = text.replace(old, new)
        file = self.folder / name
        file.write_text(text, encoding="utf-8")
        return file


def _nginx(place: Place, program: str, quick: Sequence[tuple[str, str]]) -> list[str]:
    temporary = "".join(
        f"{kind}_temp_path {place.folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Somebody without rights could not write into the test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    file = place.adapted(
        "nginx.conf",
        [
            ("listen 443", f"listen 127.0.0.1:{place.port}"),
            ("/etc/nginx/profile.pem", str(place.pem)),
            ("/var/log/nginx/access.log", f"{place.folder}/access.log"),
            ("http {\n", f"http {{\n{temporary}"),
            ("worker_processes auto;", f"{user}worker_processes 1;\ndaemon off;\npid {place.folder}/pid;"),
            *quick,
        ],
    )
    return [program, "-p", str(place.folder), "-e", f"{place.folder}/error.log", "-c", str(file)]


def _haproxy(place: Place, program: str, quick: Sequence[tuple[str, str]]) -> list[str]:
    file = place.adapted(
        "haproxy.cfg",
        [
            ("bind :443", f"bind 127.0.0.1:{place.port}"),
            ("/etc/haproxy/profile.pem", str(place.pem)),
            # As many as descriptors allow here.
            ("maxconn 20000", "maxconn 1000"),
            *quick,
        ],
    )
    return [program, "-db", "-f", str(file)]


def _caddy(place: Place, program: str, quick: Sequence[tuple[str, str]]) -> list[str]:
    file = place.adapted(
        "Caddyfile",
        [
            ("127.0.0.1:443", f"https://127.0.0.1:{place.port}"),
            ("/etc/caddy/profile.pem", str(place.pem)),
            # Nothing but the one port, and nothing of this computer is changed.
            (
                "\tservers {\n",
                "\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tservers {\n",
            ),
            *quick,
        ],
    )
    return [program, "run", "--adapter", "caddyfile", "--config", str(file)]


def _traefik(place: Place, program: str, quick: Sequence[tuple[str, str]]) -> list[str]:
    dynamic = place.adapted("traefik-dynamic.yml", [("/etc/traefik/profile.pem", str(place.pem))])
    file = place.adapted(
        "traefik.yml",
        [
            ('":443"', f'"127.0.0.1:{place.port}"'),
            ("/etc/traefik/traefik-dynamic.yml", str(dynamic)),
            *quick,
        ],
    )
    return [program, f"--configFile={file}"]


_COMMANDS: Final[dict[str, Callable[[Place, str, Sequence[tuple[str, str]]], list[str]]]] = {
    "nginx": _nginx,
    "haproxy": _haproxy,
    "caddy": _caddy,
    "traefik": _traefik,
}


def program_of(name: str) -> str | None:
    """Return the path of a proxy's program, if it is installed."""
    return front_proxy(name, os.environ)


@contextmanager
def proxied(name: str, place: Place, *, quick: Sequence[tuple[str, str]] = ()) -> Iterator[None]:
    """Run a proxy while the block runs; `quick` are texts of its file that are replaced as well."""
    program = program_of(name)
    if program is None:
        pytest.skip(f"{name} is not installed on this computer")
    command = _COMMANDS[name](place, program, quick)
    log = place.folder / f"{name}.log"
    own = {
        "HOME": str(place.folder),
        "XDG_DATA_HOME": str(place.folder),
        "XDG_CONFIG_HOME": str(place.folder),
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(command, env={"PATH": os.defpath, **own}, stdout=output, stderr=output) as process,
    ):
        try:
            _await_port(process, place.port, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_port(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        else:
            return
