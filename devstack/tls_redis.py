"""Finds, or installs, a Redis server that can speak TLS, for the tests of TLS to Redis.

Owns the order of looking: valkey-server, then redis-server on the path, each tried; then the system's package, where
this user may install one. The wheel's server is built without TLS. The product itself starts no such server.
"""

import shutil
import subprocess
from collections.abc import Mapping

from devstack.console import Console
from devstack.system_packages import install_packages, may_install

WHY_NONE = (
    "no Redis server with TLS is on this computer; install one: apt install redis-server, brew install redis"
)
_TRY_SECONDS = 5


def tls_server(environment: Mapping[str, str]) -> str | None:
    """Return a server that knows TLS, or None."""
    names = ("valkey-server", "redis-server")
    paths = (shutil.which(name, path=environment.get("PATH")) for name in names)
    return next((path for path in paths if path and _knows_tls(path)), None)


def ensure_tls_server(environment: Mapping[str, str], console: Console) -> str | None:
    """Return one, installing it where this user may; None where there is none, and the tests of it are skipped."""
    if (server := tls_server(environment)) or not may_install():
        return server
    console.say("There is no Redis server with TLS here; installing the system's redis-server package.")
    install_packages(["redis-server"], environment)
    return tls_server(environment)


def _knows_tls(path: str) -> bool:
    """Ask for TLS without a certificate: a server that knows TLS misses it, another one does not get that far."""
    try:
        answer = subprocess.run(
            [path, "--port", "0", "--tls-port", "1", "--save", ""],
            capture_output=True,
            timeout=_TRY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"tls-cert-file" in answer.stdout + answer.stderr
