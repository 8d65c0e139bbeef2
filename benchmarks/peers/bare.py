"""The limit: a bare aiohttp handler on uvloop, which asks nobody and checks nothing.

python -m benchmarks.peers.bare PORT
"""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Final

import uvloop
from aiohttp import web

from benchmarks.peers.peer import W1, Around, Peer
from benchmarks.peers.started import started
from devstack.ports import free_port
from devstack.processes import Program
from devstack.stack import ROOT

BODY: Final = b'{"authenticated":true,"user":{"id":"0000","name":"Ada"}}' * 8
"""About as long as what the gateway says of a session."""


@contextmanager
def bare(around: Around) -> Iterator[Peer]:
    """Run it while the block runs."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.peers.bare", str(port))
    made = Program("bare", command, os.environ, ROOT, around.folder / "bare.log")
    versions = f"aiohttp {version('aiohttp')}, uvloop {version('uvloop')}"
    with started(made, port, around.core) as pid:
        yield Peer(pid, versions, {W1: f"http://localhost:{port}/"})


async def _answer(_request: web.Request) -> web.Response:
    return web.Response(body=BODY, content_type="application/json")


async def _serve(port: int) -> None:
    app = web.Application()
    app.router.add_get("/", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
