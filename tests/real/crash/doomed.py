"""A gateway in a process of its own that will not survive."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from devstack.ports import free_port
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.tenant import EDIT, GATEWAY, GATEWAY_SECRET, TENANT_ID
from tests.stage.world import SEALING_KEY, World

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Doomed:
    """The process, its address, and a person whose browser knows it and the gateway that survives."""

    process: asyncio.subprocess.Process
    url: str
    here: OtherFrontEnd
    """The person at the gateway that dies."""
    there: OtherFrontEnd
    """The same browser at the one that survives."""

    async def ends(self) -> int:
        """Wait for its end; return the exit status, negative for a signal."""
        return await asyncio.wait_for(self.process.wait(), 10)


@asynccontextmanager
async def doomed(world: World, valkey: str, failpoint: str) -> AsyncIterator[Doomed]:
    """Run `python -m gateway` beside the world's own gateway, with an order at one of its failpoints."""
    port = free_port()
    url = f"http://localhost:{port}"
    settings = {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": GATEWAY,
        "CLIENT_SECRET": GATEWAY_SECRET,
        "EDIT_PROFILE_SCOPE": EDIT,
        "SEALING_KEYS": SEALING_KEY,
        "PUBLIC_URL": url,
        "HOST": "localhost",
        "PORT": str(port),
        "REDIS_URL": valkey,
        "AUTHORITY_MAP": world.tenant_url,
        "RESOURCE_API_URL": world.api_url,
        "FAILPOINT": failpoint,
    }
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(url), URL(world.gateway_url)])
    with tempfile.TemporaryDirectory() as directory:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            cwd=directory,  # another .env than a developer's
            env={"PYTHONPATH": str(ROOT), **{f"GATEWAY_{name}": text for name, text in settings.items()}},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with aiohttp.ClientSession(cookie_jar=jar) as browser:
                await _until_it_lives(browser, process, url)
                yield Doomed(
                    process,
                    url,
                    OtherFrontEnd(browser, url, world.tenant_url),
                    OtherFrontEnd(browser, world.gateway_url, world.tenant_url),
                )
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _until_it_lives(
    browser: aiohttp.ClientSession, process: asyncio.subprocess.Process, url: str
) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.returncode is None
            try:
                async with browser.get(f"{url}/health/live") as answer:
                    assert answer.status == 200
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
