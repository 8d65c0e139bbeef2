"""What follows from a route's row: its places, its limit, and neither where there is no such route (S49)."""

from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.edge.admission import Lane
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route, kind_of, lane_of, limit_of
from gateway.edge.limit_rules import Limit
from servicekit.http.routes import RouteTable

LANES: Final = {
    RequestKind.JSON: Lane.WORK,
    RequestKind.EVENTS: Lane.WORK,
    RequestKind.NAVIGATION: Lane.WORK,
    RequestKind.CALLBACK: Lane.RETURN,
    RequestKind.FRAMED: Lane.SIGN_OUT,
    RequestKind.BACKCHANNEL: Lane.SIGN_OUT,
    RequestKind.PUBLIC: Lane.PAGES,
}


async def answer(_request: web.Request) -> web.Response:
    """Answer anything."""
    return web.Response()


async def asked(path: str, *rows: Route) -> web.Request:
    """Return a request that the router has seen, of an application with these rows."""
    app = web.Application()
    app[ROUTE_TABLE] = RouteTable()
    app[ROUTE_TABLE].add(app, rows)
    request = make_mocked_request("GET", path, app=app)
    request._match_info = await app.router.resolve(request)
    request._match_info.add_app(app)
    return request


@pytest.mark.parametrize("kind", RequestKind)
async def test_L1_a_route_has_the_places_of_its_kind(kind: RequestKind) -> None:
    request = await asked("/one", Route("GET", "/one", answer, kind))

    assert (kind_of(request), lane_of(request), limit_of(request)) == (kind, LANES[kind], None)


async def test_L1_a_row_may_say_that_it_needs_others() -> None:
    row = Route("GET", "/one", answer, RequestKind.JSON, lane=Lane.SIGN_OUT, limit=Limit.READS)
    request = await asked("/one", row)

    assert (lane_of(request), limit_of(request)) == (Lane.SIGN_OUT, Limit.READS)


async def test_S49_what_has_no_route_has_no_kind_and_no_limit() -> None:
    row = Route("GET", "/one", answer, RequestKind.JSON, limit=Limit.READS)
    request = await asked("/two", row)

    assert (kind_of(request), lane_of(request), limit_of(request)) == (None, Lane.PAGES, None)
