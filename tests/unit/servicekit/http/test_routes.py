"""A service's routes as a table, asked over real sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import aiohttp
import pytest
from aiohttp import hdrs, web

from servicekit.http.routes import Route, RouteTable


@dataclass(frozen=True, slots=True)
class MarkedRoute(Route):
    """A row as a service extends it."""

    mark: str
    has_head: bool = True

    @property
    def answers_head(self) -> bool:
        return self.method == hdrs.METH_GET and self.has_head


TABLE: Final[web.AppKey[RouteTable[MarkedRoute]]] = web.AppKey("table")


async def handler(request: web.Request) -> web.Response:
    """Answer with the mark of the request's own row."""
    row = request.app[TABLE].row_of(request)
    return web.Response(text=row.mark if row else "none", headers={"X-Mark": row.mark if row else "none"})


@pytest.fixture
def application() -> web.Application:
    """Give an application with a table of routes, and one route beside it."""
    app = web.Application()
    app[TABLE] = RouteTable()
    app[TABLE].add(
        app,
        [
            MarkedRoute("GET", "/things", handler, "list"),
            MarkedRoute("POST", "/things", handler, "new"),
            MarkedRoute("GET", "/things/{id}", handler, "one"),
            MarkedRoute("GET", "/stream", handler, "stream", has_head=False),
        ],
    )
    app.router.add_get("/smuggled", handler, allow_head=False)
    return app


@pytest.fixture
async def url(application: web.Application) -> AsyncIterator[str]:
    """Give the address where it is served."""
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    "method, path, status, mark",
    [
        ("GET", "/things", 200, "list"),
        ("HEAD", "/things", 200, "list"),
        ("POST", "/things", 200, "new"),
        ("GET", "/things/7", 200, "one"),
        ("GET", "/%74hings/7", 200, "one"),
        ("GET", "/stream", 200, "stream"),
        ("HEAD", "/stream", 405, None),
        ("DELETE", "/things", 405, None),
        ("GET", "/nothing", 404, None),
        ("GET", "/smuggled", 200, "none"),
    ],
)
async def test_a_request_finds_the_row_of_its_route_however_its_path_is_spelt(
    url: str, method: str, path: str, status: int, mark: str | None
) -> None:
    async with aiohttp.ClientSession() as session, session.request(method, url + path) as answer:
        assert (answer.status, answer.headers.get("X-Mark")) == (status, mark)


def test_a_table_holds_every_route_with_its_row(application: web.Application) -> None:
    rows = {
        route.method + " " + str(route.resource and route.resource.canonical): row.mark
        for route, row in application[TABLE]
    }

    assert rows == {
        "HEAD /things": "list",
        "GET /things": "list",
        "POST /things": "new",
        "HEAD /things/{id}": "one",
        "GET /things/{id}": "one",
        "GET /stream": "stream",
    }
    beside = {*application.router.routes()} - {route for route, _ in application[TABLE]}
    assert [route.resource.canonical for route in beside if route.resource] == ["/smuggled"]


def test_a_row_without_more_answers_head_where_it_answers_get() -> None:
    assert Route("GET", "/", handler).answers_head
    assert not Route("POST", "/", handler).answers_head
