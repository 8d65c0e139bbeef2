"""What is done with is removed from the session that took the place of one, and from nothing else."""

import pytest

from gateway.store.successors import remove_from_successors
from gateway.store.vault import Successor, Vault
from tests.unit.gateway.store.vault_session import OWNERS, created, note


@pytest.mark.parametrize("rotations", [0, 1, 2])
async def test_L14_what_is_done_with_is_removed_from_whatever_took_the_place_of_a_session(
    vault: Vault, rotations: int
) -> None:
    line = [await created(vault)]
    for _ in range(rotations):
        line.append(await created(vault, line[0].family, Successor(line[-1], b"0")))

    await remove_from_successors(vault, line[0], ["note"])

    assert await note(vault, line[-1]) == (None if rotations else b"hi")
    assert [await vault.ends.reason(one) for one in line] == ["rotated"] * rotations + [None]


async def test_L14_a_session_that_ended_for_good_has_nothing_to_remove_from(vault: Vault) -> None:
    ref = await created(vault)
    await vault.ends.end(ref, "signed-out", OWNERS)

    await remove_from_successors(vault, ref, ["note"])

    assert await vault.read_all(ref) == {}
