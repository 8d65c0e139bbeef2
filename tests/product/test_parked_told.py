"""What is told of requests that wait (A6, U35): to the audit trail and the metrics, and never what they hold."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.app_keys import METRICS
from tests.product.test_metrics import counted
from tests.stage.notes_upstream import notes_upstream, rows_file
from tests.stage.notes_world import Sent, ask, park
from tests.stage.trails import ReadTrail
from tests.stage.world import World

SECRET = "Rue-de-la-Cle-7"


async def in_chunks() -> AsyncIterator[bytes]:
    """Yield a body whose length nobody knows before."""
    yield SECRET.encode()
    yield b"!"


async def test_A6_U35_each_step_of_a_request_that_waits_is_told_and_nothing_of_what_it_holds(
    make_world: Callable[..., Awaitable[World]], trail: ReadTrail, tmp_path: Path
) -> None:
    async with notes_upstream() as notes:
        world = await make_world(UPSTREAMS=rows_file(tmp_path, notes), trail=trail.trail)
        ada = await world.signed_in()
        async with ada.session.post(
            f"{ada.gateway_url}/api/notes/{SECRET}", data=in_chunks(), headers={"X-CSRF": "1"}
        ) as refused:
            dropped = (await refused.json())["parked"]["id"]
        waiting = await park(ada, Sent("PUT", f"/api/notes/{SECRET}?{SECRET}", SECRET.encode()))
        assert (await ask(ada, "POST", waiting)).status == 201
        assert (await ask(ada, "DELETE", f"/api/parked/{dropped}")).status == 204
        assert [(asked.method, asked.body) for asked in notes.asked] == [("PUT", SECRET.encode())]

        lines = [line for line in trail.new() if line.get("upstream") == "notes" and "method" in line]
        assert [(line["fact"], line["outcome"], line["method"]) for line in lines] == [
            ("request-parked", "refused", "POST"),
            ("request-parked", "refused", "PUT"),
            ("upstream-request", "success", "PUT"),
            ("parked-request-drop", "success", "POST"),
        ]
        assert SECRET not in json.dumps(lines)
        text = world.app[METRICS].drawn().decode()
        assert counted(text, "stepup_parked_requests_total") == {
            ("waits", "notes"): 2,
            ("sent", "notes"): 1,
            ("dropped", "notes"): 1,
        }
        assert SECRET not in text


@pytest.mark.parametrize("path", ["/api/parked-edits", "/api/parked"])
async def test_a_parked_edit_that_is_dropped_is_told_of_by_whichever_path(
    make_world: Callable[..., Awaitable[World]], trail: ReadTrail, path: str
) -> None:
    world = await make_world(trail=trail.trail)
    ada = await world.signed_in()
    waits = (await ada.call("PATCH", "/api/profile", {"city": "Turin"})).body["parked_edit"]["id"]

    assert (await ada.call("DELETE", f"{path}/{waits}")).status == 204

    assert [line["fact"] for line in trail.new()].count("parked-edit-drop") == 1
    text = world.app[METRICS].drawn().decode()
    assert counted(text, "stepup_parked_requests_total")[("dropped", "profile")] == 1
