"""Redis fails, or the session ends, while a parked request is confirmed: it is sent once at most, and never lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from gateway.store.scripts import CLAIM, WRITE
from tests.stage.network import Network
from tests.stage.notes_upstream import Notes, notes_upstream, rows_file
from tests.stage.notes_world import ask, park
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.redis_wire import NOT_NOW, Command, reads_a_session, runs
from tests.stage.world import World


@pytest.fixture
async def notes() -> AsyncIterator[Notes]:
    """Give the API of another team."""
    async with notes_upstream() as running:
        yield running


@pytest.fixture
async def world(
    make_world: Callable[..., Awaitable[World]], notes: Notes, network: Network, tmp_path: Path
) -> World:
    """Give a world whose gateway asks Redis through the network."""
    return await make_world(UPSTREAMS=rows_file(tmp_path, notes), network=network)


async def test_R12_a_redis_that_fails_before_it_is_sent_costs_nothing(
    world: World, notes: Notes, network: Network
) -> None:
    ada = await world.signed_in()
    waiting = await park(ada)
    for step in (reads_a_session, runs(CLAIM), runs(WRITE)):
        network.redis.refuse(step, NOT_NOW, times=None)
        failed = await ask(ada, "POST", waiting)
        network.redis.heal()
        assert (failed.status, failed.slug) == (503, "session-store-unavailable")

    assert notes.asked == []
    assert (await ask(ada, "POST", waiting)).status == 201
    assert len(notes.asked) == 1


@pytest.mark.parametrize("lost", [False, True], ids=["refused", "answer lost"])
async def test_R12_a_redis_that_fails_after_it_was_sent_hides_no_answer_and_sends_nothing_again(
    world: World, notes: Notes, network: Network, *, lost: bool
) -> None:
    ada = await world.signed_in()
    waiting = await park(ada)

    def notes_it(command: Command) -> bool:
        return runs(WRITE)(command) and bool(notes.asked)

    if lost:
        network.redis.lose_answer(notes_it, times=None)
    else:
        network.redis.refuse(notes_it, NOT_NOW, times=None)
    sent = await ask(ada, "POST", waiting)
    network.redis.heal()

    assert (sent.status, sent.body) == (201, {"id": 7})
    again = await ask(ada, "POST", waiting)
    assert (again.status, again.slug) == (404, "not-found")
    assert again.body.get("outcome") == (None if lost else "unknown")
    assert len(notes.asked) == 1


async def test_a_session_that_ends_meanwhile_hides_no_answer(world: World, notes: Notes) -> None:
    ada = await world.signed_in()
    waiting = await park(ada)
    notes.waits = asyncio.Event()
    confirming = asyncio.create_task(ask(ada, "POST", waiting))
    await notes.reached.wait()
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    notes.waits.set()

    assert (await confirming).status == 201
    assert len(notes.asked) == 1


async def test_who_leaves_in_the_middle_has_not_sent_it_for_later(world: World, notes: Notes) -> None:
    ada = await world.signed_in()
    waiting = await park(ada)
    notes.waits = asyncio.Event()
    async with aiohttp.ClientSession() as browser:
        tab = OtherFrontEnd(browser, world.gateway_url, world.tenant_url)
        cookie = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
        confirming = asyncio.create_task(ask(tab, "POST", waiting, headers=cookie))
        await notes.reached.wait()
        confirming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await confirming
    notes.waits.set()

    again = await ask(ada, "POST", waiting)

    assert (again.status, again.slug) == (404, "not-found")
    assert len(notes.asked) == 1
