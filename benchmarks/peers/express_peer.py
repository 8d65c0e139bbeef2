"""Express with express-openid-connect and connect-redis, in Node.js."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.peers.installed import node_packages
from benchmarks.peers.peer import Around, Peer, Ways, program
from benchmarks.peers.python_peers import environment

HERE: Final = Path(__file__).parent / "express"


@contextmanager
def express(around: Around) -> Iterator[Peer]:
    """Run it while the block runs."""
    node = node_packages(HERE)
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    versions = ", ".join(f"{name} {wanted[name]}" for name in ("express", "express-openid-connect"))
    ways = Ways("/login", "/api/session", "/api/rows/1")
    told = {**environment(around), "NODE_ENV": "production"}

    def command(_folder: Path, _port: int) -> tuple[str, ...]:
        return (node, str(HERE / "app.mjs"))

    with program(around, "express", command, environment=told, ways=ways, versions=versions) as peer:
        yield peer
