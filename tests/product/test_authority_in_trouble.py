"""The authority slow, down or throttling, at start and later: people with a living token notice nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.store.known_good import KEPT_SECONDS, AuthorityMemory
from gateway.store.opening import open_vault
from gateway.store.redis_clock import RedisClock
from gateway.tokens.refresh import BESIDE_SECONDS
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityNotAsked, AuthorityUnavailable
from servicekit.token_threads import OPEN_SECONDS, REFRESH, RENEWAL, SIGN_IN
from tests.product.test_tokens import broker_of, end_of_token
from tests.stage.fault_proxy import FaultProxy
from tests.stage.other_front_end import GRACE, Answer
from tests.stage.world import World, gateway_settings

MakeWorld = Callable[..., Awaitable[World]]
REFRESHES = "token.refresh_token"


def entra_of(world: World) -> EntraClient:
    """The gateway's own way to the token endpoint."""
    return broker_of(world)._entra


async def fault(world: World, point: str, **members: object) -> None:
    """Let something go wrong from here on."""
    await world.admin("PUT", f"/faults/{point}", members)


async def heal(world: World) -> None:
    """Let nothing go wrong any more."""
    await world.admin("DELETE", "/faults")


async def within(seconds: float, answer: Awaitable[Answer]) -> Answer:
    """Await an answer that must not take longer."""
    began = time.monotonic()
    result = await answer
    assert time.monotonic() - began < seconds
    return result


def problem_of(answer: Answer) -> str:
    """The problem that a navigation ended with."""
    assert answer.status == 303
    return answer.headers["Location"].partition("&")[0].removeprefix("/problem?type=")


async def remembered(world: World) -> list[bytes]:
    """The keys of what is known of the authority."""
    return [key async for key in world.redis.scan_iter("stepup:known-good:*")]


# Metadata and keys


@pytest.mark.parametrize(
    "trouble", [{"status": 503}, {"status": 200, "body": "html"}, {"body": "reset"}], ids=str
)
async def test_R16_a_restart_while_metadata_and_keys_are_gone_is_no_outage(
    world: World, trouble: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.signed_in()
    await world.stop()
    for point in ("discovery", "keys"):
        await fault(world, point, **trouble)
    later = await world.new_gateway()
    assert later.gateway_url == world.gateway_url

    grace = await later.front_end()
    assert await grace.sign_in(GRACE) == "/edit", "the ID token was judged with the keys of the earlier life"
    await end_of_token(later, ada, 0)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked(REFRESHES) == 1
    assert caplog.text.count("stored-copy-in-use") == 2


async def test_R16_R1_a_start_with_everything_down_serves_pages_and_needs_no_restart(world: World) -> None:
    await world.stop()
    await world.redis.flushall()
    async with FaultProxy.before("127.0.0.1", int(world.tenant_url.rpartition(":")[2])) as proxy:
        proxy.faults.refuse = True
        later = await world.new_gateway(AUTHORITY_MAP=f"http://127.0.0.1:{proxy.port}")
        person = await later.front_end()
        for path in ("/", "/app.js", "/problem", "/health/live", "/health/ready"):
            assert (await within(1, person.navigate(path))).status == 200, path
        assert problem_of(await within(2, person.navigate("/auth/sign-in"))) == "authority-unavailable"
        proxy.faults.refuse, proxy.faults.silent = False, True
        later.forward(1)
        assert problem_of(await within(5, person.navigate("/auth/sign-in"))) == "authority-unavailable"

        proxy.heal()
        later.forward(1)
        began = time.monotonic()
        while problem_of(await person.navigate("/auth/sign-in")) == "authority-unavailable":
            assert time.monotonic() - began < 5
            await asyncio.sleep(0.1)
        assert await person.sign_in() == "/edit"


async def test_R16_what_is_kept_of_the_authority_is_sealed_and_ends(world: World) -> None:
    await world.signed_in()
    records = await remembered(world)

    assert len(records) == 2
    for key in records:
        assert 0 <= KEPT_SECONDS - await world.redis.ttl(key) < 60
        value = await world.redis.get(key)
        assert value is not None
        assert b"issuer" not in value
        assert b'"RSA"' not in value


async def test_R16_what_somebody_else_put_there_is_not_believed(world: World) -> None:
    await world.signed_in()
    await world.stop()
    for key in await remembered(world):
        await world.redis.set(key, b'{"issuer":"https://evil.example"}', ex=900)
    await fault(world, "discovery", status=503)
    later = await world.new_gateway()
    person = await later.front_end()

    assert problem_of(await person.navigate("/auth/sign-in")) == "authority-unavailable"


async def test_R16_redis_away_is_no_fault_of_the_memory() -> None:
    redis, vault, _ = open_vault(gateway_settings(REDIS_URL="redis://127.0.0.1:1"), now=RedisClock())
    memory = AuthorityMemory(vault, issuer="https://a", url="https://a/b")

    await memory.save("keys", b"{}")
    assert await memory.load("keys") is None
    await redis.aclose()


async def test_R16_each_authority_has_a_memory_of_its_own(valkey: str) -> None:
    redis, vault, _ = open_vault(gateway_settings(REDIS_URL=valkey), now=RedisClock())
    await AuthorityMemory(vault, issuer="https://a", url="https://a/b").save("keys", b"{}")

    assert await AuthorityMemory(vault, issuer="https://a", url="https://a/b").load("keys") == b"{}"
    assert await AuthorityMemory(vault, issuer="https://a", url="https://a/b").load("metadata") is None
    assert await AuthorityMemory(vault, issuer="https://b", url="https://a/b").load("keys") is None
    await redis.aclose()


# The token endpoint


async def test_R14_M7_a_token_endpoint_that_hangs_is_felt_by_nobody_who_has_a_token(
    make_world: MakeWorld,
) -> None:
    world = await make_world(authority_seconds=4)
    ada = await world.signed_in()
    await fault(world, REFRESHES, delay_ms=30_000)
    await fault(world, "token.authorization_code", delay_ms=30_000)
    entra = entra_of(world)

    def renew(client: Any) -> Any:
        return client.acquire_token_by_refresh_token("made-up", ["User.Read"])

    purposes = (SIGN_IN, REFRESH, RENEWAL)
    threads = sum(purpose.limits.places for purpose in purposes)
    stuck = [
        asyncio.ensure_future(entra.call(renew, purpose=purpose))
        for purpose in purposes
        for _ in range(2 * purpose.limits.places)
    ]
    await asyncio.sleep(0)  # each has a thread, or waits for one
    for _ in range(10):
        assert (await within(2, ada.call("GET", "/api/profile"))).status == 200
    await end_of_token(world, ada, 200)
    assert (await within(2, ada.call("GET", "/api/profile"))).status == 200, "renewed beside its use"
    await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("localhost", 80), 2)
    assert not any(call.done() for call in stuck)
    outcomes = await asyncio.wait_for(asyncio.gather(*stuck, return_exceptions=True), 24)
    assert {type(answer) for answer in outcomes} == {AuthorityUnavailable, AuthorityNotAsked}
    assert await world.asked(REFRESHES) <= threads + 15, "whoever waited for a thread was refused"

    person = await world.front_end()
    sign_in = await within(2, person.navigate("/auth/sign-in?return_to=/edit"))
    assert problem_of(sign_in) == "authority-unavailable"
    assert (await within(2, ada.call("GET", "/api/profile"))).status == 200
    await end_of_token(world, ada, 0)
    refused = await within(2, ada.call("GET", "/api/profile"))
    assert (refused.status, refused.slug) == (503, "authority-unavailable")
    assert 1 <= int(refused.headers["Retry-After"]) <= OPEN_SECONDS

    await heal(world)
    world.forward(OPEN_SECONDS)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await person.sign_in(GRACE) == "/edit"


