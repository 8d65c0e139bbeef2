"""What runs beside whoever is measured: the API, the OpenID provider and the store of the peers."""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.peers.cores import pin
from benchmarks.peers.peer import Around
from benchmarks.peers.started import started
from benchmarks.peers.upstream import upstream
from devstack.embedded_valkey import EmbeddedValkey
from devstack.keeper import Keeper
from devstack.ports import free_port
from devstack.processes import Child, Program
from devstack.stack import ROOT


@contextmanager
def surroundings(core: int, others: int) -> Iterator[Around]:
    """Run them on a core while the block runs; everything is written to one folder, which is removed."""
    os.sched_setaffinity(0, {others})
    with tempfile.TemporaryDirectory(prefix="stepup-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx and Apache serve as another account
        port = free_port()
        command = (sys.executable, "-m", "benchmarks.peers.provider", str(port))
        provider = Program("provider", command, os.environ, ROOT, folder / "provider.log")
        with (
            upstream(folder / "upstream", free_port(), others) as api,
            started(provider, port, others),
            _store(folder, others) as (redis, store),
        ):
            yield Around(folder, f"http://127.0.0.1:{port}", api, redis, store, core, others)


@contextmanager
def _store(folder: Path, core: int) -> Iterator[tuple[str, int]]:
    server = EmbeddedValkey(free_port(), secrets.token_urlsafe(16))
    with closing(Keeper()) as keeper:
        child = Child(server.program(os.environ, folder), keeper)
        child.start()
        try:
            while not server.ready():
                time.sleep(0.02)
            assert child.pid is not None
            pin(child.pid, core)
            yield server.url, child.pid
        finally:
            child.stop(grace=5)
