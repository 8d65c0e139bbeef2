"""What the audit trail says of refusals (A6, U37): each once, and nothing of what is no fact."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.trails import ReadTrail, judged
from tests.stage.world import World, ready, served


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], trail: ReadTrail) -> World:
    """Give a world whose gateway has that trail."""
    return await make_world(trail=trail.trail)


@pytest.fixture
def flooded(tmp_path: Path) -> ReadTrail:
    """Give a trail that counts after the fifth; whoever has it ends it."""
    return ReadTrail(tmp_path / "flooded.log", first=5)


Deed = Callable[[OtherFrontEnd], Awaitable[object]]
FORGED: dict[str, tuple[Deed, tuple[str, str, str]]] = {
    "a call without the header": (
        lambda one: one.call("GET", "/api/profile", headers={"X-CSRF": "0"}),
        ("cross-origin-request", "refused", "cross-origin-refused"),
    ),
    "a call from a foreign page": (
        lambda one: one.call("PATCH", "/api/profile", {}, headers={"Sec-Fetch-Site": "cross-site"}),
        ("cross-origin-request", "refused", "cross-origin-refused"),
    ),
    "a name that is not ours": (
        lambda one: one.call("GET", "/api/session", headers={"Host": "evil.example"}),
        ("wrong-host", "refused", "misdirected-request"),
    ),
    "somebody else's parked edit": (
        lambda one: one.call("GET", "/api/parked-edits/AAAAAAAAAAAAAAAAAAAAAA"),
        ("unknown-object", "refused", "not-found"),
    ),
    "somebody else's session": (
        lambda one: one.call("DELETE", f"/api/sessions/{'0' * 32}"),
        ("unknown-object", "refused", "not-found"),
    ),
    "a body that is none": (
        lambda one: one.call("PATCH", "/api/profile", headers={"Content-Type": "text/plain"}),
        ("invalid-input", "refused", "unsupported-media-type"),
    ),
}


@pytest.mark.parametrize("what", FORGED)
async def test_A6_what_is_forged_is_told_once(world: World, trail: ReadTrail, what: str) -> None:
    deed, expected = FORGED[what]
    ada = await world.signed_in()
    trail.new()

    await deed(ada)

    assert trail.facts() == [expected]


async def test_A6_asking_and_reading_is_no_fact(world: World, trail: ReadTrail) -> None:
    ada, nobody = await world.signed_in(), await world.front_end()
    trail.new()

    for path in ("/api/session", "/api/profile", "/api/sessions", "/api/session/claims", "/api/activity"):
        assert (await ada.call("GET", path)).status == 200
    assert (await nobody.call("GET", "/api/session")).status == 200
    assert (await nobody.call("GET", "/api/profile")).status == 401

    assert trail.facts() == []


async def test_A6_a_limit_that_is_met_is_told(
    make_world: Callable[..., Awaitable[World]], trail: ReadTrail
) -> None:
    world = await make_world(trail=trail.trail, JOURNEYS_PER_MINUTE="1")
    ada = await world.front_end()
    await ada.navigate("/auth/sign-in")
    await ada.navigate("/auth/sign-in")

    assert trail.facts() == [("limit", "refused", "sign-ins")]


async def test_A6_a_flood_of_strangers_hides_no_person_and_is_counted_exactly(
    make_world: Callable[..., Awaitable[World]], flooded: ReadTrail, tmp_path: Path
) -> None:
    path = tmp_path / "flooded.log"
    world = await make_world(trail=flooded.trail)
    ada, stranger = await world.front_end(), await world.front_end()

    async def forge() -> None:
        for _ in range(100):
            assert (await stranger.call("GET", "/api/profile", headers={"X-CSRF": "0"})).status == 403

    await asyncio.gather(forge(), forge(), ready(ada))
    await asyncio.to_thread(flooded.trail.end)

    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    forged = [line for line in lines if line["fact"] == "cross-origin-request"]
    assert len(forged) == 6
    assert len(forged[:-1]) + forged[-1]["count"] == 200
    assert [line["fact"] for line in lines if line.get("person")] == ["sign-in", "session-start"]
    assert judged(path.read_bytes().splitlines(keepends=True)).faults == []


async def test_A6_what_one_person_causes_without_end_is_counted_for_that_person(
    make_world: Callable[..., Awaitable[World]], flooded: ReadTrail, tmp_path: Path
) -> None:
    path = tmp_path / "flooded.log"
    world = await make_world(trail=flooded.trail)
    ada = await world.signed_in()
    for _ in range(40):
        await ada.call("GET", "/api/parked-edits/AAAAAAAAAAAAAAAAAAAAAA")
    await asyncio.to_thread(flooded.trail.end)

    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    guessed = [line for line in lines if line["fact"] == "unknown-object"]
    assert [line.get("count") for line in guessed] == [None] * 5 + [35]
    assert len({line["person"] for line in guessed}) == 1


async def test_A6_an_answer_about_another_person_is_told(
    make_world: Callable[..., Awaitable[World]], trail: ReadTrail
) -> None:
    async def me(_request: web.Request) -> web.Response:
        return web.json_response({"id": "somebody else"})

    graph, port = web.Application(), free_port()
    graph.router.add_get("/v1.0/me", me)
    async with served(graph, port):
        world = await make_world(trail=trail.trail, graph=f"http://127.0.0.1:{port}")
        ada = await world.signed_in()
        trail.new()

        assert (await ada.call("GET", "/api/profile")).status == 502

    (line,) = trail.new()
    assert (line["fact"], line["event"], line["outcome"]) == ("another-person", "authz_fail", "failed")
    assert "somebody" not in json.dumps(line)
