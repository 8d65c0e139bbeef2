"""The rows of upstreams as routes, by requests as they come over the wire."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway import routes
from gateway.app_keys import FORWARDER
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route, kind_of, lane_of_row
from gateway.endpoints.upstreams import add_upstreams
from gateway.profile import rows as profile
from gateway.proxy.forward import Forwarder
from gateway.proxy.paths import address_of
from gateway.tokens.resources import EDIT, GRAPH
from gateway.upstream_rows import UpstreamRow
from gateway.upstream_rows.forms import OWN_PATHS, RESERVED_NAMES
from servicekit.http.routes import RouteTable
from servicekit.problems import problems_middleware
from tests.stage.raw_http import RawAnswer, ask_raw

NOTES: Final = UpstreamRow(
    name="notes",
    prefix="/api/notes",
    target="https://notes.example/v1",
    methods=("GET", "HEAD", "DELETE"),
    scope="api://notes.example/R",
)
EDITS: Final = UpstreamRow(
    name="edits", prefix="/api/notes", target="https://notes.example/v1", methods=("PATCH",), anonymous=True
)
DEEPER: Final = UpstreamRow(
    name="deeper",
    prefix="/api/notes/deeper",
    target="https://deep.example",
    methods=("POST",),
    anonymous=True,
)
READ_ALONE: Final = UpstreamRow(
    name="read-alone",
    prefix="/api/read-alone",
    target="https://r.example",
    methods=("GET",),
    anonymous=True,
    request_headers=("X-Notebook",),
    websocket=True,
)
ROWS: Final = (NOTES, EDITS, DEEPER, READ_ALONE)


class Echo:
    """Answers with the row, the address, and what the row's route is like."""

    async def answer(self, request: web.Request, row: UpstreamRow) -> web.StreamResponse:
        """Return all that is known of a request before it goes on."""
        route = request.app[ROUTE_TABLE].row_of(request)
        assert route is not None
        limits = [limit.value if limit else "" for limit in (route.limit, route.limit_of_strangers)]
        resource = request.match_info.route.resource
        return web.json_response(
            {
                "row": row.name,
                "address": address_of(row, request.raw_path),
                "kind": str(kind_of(request)),
                "lane": lane_of_row(route).value,
                "limits": limits,
                "template": resource.canonical if resource else "",
            }
        )