async def test_R14_a_sign_in_that_comes_back_to_a_slow_authority_is_told_so(make_world: MakeWorld) -> None:
    world = await make_world(authority_seconds=1)
    person = await world.front_end()
    await fault(world, "token.authorization_code", delay_ms=30_000)

    began = time.monotonic()
    assert (await person.sign_in()).startswith("/problem?type=authority-unavailable&")
    assert time.monotonic() - began < 4


async def test_R14_a_token_is_renewed_before_its_end_and_failures_are_ignored_until_then(
    world: World,
) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 900})
    ada = await world.signed_in()
    await fault(world, REFRESHES, status=503)
    for seconds_left in (301, 290, 200, 40):
        await end_of_token(world, ada, seconds_left)
        assert (await ada.call("GET", "/api/profile")).status == 200, seconds_left
        await broker_of(world).settle(5)
        world.forward(BESIDE_SECONDS + 1)
    assert await world.asked(REFRESHES) == 3, "and not while there were more than five minutes left"

    await heal(world)
    await world.admin("DELETE", "/requests")
    world.forward(OPEN_SECONDS)
    await end_of_token(world, ada, 290)
    assert (await ada.call("GET", "/api/profile")).status == 200
    await broker_of(world).settle(5)
    world.forward(300)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert await world.asked(REFRESHES) == 1, "by the token that came beside its use"


async def test_R15_five_minutes_of_500_cost_nobody_a_session(world: World) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await fault(world, REFRESHES, status=500, body="html")

    for _ in range(10):
        world.forward(30)
        answer = await ada.call("GET", "/api/profile")
        assert (answer.status, answer.slug) == (503, "authority-unavailable")
        assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    assert await world.asked(REFRESHES) <= 10
    await heal(world)
    world.forward(10)
    assert (await ada.call("GET", "/api/profile")).status == 200


# Clocks


@pytest.mark.parametrize("apart", [-90, 90])
async def test_R21_a_minute_and_a_half_apart_works(world: World, apart: float) -> None:
    world.clock.now += apart

    await world.confirmed()


async def test_R21_ten_minutes_behind_is_told_with_its_cause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.clock.now -= 600
    person = await world.front_end()

    assert (await person.sign_in()).startswith("/problem?type=misconfigured&"), "it is not the person's fault"
    warnings = [
        vars(record)["event_fields"] for record in caplog.records if record.message == "clocks-differ"
    ]
    assert {warning["whose"] for warning in warnings} == {"the authority", "the authority's tokens"}
    for warning in warnings:
        assert -605 < warning["seconds"] < -595
        assert "behind" in warning["meaning"]
