"""The doctor says where the resource API is of a release that judges no condition (R27)."""

from typing import Any, Final

from aiohttp import web

from gateway.doctor.resource_api import CONDITIONS, look_at_resource_api
from servicekit.doctor.findings import Status
from servicekit.outbound import outbound
from tests.stage.ports import free_port
from tests.stage.world import World, served


def _takes(*parameters: dict[str, str]) -> dict[str, Any]:
    return {"paths": {"/profile": {"patch": {"parameters": list(parameters)}}}}


OLDER: Final[dict[str, Any]] = {
    "no-description": None,
    "another-header": _takes({"in": "header", "name": "If-None-Match"}),
    "another-place": _takes({"in": "query", "name": "If-Match"}),
    "no-parameters": {"paths": {"/profile": {"patch": {}}}},
    "no-object": ["If-Match"],
}


async def _live(_request: web.Request) -> web.Response:
    return web.json_response({"status": "live"})


async def _described(request: web.Request) -> web.Response:
    description = OLDER[request.match_info["what"]]
    return web.json_response(description, status=404 if description is None else 200)


async def test_U27_R27_an_api_that_says_nothing_of_conditions_is_older_and_ours_is_not(world: World) -> None:
    older, port = web.Application(), free_port()
    older.router.add_get("/{what}/health/live", _live)
    older.router.add_get("/{what}/openapi.json", _described)
    found: dict[str, Status] = {}

    async with served(older, port), outbound() as http:
        for what in OLDER:
            findings = await look_at_resource_api(http, f"http://127.0.0.1:{port}/{what}")
            (found[what],) = (one.status for one in findings if one.check == CONDITIONS)
        ours = await look_at_resource_api(http, world.api_url)

    assert found == dict.fromkeys(OLDER, Status.WARNING)
    assert [one.status for one in ours] == [Status.OK] * 3
