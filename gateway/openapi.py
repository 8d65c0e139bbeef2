"""The description of the gateway's HTTP interface in OpenAPI 3.1, drawn from the rows of its routes.

Owns what is true of all of them: what a kind of request adds in parameters, problems and security, and the table
of headers.
Never says anything of one route: its row, its handler's docstring and the types of its answers do.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from aiohttp import hdrs, web

from gateway.edge.guard import RequestKind, Route
from gateway.endpoints.answers import ACCESS_OF_A_ROW, Access
from gateway.endpoints.examples import EXAMPLES
from gateway.endpoints.problems import METHOD_NOT_ALLOWED, problem_types
from gateway.errors import CrossOriginRefused, MisdirectedRequest, SignInRequired
from gateway.session.cookie import COOKIE
from servicekit.errors import Overloaded, RequestHeaderFieldsTooLarge, UriTooLong
from servicekit.openapi import Components, Node
from servicekit.operations import NamedSchema, Operation, Parameter, Response
from servicekit.problems import ProblemError
from servicekit.version import VERSION

_INFO: Final = {
    "title": "Stepup gateway",
    "version": VERSION,
    "license": {"name": "MIT", "identifier": "MIT"},
    "description": "A backend-for-frontend: the browser holds one cookie, the gateway holds the tokens. "
    "Every JSON call carries the session cookie and `X-CSRF: 1`; every failure is `application/problem+json` with "
    "`Cache-Control: no-store`. GET routes take HEAD as well, but for navigations and event streams.",
}
_SERVERS: Final = [
    {
        "url": "/",
        "description": "The gateway's public address. There is no CORS: front ends are served from the same origin.",
    }
]
_TAGS: Final = [
    {"name": "session", "description": "Who is signed in."},
    {"name": "profile", "description": "The person's own profile."},
    {"name": "parked", "description": "Requests that wait for their person."},
    {"name": "upstreams", "description": "Other APIs, in the person's name."},
    {"name": "navigations", "description": "Addresses for the browser to go to, never for fetch."},
    {"name": "service", "description": "For operators and tools."},
]
_SESSION_COOKIE: Final = {
    "type": "apiKey",
    "in": "cookie",
    "name": COOKIE,
    "description": "Secure, HttpOnly, SameSite=Strict, Path=/. "
    "Set by `/auth/callback`; a new value after every sign-in and step-up.",
}
_HEADERS: Final[dict[str, Node]] = {
    "Cache-Control": {
        "description": "Always `no-store`.",
        "schema": {"type": "string", "const": "no-store"},
    },
    "ETag": {
        "description": "The profile's entity tag, strong; send it back as `If-Match`.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "Location": {"description": "Where to go on.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 3600},
    },
    "Allow": {"description": "The methods that the route takes.", "schema": {"type": "string"}},
}


class Document:
    """The description as it travels: `draw` makes it when somebody asks for it first, which no start waits for."""

    def __init__(self, draw: Callable[[], bytes]) -> None:
        self._draw = draw
        self._drawn: bytes | None = None
        self._drawing = asyncio.Lock()

    async def read(self) -> bytes:
        """Return it; drawing reads our sources, and so is done in a thread."""
        async with self._drawing:
            if self._drawn is None:
                self._drawn = await asyncio.to_thread(self._draw)
        return self._drawn


DOCUMENT: Final = web.AppKey("openapi", Document)


@dataclass(frozen=True, slots=True)
class _Brings:
    """What a kind of request brings along: parameters, and what it is refused with."""

    problems: tuple[type[ProblemError], ...] = ()
    parameters: tuple[Parameter, ...] = ()


_REFUSALS: Final = (CrossOriginRefused, MisdirectedRequest)
_OF_THE_HEAD: Final = (UriTooLong, RequestHeaderFieldsTooLarge)
_OF_A_CROWD: Final = (Overloaded,)
_KINDS: Final = {
    RequestKind.JSON: _Brings(
        (*_REFUSALS, *_OF_THE_HEAD, *_OF_A_CROWD, ProblemError),
        (
            Parameter(
                "X-CSRF",
                "header",
                "Always `1`. No other site can send it: a custom header needs a preflight, and there is no CORS.",
                Literal["1"],
                required=True,
            ),
        ),
    ),
    RequestKind.EVENTS: _Brings(
        (*_REFUSALS, *_OF_THE_HEAD, *_OF_A_CROWD, ProblemError),
        (
            Parameter(
                "X-CSRF",
                "header",
                "`1`, unless the browser sends `Sec-Fetch-Site: same-origin`.",
                Literal["1"],
            ),
        ),
    ),
    RequestKind.NAVIGATION: _Brings(_REFUSALS),
    RequestKind.CALLBACK: _Brings((MisdirectedRequest,)),
    RequestKind.FRAMED: _Brings(_OF_A_CROWD),
    RequestKind.BACKCHANNEL: _Brings((*_OF_THE_HEAD, *_OF_A_CROWD)),
    RequestKind.PUBLIC: _Brings(),
}
# Where a problem is a page of the client's and no answer; the handlers' own, not those of the kind.
_SHOWN_AS_PAGES: Final = frozenset({RequestKind.NAVIGATION, RequestKind.CALLBACK})
# But for this one: the client's page would be more requests, and too much is going on for one.
_CROWDED: Final = Response(
    "Too much is going on; a page that says so.",
    (str,),
    status=Overloaded.status,
    media_type="text/html",
    headers=(hdrs.RETRY_AFTER,),
)


async def openapi(request: web.Request) -> web.Response:
    """Answer with this description; it needs no cookie and no header."""
    return web.Response(body=await request.app[DOCUMENT].read(), content_type="application/json")


ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/api/openapi.json",
        openapi,
        RequestKind.PUBLIC,
        operation=Operation(
            "getOpenapi", "This document", tag="service", response=Response("OpenAPI 3.1.", (dict[str, Any],))
        ),
    ),
)


def drawn(rows: Sequence[Route], actions: Sequence[str] = ()) -> bytes:
    """Return the document as it travels; rows without an operation are no part of the API.

    `actions` are the names of upstreams that a session may have access to.
    """
    components = Components(
        problem_types=problem_types(actions),
        headers=_HEADERS,
        examples=EXAMPLES,
        always=("Cache-Control",),
        members={Access.__name__: dict.fromkeys(actions, ACCESS_OF_A_ROW)},
    )
    paths: dict[str, Node] = {}
    for row in rows:
        if row.operation:
            item = paths.setdefault(row.path, {})
            item[row.method.lower()] = _operation(row, row.operation, components)
    used = {row.operation.tag for row in rows if row.operation}
    # These stand for themselves: the router's own answer, and how a flow can end.
    components.problem(METHOD_NOT_ALLOWED)
    components.schema(_flow_problems(rows))
    document = {
        "openapi": "3.1.0",
        "info": _INFO,
        "servers": _SERVERS,
        "tags": [tag for tag in _TAGS if tag["name"] in used],
        "paths": paths,
        "components": {"securitySchemes": {"session": _SESSION_COOKIE}, **components.node},
    }
    return json.dumps(document).encode()


def _operation(row: Route, operation: Operation, components: Components) -> Node:
    brings = _KINDS[row.kind]
    own = operation.problems
    if row.kind in _SHOWN_AS_PAGES:
        own, operation = (), replace(operation, also=(*operation.also, _CROWDED))
    return components.operation(
        operation,
        row.handler,
        problems=(*brings.problems, *own),
        parameters=brings.parameters,
        security=_security(row.kind, operation),
    )


def _security(kind: RequestKind, operation: Operation) -> list[Node]:
    """Return whether a session is needed, looked at where there is one, or none of the route's business."""
    if SignInRequired in operation.problems and kind is not RequestKind.CALLBACK:
        return [{"session": []}]
    return [{}, {"session": []}] if kind is RequestKind.JSON else []


def _flow_problems(rows: Iterable[Route]) -> NamedSchema:
    """Return the slugs that `/problem?type=…` can have."""
    problems: list[type[ProblemError]] = [
        problem
        for row in rows
        if row.operation and row.kind in _SHOWN_AS_PAGES
        for problem in (*row.operation.problems, ProblemError)
    ]
    return NamedSchema(
        "JourneyProblem",
        {
            "description": "How an authorization code flow can end; the `type` of `/problem?type=…`. "
            "docs/problems.md explains each.",
            "type": "string",
            "enum": list(dict.fromkeys(problem.slug for problem in problems)),
        },
    )
