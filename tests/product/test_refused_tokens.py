"""What a resource refuses though it lives by its record: replaced once, and not by every call (W1)."""

import asyncio

from gateway.tokens.token_records import REFUSAL_SECONDS
from tests.product.test_renewal import REFRESH, reads, with_tokens_that_live
from tests.product.test_tokens import end_of_token
from tests.stage.world import World


async def test_W1_a_resource_that_refuses_every_token_costs_no_request_for_every_call(world: World) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", "/faults/graph.get_me", {"status": 401})

    for number in (1, 2):
        for _ in range(5):
            assert (await ada.call("GET", "/api/profile")).slug == "resource-unavailable"
        assert await world.asked(REFRESH) == number
        world.forward(REFUSAL_SECONDS)

    await world.admin("DELETE", "/faults")
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_W1_a_burst_that_is_refused_together_is_given_one_token(world: World) -> None:
    ada = await with_tokens_that_live(world, 60)
    await end_of_token(world, ada, 3600)  # as if `expires_in` had said so
    world.forward(60)

    answers = await asyncio.gather(*(ada.call("GET", "/api/profile") for _ in range(5)))

    assert {answer.status for answer in answers} == {200}
    assert await world.asked(REFRESH) == 1


async def test_W1_a_token_that_ends_before_its_life_is_over_is_replaced_when_the_resource_says_so(
    world: World,
) -> None:
    ada = await with_tokens_that_live(world, 60)
    await end_of_token(world, ada, 3600)  # as if `expires_in` had said so
    world.forward(60)

    await reads(world, ada, times=3)

    assert await world.asked(REFRESH) == 1
