"""The ends of sessions in the vault: by a successor, for a reason, and certain only where replicas have them (R5)."""

import pytest

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable
from gateway.store.names import tombstone_key
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.sealing import KeyRing
from gateway.store.session_ends import TOMBSTONE_SECONDS
from gateway.store.vault import Overtaken, Successor, Vault
from tests.unit.gateway.store.vault_session import OWNERS, created, indexed, note
from tests.unit.gateway.store_of_tests import NOW, RING_KEY


class Ends(Counts):
    """Hears of sessions that were ended."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def session_ended(self, reason: str) -> None:
        """Write it down."""
        self.reasons.append(reason)


@pytest.mark.parametrize("stored, is_known", [(b"0", True), (b"7", False)])
async def test_S15_a_successor_needs_the_mark_at_which_the_old_session_was_read(
    vault: Vault, stored: bytes, *, is_known: bool
) -> None:
    old = await created(vault)
    successor = Successor(old, stored)

    if is_known:
        new = await created(vault, old.family, successor)
        assert await vault.read_all(old) == {}
        assert await vault.ends.reason(old) == "rotated"
        assert await note(vault, new) == b"hi"
        for owner in OWNERS:
            assert await indexed(vault, owner) == [new.packed]
    else:
        with pytest.raises(Overtaken):
            await created(vault, old.family, successor)
        assert await note(vault, old) == b"hi"


async def test_S18_an_end_leaves_a_reason_and_no_reference(vault: Vault) -> None:
    ref, other = await created(vault), await created(vault)

    assert await vault.ends.end(ref, "signed-out", OWNERS)
    assert not await vault.ends.end(ref, "ended-elsewhere", OWNERS)

    assert await vault.ends.reason(ref) == "signed-out"
    assert 0 < await vault.redis.ttl(tombstone_key(ref)) <= TOMBSTONE_SECONDS
    for owner in OWNERS:
        assert await indexed(vault, owner) == [other.packed]
    assert await note(vault, other) == b"hi"


async def test_S18_a_session_is_ended_with_all_that_came_of_it(vault: Vault) -> None:
    first = await created(vault)
    second = await created(vault, first.family, Successor(first, b"0"))
    third = await created(vault, first.family, Successor(second, b"0"))

    assert not await vault.ends.end(first, "x")
    assert await note(vault, third) == b"hi"
    assert await vault.ends.end_with_successors(first, "signed-out", OWNERS)
    assert await vault.read_all(third) == {}
    assert await vault.ends.reason(third) == "signed-out"
    assert await indexed(vault) == []
    assert not await vault.ends.end_with_successors(first, "signed-out")


async def test_S18_signing_out_again_reaches_what_became_of_the_session_and_no_living_one(
    vault: Vault,
) -> None:
    old = await created(vault)
    await vault.ends.confirm(old)
    assert await note(vault, old) == b"hi"
    new = await created(vault, old.family, Successor(old, b"0"))
    await vault.ends.confirm(old)
    assert await vault.read_all(new) == {}


def counting(redis: GuardedRedis | GuardedCluster, counts: Counts, *, replicas: int = 0) -> Vault:
    return Vault(redis, KeyRing([RING_KEY]), now=lambda: NOW, replicas=replicas, counts=counts)


async def test_each_end_is_counted_once_by_its_reason(redis: GuardedRedis | GuardedCluster) -> None:
    ends = Ends()
    vault = counting(redis, ends)
    first, second = await created(vault), await created(vault)
    for ref, reason in ((first, "signed-out"), (first, "signed-out"), (second, "expired")):
        await vault.ends.end(ref, reason)

    assert ends.reasons == ["signed-out", "expired"]


@pytest.fixture
def lonely(redis: GuardedRedis | GuardedCluster) -> Vault:
    """Give a vault whose server should have a replica, and has none."""
    return counting(redis, Ends(), replicas=1)


@pytest.mark.parametrize(
    "reason, is_relied_on",
    [
        ("signed-out", True),
        ("ended-elsewhere", True),
        ("ended-by-operator", True),
        ("expired", False),
        ("replaced", False),
    ],
)
async def test_R5_an_end_that_a_failover_could_undo_is_not_called_certain(
    lonely: Vault, reason: str, *, is_relied_on: bool
) -> None:
    ref = await created(lonely)

    if is_relied_on:
        with pytest.raises(SessionStoreUnavailable) as uncertain:
            await lonely.ends.end(ref, reason)
        assert uncertain.value.members == {"confirmed": False}
    else:
        assert await lonely.ends.end(ref, reason)
    assert await lonely.read_all(ref) == {}, "it has ended here in any case"


async def test_R5_an_uncertain_end_is_asked_for_again(lonely: Vault) -> None:
    living, ended = await created(lonely), await created(lonely)
    with pytest.raises(SessionStoreUnavailable):
        await lonely.ends.end(ended, "signed-out")

    await lonely.ends.confirm(living)
    with pytest.raises(SessionStoreUnavailable):
        await lonely.ends.confirm(ended)
    assert await note(lonely, living) == b"hi"


async def test_R5_a_change_of_id_that_a_failover_could_undo_is_noted_and_stands(
    lonely: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    old = await created(lonely)
    assert caplog.messages == [], "a first session needs no replica"

    new = await created(lonely, old.family, Successor(old, b"0"))

    assert await note(lonely, new) == b"hi"
    assert caplog.messages == ["rotation-not-confirmed"]
