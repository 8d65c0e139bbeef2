"""A Redis that is nearly full: strangers are told, and who is signed in goes on with what is left (A2, R7)."""

import asyncio

import pytest

from gateway.app_keys import VAULT
from gateway.errors import SessionStoreUnavailable
from gateway.store.memory_watch import MOST_RESERVE_BYTES, RESERVE_SHARE, MemoryWatch
from gateway.store.redis.connection import redis_client
from tests.real.redis.conftest import SIGN_IN, STEP_UP, UNAVAILABLE, MakeWorld, sent_to_problem
from tests.real.redis.servers import RedisServer, Servers
from tests.real.redis.test_least_rights import PASSWORD, admit
from tests.stage.patience import PATIENCE
from tests.stage.world import PATIENT

OTHERS_BYTES = 12_000_000
"""What connections take, which come and go, is nothing beside it."""


def leave(one: RedisServer, part: float) -> None:
    """Let a server have so much of its memory left, as a part of all of it, most of which is somebody else's."""
    one.ask("SET", "others", "x" * OTHERS_BYTES)
    one.ask("CONFIG", "SET", "maxmemory", round(int(one.info("memory")["used_memory"]) / (1 - part)))


async def test_A2_R7_the_last_of_the_memory_is_for_who_is_signed_in(
    make_world: MakeWorld, one: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(REDIS_URL=one.url)
    watch = world.app[VAULT].memory_watch
    ada, stranger = await world.signed_in(), await world.front_end()
    leave(one, RESERVE_SHARE * 0.8)
    for _ in range(2):
        assert await watch.look()

    await sent_to_problem(stranger.navigate(SIGN_IN), UNAVAILABLE)
    refused = await ada.call("PATCH", "/api/profile", {"city": "Oslo"})
    assert "parked_edit" in refused.body
    assert await ada.step_up(STEP_UP) == "/edit"
    waiting = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
    assert (await ada.call("POST", waiting)).status == 200
    assert await ada.sign_in() == "/edit", "this browser is no stranger"
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert caplog.messages.count("redis-nearly-full") == 1

    one.ask("CONFIG", "SET", "maxmemory", "0")
    assert not await watch.look()
    assert await stranger.sign_in() == "/edit"
    assert caplog.messages.count("redis-has-memory-again") == 1


async def test_A2_a_server_that_may_not_be_asked_has_memory_enough(
    servers: Servers,
) -> None:
    one = servers.one()
    admit(one, PASSWORD)
    client = redis_client(f"redis://stepup:{PASSWORD}@127.0.0.1:{one.port}/0", limits=PATIENT)
    watch = MemoryWatch(client, pause=0)

    await watch.run()  # and asks no more

    watch.check()
    await client.aclose()


@pytest.mark.parametrize("left, is_short", [(0.5, False), (0.11, False), (0.09, True)])
async def test_A2_what_is_kept_back_is_a_tenth_and_of_a_large_server_some_megabytes(
    one: RedisServer, left: float, *, is_short: bool
) -> None:
    client = redis_client(one.url, limits=PATIENT)
    watch = MemoryWatch(client)
    leave(one, left)

    await watch.look()

    if is_short:
        with pytest.raises(SessionStoreUnavailable):
            watch.check()
        one.ask(
            "CONFIG",
            "SET",
            "maxmemory",
            int(one.info("memory")["used_memory"]) + MOST_RESERVE_BYTES + 500_000,
        )
        await watch.look()
    watch.check()
    await client.aclose()


async def test_A2_a_gateway_looks_by_itself(
    make_world: MakeWorld, one: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    leave(one, RESERVE_SHARE / 2)

    await make_world(REDIS_URL=one.url)

    for _ in range(PATIENCE * 20):
        if "redis-nearly-full" in caplog.messages:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody looked")
