"""Strength is never lost: several gateways, random interleavings, an authority that is slow at random (R11, R13).

The sequences come from a seed, so that a failure can be repeated; what the machine makes of them differs.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

import pytest

from gateway.session.cookie import SessionCookie
from gateway.session.records import SessionRecords
from gateway.store.fields import Field
from gateway.store.leases import LEASE_SECONDS
from gateway.store.redis.connection import redis_client
from gateway.store.scripts import RENEW
from gateway.store.sealing import KeyRing
from gateway.store.vault import Indexing, Vault
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import CACHE
from tests.product.test_tokens import READ, end_of_token, vault_of
from tests.stage.http_wire import asks, token_request
from tests.stage.invariants import violations
from tests.stage.network import WRITES, Network
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import runs
from tests.stage.stored import drop_record
from tests.stage.tenant import EDIT
from tests.stage.world import PATIENT, World

MakeWorld = Callable[..., Awaitable[World]]
EDITING = Resource("edit", EDIT)
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
GATEWAYS = 3


@dataclass
class Person:
    """Ada with several tabs, each on a gateway of its own choice, and what may be expected of her session."""

    world: World
    tabs: list[OtherFrontEnd]
    chance: random.Random
    confirmed: bool = False
    signed_out: bool = False
    cookies: list[str] = field(default_factory=list)
    justified: int = 0
    """How many refreshes there may have been."""
    answered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Told when the browser has the cookie of a step-up."""

    @property
    def cookie(self) -> str:
        """The session cookie of now."""
        return self.tabs[0].cookie()

    async def call(self, method: str, path: str, body: object = None) -> Answer:
        """Call any gateway, and again when another tab's step-up changed the id meanwhile, as our client does."""
        for _ in range(5):
            tab, cookie = self.chance.choice(self.tabs), self.cookie
            held = {"Cookie": f"__Host-Http-session={cookie}"}
            answer = await tab.call(method, path, body, headers=held)
            if answer.status != 401 or answer.body.get("reason") != "rotated":
                return answer
            await self._has_another_than(cookie)
        raise AssertionError(answer.text)

    async def _has_another_than(self, cookie: str) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: self.cookie != cookie)

    async def read(self) -> None:
        """Look at the profile."""
        answer = await self.call("GET", "/api/profile")
        assert answer.status == 200 or (self.signed_out and answer.status == 401), answer.text

    async def edit(self) -> None:
        """Save something; once confirmed, that needs no further confirmation."""
        confirmed = self.confirmed
        answer = await self.call("PATCH", "/api/profile", {"city": self.chance.choice(["Rome", "Oslo"])})
        if self.signed_out and answer.status == 401:
            return
        assert answer.status == 200 or (answer.slug == "step-up-required" and not confirmed), answer.text

    async def expire(self) -> None:
        """Let one access token be gone: that justifies one refresh."""
        cookie = SessionCookie.parse(self.cookie)
        assert cookie is not None
        self.justified += 1
        await drop_record(
            vault_of(self.world), cookie.ref, f"token:{self.chance.choice([READ, EDITING]).name}"
        )

    async def step_up(self) -> None:
        """Confirm: a new session id, which has no token for reading yet."""
        tab = self.tabs[0]
        self.justified += 1 + self.confirmed  # one for Graph; and an edit of before may have found no token
        assert await tab.step_up(STEP_UP) == "/edit"
        self.confirmed = True
        self.cookies.append(self.cookie)
        async with self.arrived:
            self.arrived.notify_all()

    async def act(self, *, steps: int) -> None:
        """Do something, wait, do something else."""
        for _ in range(steps):
            await self.chance.choice([self.read, self.read, self.edit, self.expire])()
            await asyncio.sleep(self.chance.random() * 0.03)


SLOW: Final[tuple[Callable[[Network, float], object], ...]] = (
    lambda network, seconds: network.authority.slow(token_request("refresh_token"), seconds, answered=True),
    lambda network, seconds: network.authority.slow(
        token_request("authorization_code"), seconds, answered=True
    ),
    lambda network, seconds: network.redis.slow(WRITES, seconds),
    lambda network, seconds: network.redis.slow(WRITES, seconds, answered=True),
    lambda network, seconds: network.api.slow(asks("PATCH", "/profile"), seconds, answered=True),
)
"""Where a gateway may be slow, always."""


