"""A budget of bytes for a while (A2): shared by all who count, and whole again when the while is over."""

import asyncio

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.store.scripts import SPEND
from gateway.store.spent_bytes import SpentBytes
from gateway.store.vault import Vault
from tests.stage.redis_wire import Command, runs
from tests.stage.request_proxy import RequestProxy

MOST, SECONDS = 100, 600


@pytest.fixture
def spent(vault: Vault) -> SpentBytes:
    """Give a budget of a hundred bytes."""
    return SpentBytes(vault, "bytes", most=MOST, seconds=SECONDS)


async def test_A2_what_fits_is_counted_and_what_does_not_is_not(spent: SpentBytes) -> None:
    assert await spent.spend("ada", 60)
    assert not await spent.spend("ada", 41)
    assert await spent.spend("ada", 40)
    assert not await spent.spend("ada", 1)
    assert await spent.spend("grace", MOST), "others have a budget of their own"
    assert not await spent.spend("joan", MOST + 1)


async def test_A2_who_spends_at_once_spends_no_more_together(spent: SpentBytes) -> None:
    done = await asyncio.gather(*(spent.spend("ada", 30) for _ in range(10)))

    assert sum(done) == 3


async def test_A2_the_while_begins_with_the_first_bytes_and_ends_by_itself(
    spent: SpentBytes, vault: Vault
) -> None:
    await spent.spend("ada", 60)
    await vault.redis.expire("stepup:bytes:ada", 300)
    await spent.spend("ada", 10)
    assert 290 < await vault.redis.ttl("stepup:bytes:ada") <= 300

    await vault.redis.delete("stepup:bytes:ada")
    assert await spent.spend("ada", MOST)
    assert SECONDS - 10 < await vault.redis.ttl("stepup:bytes:ada") <= SECONDS


async def test_A2_R13_bytes_whose_answer_was_lost_are_counted_once(
    spent: SpentBytes, way_to_redis: RequestProxy[Command]
) -> None:
    assert await spent.spend("ada", 1)
    lost = way_to_redis.lose_answer(runs(SPEND))

    assert await spent.spend("ada", 50)

    assert lost.met
    assert await spent.spend("ada", 49)
    assert not await spent.spend("ada", 1)


async def test_R2_a_redis_that_fails_is_no_empty_budget(
    spent: SpentBytes, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.cut(lambda _: True, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await spent.spend("ada", 1)
