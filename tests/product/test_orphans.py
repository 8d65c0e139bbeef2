"""What sessions leave behind that end by their time (L15)."""

from gateway.app_keys import VAULT
from tests.stage.witnesses import opened
from tests.stage.world import World


async def test_L15_every_index_forgets_sessions_that_are_gone_after_the_next_sign_in(world: World) -> None:
    before = (await opened(world, await world.signed_in())).ref
    world.forward(120)
    await world.redis.delete(before.key)  # as Redis does at the end of its time
    ada = await world.signed_in()
    after = (await opened(world, ada)).ref

    await world.app[VAULT].orphans.round()

    indexes = [key async for key in world.redis.scan_iter("stepup:index:*")]
    assert len(indexes) >= 2, "by person, by subject"
    for index in indexes:
        assert before.packed not in await world.redis.zrange(index, 0, -1), index
    assert {after.packed} == {
        member for index in indexes for member in await world.redis.zrange(index, 0, -1)
    }
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
