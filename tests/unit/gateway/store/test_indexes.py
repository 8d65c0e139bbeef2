"""Indexes: which sessions belong together, and what one may know of each (S19)."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devstack.embedded_valkey import EmbeddedValkey
from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.store.fields import Field
from gateway.store.indexes import Reference, SessionIndexes
from gateway.store.names import SessionRef, index_key
from gateway.store.redis.connection import redis_client
from gateway.store.scripts import LIST
from gateway.store.sealing import KeyRing
from gateway.store.vault import Indexing, Vault
from tests.stage.redis_wire import Command, RedisWire, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.world import PATIENT
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, RING_KEY

# What a server says that holds a script to the keys that it names.
HELD_TO_KEYS = b"-ERR Script attempted to access a key that was not declared\r\n"
SECRET = b"s" * 32


async def session(vault: Vault, owner: str, *, at: float = NOW) -> SessionRef:
    """Begin a session of `owner` with a summary that says when it began."""
    ref = SessionCookie.new().ref
    summary = Field(str(at).encode(), NOW + ABSOLUTE, keyed=False)
    indexing = Indexing([("person", owner)], at, ABSOLUTE)
    assert await vault.create(ref, {"summary": summary}, idle=IDLE, secret=SECRET, indexing=indexing)
    return ref


async def test_the_sessions_of_one_owner_are_those_that_began_until_then(vault: Vault) -> None:
    indexes = SessionIndexes(vault)
    first = await session(vault, "ada", at=NOW - 10)
    second = await session(vault, "ada", at=NOW)
    await session(vault, "grace")

    assert await indexes.indexed("person", "ada") == [first, second]
    assert await indexes.indexed("person", "ada", until=NOW) == [first, second]
    assert await indexes.indexed("person", "ada", until=NOW - 1) == [first]
    assert await indexes.indexed("person", "nobody") == []
    assert await indexes.indexed("sub", "ada") == []


async def test_a_list_says_of_each_when_it_began_when_it_was_used_and_the_field_that_was_asked_for(
    vault: Vault, way_to_redis: RequestProxy[Command]
) -> None:
    indexes = SessionIndexes(vault)
    first, second = await session(vault, "ada", at=NOW - 10), await session(vault, "ada")
    gone = await session(vault, "ada", at=NOW + 1)
    await vault.redis.delete(gone.key)
    listed = way_to_redis.watch(runs(LIST), answered=True)

    one, two, three = await indexes.page("person", "ada", "summary")

    assert listed.met
    assert [reference.ref for reference in (one, two, three)] == [first, second, gone]
    assert [reference.indexed_at for reference in (one, two, three)] == [NOW - 10, NOW, NOW + 1]
    assert one.seen_at == two.seen_at == NOW * 1000
    opened = vault.open(first, "summary", one.stored, secret=b"")
    assert opened
    assert opened.value == str(NOW - 10).encode()
    assert three == Reference(gone, NOW + 1, None, 0)
    assert await indexes.page("person", "nobody", "summary") == []


async def test_a_server_that_holds_scripts_to_their_keys_is_asked_in_two_steps_from_then_on(
    vault: Vault, way_to_redis: RequestProxy[Command]
) -> None:
    indexes = SessionIndexes(vault)
    await session(vault, "ada", at=NOW - 0.5)
    gone = await session(vault, "ada")
    await vault.redis.delete(gone.key)
    in_one = await indexes.page("person", "ada", "summary")
    refused = way_to_redis.refuse(runs(LIST), HELD_TO_KEYS, times=None)

    assert await indexes.page("person", "ada", "summary") == in_one
    met = len(refused.met)
    assert met >= 1
    assert await indexes.page("person", "ada", "summary") == in_one
    assert len(refused.met) == met, "it is not tried again"


async def test_R2_a_redis_that_fails_is_no_empty_list(
    vault: Vault, way_to_redis: RequestProxy[Command]
) -> None:
    indexes = SessionIndexes(vault)
    ref = await session(vault, "ada")
    way_to_redis.cut(lambda _: True, times=None)

    for asking in (
        indexes.indexed("person", "ada"),
        indexes.page("person", "ada", "summary"),
        indexes.forget("person", "ada", [ref]),
    ):
        with pytest.raises(SessionStoreUnavailable):
            await asking


async def test_what_is_forgotten_is_no_longer_named(vault: Vault) -> None:
    indexes = SessionIndexes(vault)
    first, second, third = [await session(vault, "ada") for _ in range(3)]

    await indexes.forget("person", "ada", [])
    assert len(await indexes.indexed("person", "ada")) == 3
    await indexes.forget("person", "ada", (ref for ref in (first, third)))
    assert await indexes.indexed("person", "ada") == [second]


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)),
        max_size=5,
        unique=True,
    ),
    st.data(),
)
def test_R23_a_list_in_one_step_is_the_list_in_two_whatever_sessions_are_called(
    valkey_server: EmbeddedValkey, names: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    refs = [SessionRef.unpack(family + digest) for family, digest in names]
    alive = [ref for ref in refs if data.draw(st.booleans())]

    async def listed(way: RequestProxy[Command]) -> list[Reference]:
        redis = redis_client(way.lead_to(valkey_server.url), limits=PATIENT)
        indexes = SessionIndexes(Vault(redis, KeyRing([RING_KEY]), now=lambda: NOW))
        references = await indexes.page("person", "ada", "summary")
        await redis.aclose()
        return references

    async def both() -> tuple[list[Reference], list[Reference]]:
        redis = redis_client(valkey_server.url, limits=PATIENT)
        vault = Vault(redis, KeyRing([RING_KEY]), now=lambda: NOW)
        await vault.redis.flushall()
        for at, ref in enumerate(refs):
            await vault.redis.zadd(index_key("person", "ada"), {ref.packed: NOW + at / 8})
        for ref in alive:
            await vault.redis.hset(ref.key, mapping={"summary": ref.digest, "seen": "7"})
        await redis.aclose()
        async with RequestProxy(RedisWire()).running() as way:
            in_one = await listed(way)
            refused = way.refuse(runs(LIST), HELD_TO_KEYS, times=None)
            in_two = await listed(way)
            assert refused.met
        return in_one, in_two

    in_one, in_two = asyncio.run(both())

    assert in_one == in_two
    assert [reference.ref for reference in in_one] == refs
    assert {reference.ref for reference in in_one if reference.seen_at == 7} == set(alive)