@pytest.fixture
async def networks() -> AsyncIterator[list[Network]]:
    """Give each gateway a network of its own."""
    async with AsyncExitStack() as running:
        yield [await running.enter_async_context(Network.open()) for _ in range(GATEWAYS)]


@pytest.fixture
async def networked(make_world: MakeWorld, networks: list[Network]) -> World:
    """Give a world whose gateway goes through the first of them."""
    return await make_world(network=networks[0])


async def at(world: World, networks: list[Network], chance: random.Random) -> Person:
    """Ada, signed in, with a tab on each of several gateways that are slow at points of their own."""
    ada = await world.signed_in()
    worlds = [world, *[await world.new_gateway(one, LOG_LEVEL="INFO") for one in networks[1:]]]
    for network in networks:
        chance.choice(SLOW)(network, chance.uniform(0.001, 0.06))
    tabs = [OtherFrontEnd(ada.session, one.gateway_url, world.tenant_url) for one in worlds]
    return Person(world, tabs, chance, cookies=[ada.cookie()], justified=1)


@pytest.mark.parametrize("strict", [False, True], ids=["entra", "strict rotation"])
@pytest.mark.parametrize("seed", range(5))
async def test_R13_no_interleaving_costs_strength(
    networked: World, networks: list[Network], seed: int, *, strict: bool
) -> None:
    chance, world = random.Random(seed), networked  # noqa: S311 - to be repeated, not to be secret
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": strict})
    ada = await at(world, networks, chance)
    delay = {"delay_ms": chance.randint(1, 80), "times": chance.randint(1, 6)}
    await world.admin("PUT", "/faults/token.refresh_token", delay)

    for _ in range(2):
        await asyncio.gather(*(ada.act(steps=4) for _ in range(4)), ada.step_up())
        await ada.act(steps=2)

    assert await violations(world.redis, vault_of(world), [ada.cookie]) == []
    refreshes = await world.asked("token.refresh_token")
    assert refreshes <= ada.justified, "every refresh had its reason"
    cookie = SessionCookie.parse(ada.cookie)
    assert cookie is not None
    for resource in (READ, EDITING):
        await drop_record(vault_of(world), cookie.ref, f"token:{resource.name}")
    last = await ada.call("PATCH", "/api/profile", {"city": "Last"})
    assert (last.status, last.body["city"]) == (200, "Last"), "no new confirmation was needed"
    assert (await ada.call("GET", "/api/profile")).status == 200
    for old in ada.cookies[:-1]:
        gone = await ada.tabs[1].call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={old}"})
        assert gone.status == 401


@pytest.mark.parametrize("seed", range(4))
async def test_R13_an_ended_session_stays_ended(networked: World, networks: list[Network], seed: int) -> None:
    chance, world = random.Random(seed), networked  # noqa: S311 - as above
    ada = await at(world, networks, chance)
    await ada.step_up()
    # Slow, so that a refresh is under way whenever the session ends.
    await world.admin("PUT", "/faults/token.refresh_token", {"delay_ms": 60, "times": 99})
    held = {"Cookie": f"__Host-Http-session={ada.cookie}"}

    async def sign_out() -> None:
        for _ in range(4 * (seed + 1)):
            await ada.answered.acquire()
        await asyncio.sleep(chance.random() * 0.08)
        ada.signed_out = True
        assert (await ada.tabs[1].call("POST", "/auth/sign-out", headers=held)).status == 200

    await asyncio.gather(*(ada_in_flight(ada, held) for _ in range(8)), sign_out())

    for tab in ada.tabs:
        answer = await tab.call("GET", "/api/profile", headers=held)
        assert (answer.status, answer.body["reason"]) == (401, "signed-out")
    assert [
        key for key in await world.keys() if key.startswith("stepup:{") and not key.endswith(":ended")
    ] == []
    assert await violations(world.redis, vault_of(world)) == []


