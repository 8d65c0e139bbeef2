"""What follows from a route's row: its places, its limit, and neither where there is no such route (S49)."""

from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.edge.admission import Lane
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route, kind_of, lane_of_row
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


def row_of(request: web.Request) -> Route | None:
    """Return the row of a request's route."""
    return request.app[ROUTE_TABLE].row_of(request)


@pytest.mark.parametrize("kind", RequestKind)
async def test_L1_a_route_has_the_places_of_its_kind(kind: RequestKind) -> None:
    request = await asked("/one", Route("GET", "/one", answer, kind))

    assert (kind_of(request), lane_of_row(row_of(request))) == (kind, LANES[kind])


async def test_L1_a_row_may_say_that_it_needs_others() -> None:
    row = Route("GET", "/one", answer, RequestKind.JSON, lane=Lane.SIGN_OUT, limit=Limit.READS)
    request = await asked("/one", row)

    assert lane_of_row(row_of(request)) is Lane.SIGN_OUT


async def test_S49_what_has_no_route_has_no_kind_and_no_row() -> None:
    row = Route("GET", "/one", answer, RequestKind.JSON, limit=Limit.READS)
    request = await asked("/two", row)

    assert (kind_of(request), row_of(request), lane_of_row(None)) == (None, None, Lane.PAGES)
