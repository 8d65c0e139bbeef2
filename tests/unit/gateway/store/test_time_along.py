"""Redis' time comes along with what is read (L2): once a second, and whenever our own clocks have jumped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.session.cookie import SessionCookie
from gateway.store.redis.connection import redis_client
from gateway.store.redis_clock import RedisClock
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.scripted_redis import ScriptedRedis, hash_of_names
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW, RING_KEY

TOLD = b"*2\r\n$10\r\n1750000000\r\n$6\r\n250999\r\n"


class Scene:
    """A vault on a server that tells the time, or refuses to."""

    def __init__(self, said: bytes = TOLD) -> None:
        self.said = said
        self.wall, self.steady = MovableClock(NOW + 3600), MovableClock(5)
        self.clock = RedisClock(now=self.wall, steady=self.steady)
        self.server = ScriptedRedis(answer=self._answer)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Vault]:
        async with self.server.running():
            client = redis_client(self.server.url)
            async with asyncio.timeout(PATIENCE):
                yield Vault(client, KeyRing([RING_KEY]), now=self.clock)
            await client.aclose()

    def pass_by(self, seconds: float) -> None:
        self.wall.now += seconds
        self.steady.now += seconds

    def asked(self) -> list[str]:
        """Return the commands since this was asked last."""
        names = [command.name for command in self.server.commands]
        self.server.commands.clear()
        return names

    def _answer(self, command: Command) -> bytes:
        return self.said if command.name == "TIME" else hash_of_names(command)


REF = SessionCookie.new().ref


async def test_L2_the_time_is_heard_before_what_is_read_with_it() -> None:
    scene = Scene()
    async with scene.running() as vault:
        await asyncio.gather(*(vault.read_mark(vault.mark_command(REF), REF) for _ in range(3)))
        assert scene.asked() == ["TIME", "HMGET", "HMGET", "HMGET"]
        assert scene.clock() == NOW + 0.25

        scene.pass_by(0.9)
        await vault.read(REF, ["session"])
        assert scene.asked() == ["HMGET"]

        scene.pass_by(0.2)
        await vault.read(REF, ["session"])
        assert scene.asked() == ["TIME", "HMGET"]


async def test_L2_the_time_is_asked_for_after_our_own_clocks_have_jumped() -> None:
    scene = Scene()
    async with scene.running() as vault:
        await vault.read(REF, ["session"])
        scene.asked()
        scene.wall.now += 1900
        await vault.read(REF, ["session"])
        assert scene.asked() == ["TIME", "HMGET"]


async def test_L2_what_begins_without_a_session_asks_where_the_time_is_old() -> None:
    scene = Scene()
    async with scene.running() as vault:
        assert await vault.time() == NOW + 0.25
        assert scene.asked() == ["TIME", "HMGET"]
        scene.pass_by(30)
        assert await vault.time() == NOW + 30.25
        assert scene.asked() == []


@pytest.mark.parametrize("said", [b"-NOPERM this user has no permissions\r\n", b"-ERR something else\r\n"])
async def test_L2_whoever_may_not_ask_reads_on_and_tries_again_now_and_then(said: bytes) -> None:
    scene = Scene(said)
    async with scene.running() as vault:
        values = await vault.read(REF, ["session"])
        assert values["session"] == f"{REF.key}.session".encode()
        assert not scene.clock.is_heard
        scene.asked()

        if b"NOPERM" in said:
            scene.pass_by(59)
            await vault.read(REF, ["session"])
            assert scene.asked() == ["HMGET"], "each refusal is noted by the server"
            scene.pass_by(2)
        scene.said = TOLD
        await vault.read(REF, ["session"])
        assert scene.asked() == ["TIME", "HMGET"]
        assert scene.clock.is_heard
