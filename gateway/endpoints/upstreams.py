"""The rows of upstreams as routes: each is a row of ours, with guard, limits and a place in the API's description.

Owns how a row of GATEWAY_UPSTREAMS becomes one of the gateway's.
Never catches, and never looks at what goes through.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from pydantic import Field

from gateway.app_keys import FORWARDER, WEBSOCKETS
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route, opens_websocket
from gateway.edge.limit_rules import Limit
from gateway.endpoints.parked_answers import ANY_BODY, ANYTHING
from gateway.endpoints.problems import OF_AN_UPSTREAM
from gateway.errors import EditInProgress, IdempotencyKeyReused, SignInRequired
from gateway.proxy.paths import UpstreamPaths
from gateway.proxy.repeats import HEADER, KEY_FORM
from gateway.proxy.routing import UpstreamsResource, template_of
from gateway.upstream_rows import SAFE_METHODS, UpstreamRow
from servicekit.operations import Operation, Parameter, RequestBody, Response
from servicekit.problems import ProblemError

_PATH: Final = Parameter(
    "path",
    "path",
    "What follows the prefix, slashes too, as it is: it goes on byte for byte, with its query. It may be missing, with "
    "the slash before it. Dot segments, backslashes, and encoded slashes, backslashes and dots are refused.",
)
_UPGRADED: Final = Response("Switching to a WebSocket, where the request asks for one.", status=101)
_KEY: Final = Parameter(
    HEADER,
    "header",
    "Any text of your own, new for every change. The same key with the same request within ten minutes of one session "
    "is answered without a body, and not sent again.",
    Annotated[str, Field(pattern=f"^{KEY_FORM.pattern}$")],
)


def add_upstreams(app: web.Application, rows: Iterable[UpstreamRow]) -> None:
    """Add the routes of upstreams to the application; where there are none, nothing."""
    paths = UpstreamPaths(rows)
    if not paths.prefixes:
        return
    resource = UpstreamsResource(paths)
    app.router.register_resource(resource)
    for prefix, by_method in paths.prefixes.items():
        for method, row in by_method.items():
            route = _route(row, method)
            app[ROUTE_TABLE].add_route(resource.of_prefix(prefix).add_route(method, route.handler), route)


def described(rows: Iterable[UpstreamRow]) -> Iterator[Route]:
    """Yield what the API's description tells of; HEAD only where it does not go with GET."""
    for row in rows:
        yield from (
            _route(row, method)
            for method in row.methods
            if method != hdrs.METH_HEAD or hdrs.METH_GET not in row.methods
        )


def _route(row: UpstreamRow, method: str) -> Route:
    is_safe = method in SAFE_METHODS
    return Route(
        method,
        template_of(row.prefix),
        _forward_by(row),
        RequestKind.JSON,
        limit=Limit.UPSTREAM_READS if is_safe else Limit.UPSTREAM_WRITES,
        may_upgrade=row.websocket and method == hdrs.METH_GET,
        limit_of_strangers=(Limit.ANONYMOUS_READS if is_safe else Limit.ANONYMOUS_WRITES)
        if row.anonymous
        else None,
        records=_records_of(row),
        operation=_operation(row, method, is_safe=is_safe),
    )


def _forward_by(row: UpstreamRow) -> Handler:
    async def forward(request: web.Request) -> web.StreamResponse:
        return await request.app[FORWARDER].answer(request, row)

    async def forward_or_open(request: web.Request) -> web.StreamResponse:
        answers = WEBSOCKETS if opens_websocket(request) else FORWARDER
        return await request.app[answers].answer(request, row)

    return forward_or_open if row.websocket else forward


def _records_of(row: UpstreamRow) -> Callable[[web.Request], Sequence[str]]:
    return lambda request: request.app[FORWARDER].records(request, row)


def _operation(row: UpstreamRow, method: str, *, is_safe: bool) -> Operation:
    problems: tuple[type[ProblemError], ...] = (
        OF_AN_UPSTREAM if is_safe else (*OF_AN_UPSTREAM, EditInProgress, IdempotencyKeyReused)
    )
    if row.anonymous:
        problems = tuple(problem for problem in problems if problem is not SignInRequired)
    return Operation(
        f"{row.name}-{method.lower()}",
        f"{method} at the upstream {row.name}",
        tag="upstreams",
        response=Response(
            "What the upstream answers: its status, its body, and of its headers those that are safe.",
            (ANY_BODY,),
            status="default",
            media_type=ANYTHING,
        ),
        also=(_UPGRADED,) if row.websocket and method == hdrs.METH_GET else (),
        problems=problems,
        parameters=(
            _PATH,
            *(() if is_safe else (_KEY,)),
            *(Parameter(name, "header", "Goes on to the upstream.") for name in row.request_headers),
        ),
        body=None if is_safe else RequestBody(ANY_BODY, (ANYTHING,), required=False),
        description=f"Forwarded by the row `{row.name}` of the upstreams.{_upgrade(row, method)}",
    )


def _upgrade(row: UpstreamRow, method: str) -> str:
    """Say that a WebSocket may be opened, which OpenAPI has no word for."""
    if not (row.websocket and method == hdrs.METH_GET):
        return ""
    return " A WebSocket handshake (RFC 6455) is answered 101; it needs `Origin` in the place of `X-CSRF`."