async def ada_in_flight(ada: Person, held: dict[str, str]) -> None:
    """Ask this and that with one cookie, whatever becomes of its session."""
    for _ in range(4):
        tab = ada.chance.choice(ada.tabs)
        if ada.chance.random() < 0.5:
            await ada_expires(ada, held)
        answer = await tab.call("GET", "/api/profile", headers=held)
        ada.answered.release()
        assert answer.status == 200 or (ada.signed_out and answer.status == 401), answer.text


async def ada_expires(ada: Person, held: dict[str, str]) -> None:
    """Let a token be gone, so that a refresh is under way when the session ends."""
    cookie = SessionCookie.parse(held["Cookie"].partition("=")[2])
    assert cookie is not None
    await drop_record(vault_of(ada.world), cookie.ref, f"token:{READ.name}")


async def test_R11_four_gateways_and_fifty_requests_each_refresh_once(world: World) -> None:
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": True})
    ada = await world.signed_in()
    others = [await world.new_gateway(LOG_LEVEL="INFO") for _ in range(3)]
    tabs = [OtherFrontEnd(ada.session, one.gateway_url, world.tenant_url) for one in (world, *others)]
    held = {"Cookie": f"__Host-Http-session={ada.cookie()}"}

    for _ in range(2):
        await world.admin("DELETE", "/requests")
        await end_of_token(world, ada, 0)
        answers = await asyncio.gather(
            *(tab.call("GET", "/api/profile", headers=held) for tab in tabs for _ in range(50))
        )
        assert [answer.status for answer in answers] == [200] * 200
        assert await world.asked("token.refresh_token") == 1
    assert await violations(world.redis, vault_of(world), [ada.cookie()]) == []


async def test_R11_an_authority_that_outlasts_a_lease_is_asked_once(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": True})
    ada = await world.signed_in()
    other = await world.new_gateway(LOG_LEVEL="INFO")
    tab = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
    before = {"Cookie": f"__Host-Http-session={ada.cookie()}"}
    await end_of_token(world, ada, 0)
    request = network.authority.hold(token_request("refresh_token"))
    renewed = network.redis.watch(runs(RENEW), answered=True)

    reading = asyncio.create_task(ada.call("GET", "/api/profile"))
    await request.reached()
    (lease,) = [key async for key in world.redis.scan_iter("*:lock:refresh")]
    milliseconds = await world.redis.pttl(lease)
    assert 0 < milliseconds <= LEASE_SECONDS * 1000
    await world.redis.pexpire(lease, milliseconds * 2 // 3)  # or this would take as long as it may live
    waiting = asyncio.create_task(tab.call("GET", "/api/profile", headers=before))
    await renewed.reached(2)
    assert await world.redis.pttl(lease) > milliseconds * 2 // 3, "it would have ended by now"
    request.release()

    assert [answer.status for answer in await asyncio.gather(reading, waiting)] == [200, 200]
    assert await world.asked("token.refresh_token") == 1


async def test_R11_whoever_lost_the_lease_cannot_overwrite(valkey: str) -> None:
    redis = redis_client(valkey, limits=PATIENT)
    vault, cookie = Vault(redis, KeyRing([b"k" * 32]), now=lambda: 1_000.0), SessionCookie.new()
    one = Indexing([("person", "o")], 1_000.0, 9_000)
    await vault.create(
        cookie.ref, {CACHE.field(): Field(b"0", 9_000.0)}, idle=600, secret=cookie.secret, indexing=one
    )
    slow, fast, late = (SessionRecords(vault, cookie.ref, cookie.secret, {}) for _ in range(3))
    seen_by_slow, seen_by_fast = await slow.version(CACHE), await fast.version(CACHE)

    assert await fast.swap(CACHE, CACHE.entry(b"fast", 9_000.0), version=seen_by_fast)
    assert not await slow.swap(CACHE, CACHE.entry(b"slow", 9_000.0), version=seen_by_slow)

    assert await late.get(CACHE) == b"fast"
    await vault.ends.end(cookie.ref, "signed-out")
    assert not await late.swap(CACHE, CACHE.entry(b"late", 9_000.0), version=0)
    assert not await late.put({"token:graph": Field(b"late", 9_000.0)})
    assert await redis.exists(cookie.ref.key) == 0, "and an ended session is not begun again"
    await redis.aclose()
