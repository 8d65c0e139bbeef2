"""What a person notices when Graph cannot keep up: a pause, and how long to wait where that is longer."""

import asyncio
import time

from tests.stage.world import World


async def test_R17_a_throttling_graph_is_a_pause_to_a_person(world: World) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", "/faults/graph.get_me", {"status": 429, "retry_after": 1, "times": 1})

    began = time.monotonic()
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert time.monotonic() - began > 0.9
    await world.admin("PUT", "/faults/graph.get_me", {"status": 503, "retry_after": 40})
    answer = await asyncio.wait_for(ada.call("GET", "/api/profile"), 20)
    assert (answer.status, answer.slug, answer.headers["Retry-After"]) == (502, "resource-unavailable", "40")