async def ours(_request: web.Request) -> web.Response:
    """Answer as a route of the gateway's own."""
    return web.json_response({"row": "ours"})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Give the address of an application with these rows, one route of ours, and one for whatever is left."""
    app = web.Application(middlewares=[problems_middleware()])
    app[ROUTE_TABLE] = RouteTable()
    app[FORWARDER] = cast("Forwarder", Echo())  # of which a route needs no more
    add_upstreams(app, ROWS)
    app[ROUTE_TABLE].add(
        app,
        [
            Route("GET", "/api/session", ours, RequestKind.JSON),
            Route("GET", "/{path:.*}", ours, RequestKind.PUBLIC),
        ],
    )
    async with TestServer(app) as server:
        yield str(server.make_url(""))


async def asked(url: str, method: str, target: str) -> RawAnswer:
    return await ask_raw(url.rstrip("/"), method, target, [])


@pytest.mark.parametrize(
    "method, target, row, address",
    [
        ("GET", "/api/notes", "notes", "https://notes.example/v1"),
        ("GET", "/api/notes/7?x=%20", "notes", "https://notes.example/v1/7?x=%20"),
        ("GET", "/api/notes//7//", "notes", "https://notes.example/v1//7//"),
        ("GET", "/api/notes/%C3%A9%20%252e;a=b?/../%2f", "notes", "https://notes.example/v1/%C3%A9%20%252e;a=b?/../%2f"),
        ("GET", "/api/notes?", "notes", "https://notes.example/v1?"),
        ("DELETE", "/api/notes/7", "notes", "https://notes.example/v1/7"),
        ("PATCH", "/api/notes/7", "edits", "https://notes.example/v1/7"),
        ("POST", "/api/notes/deeper", "deeper", "https://deep.example/"),
        ("POST", "/api/notes/deeper/7", "deeper", "https://deep.example/7"),
        ("GET", "/api/notes/deep", "notes", "https://notes.example/v1/deep"),
        ("GET", "http://else.example/api/notes/7", "notes", "https://notes.example/v1/7"),
    ],
)  # fmt: skip
async def test_S46_what_comes_over_the_wire_goes_on_to_its_row(
    url: str, method: str, target: str, row: str, address: str
) -> None:
    answer = json.loads((await asked(url, method, target)).body)

    assert (answer["row"], answer["address"]) == (row, address)
    assert (answer["kind"], answer["lane"]) == (str(RequestKind.JSON), "work")


@pytest.mark.parametrize(
    "method, target, limits, template",
    [
        ("GET", "/api/notes/7", ["upstream-reads", ""], "/api/notes/{path}"),
        ("DELETE", "/api/notes/7", ["upstream-writes", ""], "/api/notes/{path}"),
        ("PATCH", "/api/notes/8", ["upstream-writes", "anonymous-writes"], "/api/notes/{path}"),
        ("GET", "/api/read-alone", ["upstream-reads", "anonymous-reads"], "/api/read-alone/{path}"),
    ],
)
async def test_S51_a_row_is_counted_and_named_by_its_prefix(
    url: str, method: str, target: str, limits: list[str], template: str
) -> None:
    answer = json.loads((await asked(url, method, target)).body)

    assert (answer["limits"], answer["template"]) == (limits, template)


@pytest.mark.parametrize(
    "method, target, allow",
    [
        ("POST", "/api/notes", "DELETE,GET,HEAD,PATCH"),
        ("PUT", "/api/notes/7", "DELETE,GET,HEAD,PATCH"),
        ("OPTIONS", "/api/notes/7", "DELETE,GET,HEAD,PATCH"),
        ("TRACE", "/api/notes/7", "DELETE,GET,HEAD,PATCH"),
        ("PROPFIND", "/api/notes/7", "DELETE,GET,HEAD,PATCH"),
        ("GET", "/api/notes/deeper", "POST"),
        ("DELETE", "/api/notes/deeper/7", "POST"),
        ("PATCH", "/api/notes/deeper%2f7", "POST"),
        ("HEAD", "/api/read-alone", "GET"),
        ("DELETE", "/api/session", "GET,HEAD"),
    ],
)
async def test_S49_a_method_that_no_row_of_the_prefix_has_goes_to_no_other(
    url: str, method: str, target: str, allow: str
) -> None:
    answer = await asked(url, method, target)

    assert (answer.status, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    "target",
    [
        "/api/notes/../session",
        "/api/notes/%2e%2e/session",
        "/api/notes/..;/session",
        "/api/notes\\..\\session",
        "/api/notes%2f7",
        "/api/notes/a%5Cb",
        "/api/notes/%00",
        "/api/notes/\udcff",
        "/api/notes/caf\u00e9",
        "/api/notes/%c0%af",
        "/api/notes/7#x",
        "/api/notes#x",
        "http://else.example/api/notes/../session",
    ],
)
async def test_S46_S49_what_climbs_is_refused_and_goes_nowhere(url: str, target: str) -> None:
    answer = await asked(url, "GET", target)

    assert answer.status == 400


@pytest.mark.parametrize(
    "target",
    [
        "/api/session",
        "/api/notes2",
        "/api/%6eotes/7",
        "/api/Notes/7",
        "/api//notes/7",
        "//api/notes/7",
        "/api/./notes/7",
        "/x/../api/notes/7",
        "/api/notes;x/7",
    ],
)
async def test_S49_another_spelling_of_a_prefix_is_somebody_elses(url: str, target: str) -> None:
    answer = await asked(url, "GET", target)

    assert json.loads(answer.body) == {"row": "ours"}


def test_without_rows_nothing_is_added() -> None:
    app = web.Application()
    app[ROUTE_TABLE] = RouteTable()
    add_upstreams(app, ())

    assert list(app.router.resources()) == []


def test_every_route_of_a_row_is_one_that_the_router_lists_and_has_a_row_of_ours() -> None:
    app = web.Application()
    app[ROUTE_TABLE] = RouteTable()
    add_upstreams(app, ROWS)

    listed = list(app.router.routes())
    assert {route for route, _ in app[ROUTE_TABLE]} == set(listed)
    assert len(listed) == len(next(iter(app.router.resources()))) == 6


def test_what_the_gateway_answers_itself_is_kept_from_rows() -> None:
    own = {row.path for row in routes.ALWAYS if row.path.startswith("/api/")}
    within = {path: [one for one in OWN_PATHS if path == one or path.startswith(f"{one}/")] for path in own}

    assert {path for path, found in within.items() if len(found) != 1} == set()
    assert {one for found in within.values() for one in found} == set(OWN_PATHS)


def test_a_row_is_called_nothing_that_the_gateway_calls_itself() -> None:
    ours = {GRAPH, EDIT, profile.READ, profile.EDIT}

    assert ours - RESERVED_NAMES == set()


ANYTHING: Final = {"$ref": "#/components/schemas/UpstreamBody"}


def drawn() -> Any:
    """Return the API's description with these rows."""
    return json.loads(routes.description(ROWS))


def test_U19_the_description_tells_of_rows() -> None:
    paths = drawn()["paths"]

    assert {
        (path, method)
        for path, item in paths.items()
        for method in item
        if path.startswith(("/api/n", "/api/r"))
    } == {
        ("/api/notes/{path}", "get"),
        ("/api/notes/{path}", "delete"),
        ("/api/notes/{path}", "patch"),
        ("/api/notes/deeper/{path}", "post"),
        ("/api/read-alone/{path}", "get"),
    }
    read, patch = paths["/api/notes/{path}"]["get"], paths["/api/notes/{path}"]["patch"]
    assert (read["operationId"], read["tags"], read["security"]) == (
        "notes-get",
        ["upstreams"],
        [{"session": []}],
    )
    assert read["responses"]["default"]["content"] == {"*/*": {"schema": ANYTHING}}
    assert "headers" not in read["responses"]["default"]
    assert {"400", "401", "403", "413", "429", "502"} <= read["responses"].keys()
    assert "requestBody" not in read
    assert patch["requestBody"] == {"required": False, "content": {"*/*": {"schema": ANYTHING}}}
    assert patch["security"] == [{}, {"session": []}]
    assert "401" not in patch["responses"]
    named = [one["name"] for one in paths["/api/read-alone/{path}"]["get"]["parameters"]]
    assert named == ["X-CSRF", "path", "x-notebook"]
    assert "101" in paths["/api/read-alone/{path}"]["get"]["responses"]
    assert "101" not in read["responses"]


def test_U19_the_description_is_another_one_without_rows() -> None:
    with_rows, without = drawn(), json.loads(routes.description())

    assert with_rows["paths"].keys() > without["paths"].keys()
    assert [tag["name"] for tag in with_rows["tags"] if tag not in without["tags"]] == ["upstreams"]
    assert with_rows["components"]["schemas"].keys() > without["components"]["schemas"].keys()
