"""A gateway that a test kills: `gateway`, a process of its own beside the world's."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from yarl import URL

from tests.real.crash.doomed import Doomed, started, until_it_lives
from tests.stage.network import Network
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.sources import ROOT
from tests.stage.tenant import EDIT, GATEWAY, GATEWAY_SECRET, TENANT_ID
from tests.stage.world import SEALING_KEY, World


@pytest.fixture(scope="session")
def warm() -> Iterator["subprocess.Popen[str]"]:
    """Run what becomes a gateway."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.real.crash.warm"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


@pytest.fixture
def more_settings() -> dict[str, str]:
    """Give what a module's gateway has beside the usual settings."""
    return {}


@pytest.fixture
async def gateway(
    world: World,
    network: Network,
    valkey: str,
    warm: "subprocess.Popen[str]",
    more_settings: dict[str, str],
) -> AsyncIterator[Doomed]:
    """Give a gateway that goes through the network, beside the world's own."""
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
        **network.lead_to(redis=valkey, authority=world.tenant_url, api=world.api_url),
        **more_settings,
    }
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[URL(url), URL(world.gateway_url)])
    async with started(warm, settings) as (pid, ended), aiohttp.ClientSession(cookie_jar=jar) as browser:
        await until_it_lives(browser, ended, url)
        yield Doomed(
            pid,
            network,
            OtherFrontEnd(browser, url, world.tenant_url),
            OtherFrontEnd(browser, world.gateway_url, world.tenant_url),
            ended,
        )
