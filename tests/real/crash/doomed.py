"""A gateway in a process of its own that will not survive."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from tests.stage.network import Network
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE

Kill = Callable[[Network, int], object]
"""Orders the death of a process at something that passes through its network."""


@dataclass
class Doomed:
    """The process, its network, and a person whose browser knows it and the gateway that survives."""

    pid: int
    network: Network
    here: OtherFrontEnd
    """The person at the gateway that dies."""
    there: OtherFrontEnd
    """The same browser at the one that survives, and goes another way."""
    _ended: "asyncio.Task[str]"

    def dies(self, moment: Kill) -> None:
        """Let it be killed when that moment comes."""
        moment(self.network, self.pid)

    async def ends(self) -> int:
        """Wait for its end; return the exit status, negative for a signal."""
        return int(await asyncio.wait_for(asyncio.shield(self._ended), PATIENCE))


@asynccontextmanager
async def started(
    warm: "subprocess.Popen[str]", settings: dict[str, str]
) -> AsyncIterator[tuple[int, "asyncio.Task[str]"]]:
    """Start a gateway; give its process id, and what will have its exit status."""
    assert warm.stdin is not None
    assert warm.stdout is not None
    print(
        json.dumps({f"GATEWAY_{name}": text for name, text in settings.items()}), file=warm.stdin, flush=True
    )
    pid = int(await asyncio.to_thread(warm.stdout.readline))
    ended = asyncio.create_task(asyncio.to_thread(warm.stdout.readline))
    try:
        yield pid, ended
    finally:
        if not ended.done():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await ended


async def until_it_lives(browser: aiohttp.ClientSession, ended: "asyncio.Task[str]", url: str) -> None:
    """Wait until it answers; fails where it ends instead."""
    async with asyncio.timeout(PATIENCE):
        while True:
            assert not ended.done()
            try:
                async with browser.get(f"{url}/health/live") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
