"""Nobody can fill Redis by beginning flows: the pages go on, and a request that begins nothing costs nothing."""

from collections.abc import Awaitable, Callable

from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]


async def test_S51_an_address_begins_so_many_flows_in_a_minute_and_no_more(make_world: MakeWorld) -> None:
    world = await make_world(JOURNEYS_PER_MINUTE="5")
    person = await world.front_end()

    ways = [(await person.navigate("/auth/sign-in")).headers["Location"] for _ in range(8)]

    assert [way.startswith(world.tenant_url) for way in ways] == [True] * 5 + [False] * 3
    assert ways[-1].startswith("/problem?type=too-many-requests&")
    assert len([key for key in await world.keys() if ":flow:" in key]) == 5
    assert (await person.navigate("/")).status == 200, "the pages are still there"


async def test_S51_a_head_request_begins_nothing(world: World) -> None:
    person = await world.front_end()

    async with person.session.head(f"{world.gateway_url}/auth/sign-in", allow_redirects=False) as answer:
        assert answer.status == 405

    assert await world.keys() == []
