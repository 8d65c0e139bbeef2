"""R10: SIGKILL while a parked request is on its way to another team's API: nobody sends it a second time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.store.scripts import WRITE
from tests.real.crash.doomed import Doomed
from tests.real.crash.test_kill import assert_clean, dies
from tests.stage.http_wire import asks
from tests.stage.invariants import drop_leases
from tests.stage.network import Network
from tests.stage.notes_upstream import Notes, notes_upstream, rows_file
from tests.stage.notes_world import HELLO, ask, park
from tests.stage.redis_wire import runs
from tests.stage.world import World

SENT = asks("POST", "/v1")


@pytest.fixture
async def notes() -> AsyncIterator[Notes]:
    """Give the API."""
    async with notes_upstream() as running:
        yield running


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], notes: Notes, tmp_path: Path) -> World:
    """Give a world whose gateway survives."""
    return await make_world(UPSTREAMS=rows_file(tmp_path, notes))


@pytest.fixture
def more_settings(network: Network, tmp_path: Path) -> dict[str, str]:
    """Let the gateway that dies reach the API through the network."""
    folder = tmp_path / "doomed"
    folder.mkdir()
    return {"UPSTREAMS": rows_file(folder, Notes(f"http://127.0.0.1:{network.api.port}"))}


@pytest.mark.parametrize("moment", ["about to be marked", "sent", "answered", "about to be noted"])
async def test_R10_killed_while_sending_a_parked_request(
    world: World, gateway: Doomed, notes: Notes, network: Network, moment: str
) -> None:
    network.api.lead_to(notes.url)
    await gateway.there.sign_in()
    waiting = await park(gateway.there, HELLO)
    if moment == "about to be marked":
        network.redis.kill(gateway.pid, runs(WRITE))
    elif moment == "about to be noted":
        answered = network.api.watch(SENT, answered=True)
        network.redis.kill(gateway.pid, lambda command: runs(WRITE)(command) and bool(answered.met))
    else:
        network.api.kill(gateway.pid, SENT, answered=moment == "answered")

    await dies(gateway, ask(gateway.here, "POST", waiting))

    await assert_clean(world, gateway.there.cookie())
    await drop_leases(world.redis)
    arrived = len(notes.asked)
    assert arrived == (moment in {"answered", "about to be noted"})
    later = await ask(gateway.there, "POST", waiting)
    if moment == "about to be marked":
        assert (later.status, len(notes.asked)) == (201, 1)
    else:
        assert (later.status, later.slug, later.body["outcome"]) == (404, "not-found", "unknown")
        assert len(notes.asked) == arrived
        assert (await ask(gateway.there, "GET", waiting)).status == 404
    await assert_clean(world, gateway.there.cookie())
