"""References to sessions that are gone: forgotten in bounded work, and nothing else is (L15)."""

from gateway.store.orphans import AT_ONCE
from gateway.store.vault import Vault
from tests.unit.gateway.store.test_indexes import session
from tests.unit.gateway.store.vault_session import indexed
from tests.unit.gateway.store_of_tests import NOW

OWNER = ("person", "ada")


async def test_L15_one_look_is_bounded_and_what_lives_stays(vault: Vault) -> None:
    living = [await session(vault, "ada", at=NOW - 5000 + 100 * number) for number in range(10)]
    for number in range(100):
        gone = await session(vault, "ada", at=NOW - 4000 + 30 * number)
        await vault.redis.delete(gone.key)

    forgotten = await vault.orphans.forget(*OWNER)

    assert 0 < forgotten <= AT_ONCE
    rounds = 0
    while len(await indexed(vault, OWNER)) > len(living):
        await vault.orphans.forget(*OWNER)
        rounds += 1
        assert rounds < 500
    assert set(await indexed(vault, OWNER)) == {ref.packed for ref in living}


async def test_L15_a_session_that_is_about_to_begin_is_not_forgotten(vault: Vault) -> None:
    begins = await session(vault, "ada", at=NOW - 10)
    await vault.redis.delete(begins.key)

    assert await vault.orphans.forget(*OWNER) == 0
    assert await indexed(vault, OWNER) == [begins.packed]


async def test_L15_an_index_does_not_grow_with_sign_ins_whose_sessions_end_by_their_time(
    vault: Vault,
) -> None:
    for number in range(300):
        gone = await session(vault, "ada", at=NOW - 3700 + 12 * number)
        await vault.redis.delete(gone.key)
        vault.orphans.note([OWNER])
        await vault.orphans.round()

    assert len(await indexed(vault, OWNER)) <= AT_ONCE
