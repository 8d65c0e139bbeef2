"""Records that this version cannot read (R27): discarded cleanly, never a fault of ours; and a change of keys (S33)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.app_keys import VAULT
from gateway.session.cookie import SessionCookie
from gateway.store.fields import Field
from tests.stage.operator_settings import sealing_key
from tests.stage.witnesses import session_keys, with_cookie
from tests.stage.world import SEALING_KEY, World

NEW_KEY = sealing_key("new")

DAMAGE = {
    "empty": b"",
    "aiohttp-session's": b"{}",
    "no text": b"\xff\xfe\x00 no text",
    "a newer version": b"9999999999999\x02" + b"n" * 200,
    "an unknown key": b"9999999999999\x01" + b"k" * 200,
    "digits that are none": b"\xb2" * 13 + b"x" * 100,
    "an expiry below zero": b"-999999999999\x01" + b"x" * 100,
    "a number beyond any": b"9" * 5_000,
}


@pytest.mark.parametrize("field", ["session", "seen"])
async def test_R27_a_damaged_session_is_a_clean_end(world: World, field: str) -> None:
    ada = await world.front_end()
    for what, damage in DAMAGE.items():
        await ada.sign_in()
        (key,) = session_keys(await world.keys())

        await world.redis.hset(key, field, damage)

        answer = await ada.call("GET", "/api/profile")
        assert (answer.status, answer.slug) == (401, "sign-in-required"), what
        assert (await ada.call("GET", "/api/session")).body["authenticated"] is False
        assert (await ada.call("POST", "/auth/sign-out")).status == 200
        await world.redis.flushall()
    assert await ada.sign_in() == "/edit", "and signing in mends it"


async def test_R27_a_record_that_is_bent_anywhere_is_never_a_fault_of_ours(world: World) -> None:
    ada = await world.confirmed()
    await ada.call("PATCH", "/api/profile", {"city": "Paris"})
    (key,) = session_keys(await world.keys())
    fields: dict[Any, Any] = await world.redis.hgetall(key)
    names = {name.decode() for name in fields}
    assert names >= {"session", "seen", "cache", "token:edit", "saved:city"}

    for name, value in fields.items():
        for bent in (value[:-1], value[: len(value) // 2], value[::-1], b"9" * 13 + value[13:], b""):
            await world.redis.hset(key, name, bent)
            answer = await ada.call("GET", "/api/profile")
            assert answer.status in {200, 401}, name
            # A session without its cache is over; put everything back for the next.
            await world.redis.delete(f"{key}:ended")
            await world.redis.hset(key, mapping=fields)
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_R27_a_key_of_another_kind_is_never_a_fault_of_ours(world: World) -> None:
    ada = await world.signed_in()
    (key,) = session_keys(await world.keys())

    await world.redis.set(key, b"not a hash", ex=60)

    assert (await ada.call("GET", "/api/profile")).status in {401, 503}


async def test_R27_a_damaged_flow_is_too_old(world: World) -> None:
    ada = await world.front_end()
    page = await ada.leave("/auth/sign-in")
    page = await ada.visitor.submit(page, email="ada@example.com", password="Analytical-Engine-1843")
    (flow,) = [key for key in await world.keys() if key.startswith("stepup:flow:")]

    await world.redis.set(flow, b"\x02" + b"newer" * 30, ex=60)

    assert (await ada.come_back(page)).startswith("/problem?type=sign-in-expired")


async def test_R27_a_session_of_another_ring_of_keys_is_a_clean_end(world: World) -> None:
    ada = await world.signed_in()
    old = ada.cookie()
    assert SessionCookie.parse(old)

    other = await world.new_gateway(SEALING_KEYS=NEW_KEY)

    assert (await with_cookie(other, old)).status == 401
    assert (await with_cookie(world, old)).status == 200, "where the key is still known, it lives on"


async def test_S33_turning_to_a_new_sealing_key_signs_nobody_out(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    before = await make_world()
    early = (await before.confirmed()).cookie()
    turning = await before.new_gateway(SEALING_KEYS=f"{NEW_KEY},{SEALING_KEY}")
    assert (await with_cookie(turning, early)).body["displayName"] == "Ada Lovelace", (
        "the old key still opens"
    )

    during = await make_world(SEALING_KEYS=f"{NEW_KEY},{SEALING_KEY}")
    late = (await during.confirmed()).cookie()
    after = await during.new_gateway(SEALING_KEYS=NEW_KEY)
    assert (await with_cookie(after, late)).body["displayName"] == "Ada Lovelace", "the new one seals"
    assert (await with_cookie(after, early)).status == 401


async def test_R27_records_of_a_newer_version_are_read_for_what_is_known_here(world: World) -> None:
    ada = await world.confirmed()
    refused = (await ada.call("GET", "/api/profile")).status
    assert refused == 200
    cookie = SessionCookie.parse(ada.cookie())
    assert cookie is not None
    vault, far = world.app[VAULT], world.clock.now + 600
    for name in ("token:graph", "token:edit"):
        sealed = (await vault.read(cookie.ref, [name]))[name]
        opened = vault.open(cookie.ref, name, sealed, secret=cookie.secret)
        assert opened is not None
        newer = opened.value.replace(b"{", b'{"of_a_newer_version":{"x":[1]},', 1)
        assert (await vault.write(cookie.ref, {name: Field(newer, far)}, secret=cookie.secret)).is_whole
    for name, value in (
        ("refusal:edit", b'{"kind":"interaction"}'),
        ("challenge:" + "c" * 22, b'{"of_a_newer_version":1}'),
    ):
        assert (await vault.write(cookie.ref, {name: Field(value, far)}, secret=cookie.secret)).is_whole

    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200
    assert (await ada.navigate(f"/auth/step-up?challenge={'c' * 22}")).status == 303
