"""There is one way for every request, and none around it (S23, S25, S49)."""

from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.web_urldispatcher import PlainResource
from yarl import URL

from gateway.app import create_app
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route
from gateway.pipeline import Pipeline
from servicekit.http.only_way import install
from tests.stage.ports import free_port
from tests.stage.raw_http import ask_raw
from tests.stage.world import gateway_settings, served

NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def app() -> web.Application:
    """Give a gateway that nobody has asked anything."""
    return create_app(gateway_settings(REDIS_URL=NOWHERE))


def pipeline_of(app: web.Application) -> Pipeline:
    """Return what answers an application's requests."""
    answer: Any = vars(app)["_handle"]
    pipeline = answer.__self__
    assert isinstance(pipeline, Pipeline)
    return pipeline


def test_a_middleware_that_nobody_would_ask_is_refused(app: web.Application) -> None:
    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        return answer

    other = web.Application(middlewares=[middleware])

    with pytest.raises(ValueError, match="middleware"):
        install(other, pipeline_of(app).answer)


async def test_a_path_is_found_by_its_letters_exactly_where_the_router_finds_it(app: web.Application) -> None:
    pipeline, plain = pipeline_of(app), 0
    for route, _ in app[ROUTE_TABLE]:
        if isinstance(route.resource, PlainResource):
            plain += 1
            request = make_mocked_request(route.method, route.resource.canonical)
            match = await app.router.resolve(request)
            assert pipeline.way_by_letters(request) is pipeline.way_at(match.route)
    assert plain > 60


@pytest.mark.parametrize("kind", RequestKind)
async def test_S25_a_route_without_a_row_is_closed_and_one_with_a_row_has_its_judge(
    app: web.Application, kind: RequestKind
) -> None:
    async def reached(_request: web.Request) -> web.Response:
        return web.Response(text="reached")

    app[ROUTE_TABLE].add(app, [Route("GET", "/with-a-row", reached, kind)])
    app.router.add_get("/without-a-row", reached)
    port = free_port()
    async with served(app, port, service="gateway"):
        url = f"http://localhost:{port}"
        for path in ("/without-a-row", "/%77ithout-a-row", f"{url}/without-a-row", "/without-a-row?x"):
            assert (await ask_raw(url, "GET", path, [])).status == 403
        has_any_host = kind in {RequestKind.FRAMED, RequestKind.BACKCHANNEL, RequestKind.PUBLIC}
        headers = {"Host": "elsewhere.example", "X-CSRF": "1"}
        for path in ("/with-a-row", "/%77ith-a-row", "/with-a-row?x"):
            address = URL(url + path, encoded=True)
            async with aiohttp.ClientSession() as client, client.get(address, headers=headers) as answer:
                assert (answer.status == 200) is has_any_host
                assert (await answer.text() == "reached") is has_any_host


async def test_what_the_router_found_is_remembered_without_queries_and_of_so_many_paths(
    app: web.Application,
) -> None:
    pipeline = pipeline_of(app)
    remembered: Any = vars(pipeline)["_matches"]
    for path in (
        "/api/sessions/one?code=secret",
        "/api/sessions/one",
        "/api/sessions/" + "x" * 300,
        "/nowhere",
    ):
        request = make_mocked_request("DELETE", path)
        for _ in range(2):
            await pipeline.way_of(request)
        assert request.match_info.route.resource is (await app.router.resolve(request)).route.resource
    assert list(remembered) == [("DELETE", "/api/sessions/one")]

    for number in range(2_000):
        await pipeline.way_of(make_mocked_request("DELETE", f"/api/sessions/{number}"))
    assert len(remembered) == 1_024
