"""Single records: kept for a while, and most of them taken once."""

import asyncio

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.store.names import record_key
from gateway.store.sealing import KeyRing
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault
from tests.stage.redis_wire import NOT_NOW, Command
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.store_of_tests import NOW

KEY = record_key("flow", "owner")


@pytest.fixture
def records(vault: Vault) -> SingleRecords:
    return SingleRecords(vault)


async def test_S33_a_record_lies_sealed_under_its_name_and_ends(records: SingleRecords, vault: Vault) -> None:
    await records.put("flow", "owner", b"a value", ttl=60, secret=b"s")

    assert 0 < await vault.redis.ttl(KEY) <= 60
    sealed = await vault.redis.get(KEY)
    assert b"a value" not in sealed
    assert vault.ring.open(sealed, kind="flow", owner="owner", secret=b"s") == b"a value"


async def test_S2_a_record_is_taken_once(records: SingleRecords) -> None:
    await records.put("flow", "owner", b"a value", ttl=60, secret=b"s")

    taken = await asyncio.gather(*(records.take("flow", "owner", secret=b"s") for _ in range(20)))

    assert sorted(taken, key=lambda value: value is None) == [b"a value", *[None] * 19]


async def test_S33_a_record_that_does_not_open_here_is_none(records: SingleRecords, vault: Vault) -> None:
    for secret in (b"another", b""):
        await records.put("flow", "owner", b"a value", ttl=60, secret=b"s")
        assert await records.take("flow", "owner", secret=secret) is None
    await records.put("flow", "owner", b"a value", ttl=60)
    await vault.redis.rename(KEY, record_key("flow", "other"))
    assert await records.look("flow", "other") is None
    await vault.redis.set(KEY, b"no envelope")
    assert await records.look("flow", "owner") is None


async def test_a_record_that_is_looked_at_stays(records: SingleRecords) -> None:
    await records.put("known-good", "owner", b"a value", ttl=60)

    assert await records.look("known-good", "owner") == b"a value"
    assert await records.look("known-good", "owner") == b"a value"
    assert await records.take("known-good", "owner") == b"a value"
    assert await records.look("known-good", "owner") is None


async def test_a_later_record_takes_the_place_of_an_earlier_one(records: SingleRecords) -> None:
    await records.put("known-good", "owner", b"earlier", ttl=60)
    await records.put("known-good", "owner", b"later", ttl=60)

    assert await records.look("known-good", "owner") == b"later"


async def test_S21_what_happened_is_noted_once_and_for_a_while(records: SingleRecords, vault: Vault) -> None:
    assert await records.note("logout-token", "owner", ttl=60)
    assert not await records.note("logout-token", "owner", ttl=600)
    assert await records.note("logout-token", "another", ttl=60)

    assert 0 < await vault.redis.ttl(record_key("logout-token", "owner")) <= 60


async def test_S33_records_of_an_old_key_open_while_it_is_in_the_ring(
    records: SingleRecords, vault: Vault
) -> None:
    await records.put("known-good", "owner", b"a value", ttl=60)
    newer = Vault(vault.redis, KeyRing([b"n" * 32, b"k" * 32]), now=lambda: NOW)
    without = Vault(vault.redis, KeyRing([b"n" * 32]), now=lambda: NOW)

    assert await SingleRecords(newer).look("known-good", "owner") == b"a value"
    assert await SingleRecords(without).look("known-good", "owner") is None


async def test_R2_a_redis_that_fails_is_no_missing_record(
    records: SingleRecords, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)

    for asking in (
        records.put("flow", "owner", b"", ttl=60),
        records.take("flow", "owner"),
        records.look("flow", "owner"),
        records.note("flow", "owner", ttl=60),
    ):
        with pytest.raises(SessionStoreUnavailable) as failed:
            await asking
        assert failed.value.log_detail == "ResponseError"
