"""Users never mix (S36), however Redis is slow and whoever gives up in the middle of an answer."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from gateway.store.redis.budget import LIMITS
from gateway.store.redis.connection import redis_client
from tests.real.redis.conftest import MakeWorld, back
from tests.real.redis.servers import RedisServer
from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.other_front_end import OtherFrontEnd

PASSWORD = "Long-enough-to-sign-in-1"
SLOW = Faults(delay=0.01)
GIVES_UP = 0.03
PATIENCE = 10


@pytest.fixture
async def proxy(one: RedisServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.before("127.0.0.1", one.port) as proxy:
        yield proxy


async def test_S36_no_answer_of_redis_reaches_another_than_who_asked(
    one: RedisServer, proxy: FaultProxy
) -> None:
    client = redis_client(
        one.by_way_of(proxy.port), limits=replace(LIMITS, command=PATIENCE, attempt=PATIENCE)
    )
    chance = random.Random(36)  # noqa: S311 - when somebody gives up
    ended = {"answered": 0, "given up": 0}
    for number in range(20):
        await client.set(f"stepup:{number}", str(number), ex=60)
    proxy.faults = SLOW

    async def ask(number: int) -> None:
        for turn in range(26):
            # Every other time with patience, so that on any computer some are answered.
            patience = chance.uniform(0, 2 * GIVES_UP) if turn % 2 == 0 else PATIENCE
            try:
                async with asyncio.timeout(patience):
                    assert await client.get(f"stepup:{number}") == str(number).encode()
            except TimeoutError:
                ended["given up"] += 1
            else:
                ended["answered"] += 1

    await asyncio.gather(*(ask(number) for number in range(20)))

    assert min(ended.values()) > 20, "both happened"
    await client.aclose()


async def test_S36_every_answer_names_its_own_person_whoever_leaves_meanwhile(
    one: RedisServer, proxy: FaultProxy, make_world: MakeWorld
) -> None:
    world = await make_world(REDIS_URL=one.by_way_of(proxy.port))
    chance = random.Random(36)  # noqa: S311 - the same
    people: dict[str, OtherFrontEnd] = {}
    for number in range(6):
        name = f"Person {number}"
        email = f"person-{number}@example.com"
        await world.admin(
            "POST", "/people", {"email": email, "password": PASSWORD, "profile": {"displayName": name}}
        )
        people[name] = await world.front_end()
        assert await people[name].sign_in((email, PASSWORD)) == "/edit"
    proxy.faults = SLOW
    names: list[tuple[str, str]] = []
    left = 0

    async def look(name: str) -> None:
        nonlocal left
        person = people[name]
        for turn in range(16):
            path = ("/api/session", "/api/profile")[turn % 2]
            patience = aiohttp.ClientTimeout(chance.uniform(0.005, 0.1) if turn % 3 == 0 else PATIENCE)
            try:
                async with person.session.get(
                    person.gateway_url + path, headers={"X-CSRF": "1"}, timeout=patience
                ) as answer:
                    body = await answer.json()
            except TimeoutError:
                left += 1
                continue
            if answer.status == 200:
                names.append((name, body["user"]["name"] if turn % 2 == 0 else body["displayName"]))

    await asyncio.gather(*(look(name) for name in people for _ in range(2)))

    assert [(asked, named) for asked, named in names if asked != named] == []
    assert left
    assert names
    proxy.heal()
    for name, person in people.items():
        shown = await back(lambda person=person: person.call("GET", "/api/profile"))  # type: ignore[misc]
        assert shown.body["displayName"] == name
