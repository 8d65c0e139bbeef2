"""The way of every request: what its route asks for, put together once, in one order.

Owns the order of the controls, and that there is no way around them: the application has no other.
Decides nothing itself: each control is a function of its own module, and raises.

The gateway has one of its own (docs/explanation/decisions/2026-11-27-one-way-for-every-request.md says why these are
no middlewares).
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

from resource_api.access import Open, Route, guarded
from resource_api.audit import Audit
from servicekit.http.admission import Admission
from servicekit.http.answers import Answer, EveryAnswer
from servicekit.http.request_heads import judge_head
from servicekit.http.routes import RouteTable
from servicekit.problems import answer_to
from servicekit.reference import HEADER, RequestId, begin_request

_HEALTH: Final = "/health/"


@dataclass(frozen=True, slots=True)
class Way:
    """What the requests of one route pass: places, if any, then its handler behind what its policy asks."""

    admission: Admission | None
    handler: Handler


class Pipeline:
    """The ways of one application's requests.

    `rows` are its routes, `places` for whatever is no question after its health, `largest_head` the bytes of header
    fields that are taken; `every` gives the headers of each answer.
    """

    def __init__(
        self,
        app: web.Application,
        rows: RouteTable[Route],
        *,
        places: Admission,
        largest_head: int,
        audit: Audit,
        every: EveryAnswer,
    ) -> None:
        self._app = app
        self._rows = rows
        self._places = places
        self._largest_head = largest_head
        self._audit = audit
        self._every = every
        # By what a request line says letter for letter: all other spellings are the router's to read.
        self._exact: dict[tuple[str, str], tuple[UrlMappingMatchInfo, Way]] = {}
        for route, row in rows:
            if isinstance(route.resource, PlainResource):
                match = UrlMappingMatchInfo({}, route)
                match.add_app(app)
                match.freeze()
                self._exact[route.method, route.resource.canonical] = (match, self._way(row, row.path))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request: the only way in."""
        exact = self._exact.get((request.method, request.raw_path))
        if exact:
            request._match_info, way = exact  # noqa: SLF001 - as aiohttp does with what its router returns
        else:
            way = await self._found(request)
        if hdrs.EXPECT in request.headers:
            await request.match_info.expect_handler(request)
            await request.writer.drain()
        # A stranger could choose the id, and would have lines of his own under a reference of somebody else's; no more
        # depends on it.
        begin_request(request, RequestId.read(request.headers.get(HEADER, "")))
        place = None
        try:
            if places := way.admission:
                place = places.free_place(request) or await places.place(request)
            judge_head(request, largest_head=self._largest_head)
            response = await way.handler(request)
            self._audit.answered(request)
        except Exception as error:  # noqa: BLE001 - the last resort: nothing of ours may leak to the caller
            self._audit.ended(request, error)
            response = answer_to(request, error)
        finally:
            if place:
                place.give_back()
        if type(response) is Answer:
            response.every = self._every
        return response

    async def _found(self, request: web.Request) -> Way:
        """Return the way of the route that the router finds; its own answer where there is none."""
        found = await self._app.router.resolve(request)
        found.add_app(self._app)
        found.freeze()
        request._match_info = found  # noqa: SLF001 - as aiohttp does
        if found.http_exception:
            return Way(self._admission(request.path), found.handler)
        return self._way(self._rows.row_at(found.route), request.path)

    def _way(self, row: Route | None, path: str) -> Way:
        return Way(self._admission(path), handler_of(row))

    def _admission(self, path: str) -> Admission | None:
        return None if path.startswith(_HEALTH) else self._places


def handler_of(row: Route | None) -> Handler:
    """Return a row's handler behind what its policy asks; a route without a row is closed."""
    if row is None:
        return _closed
    return row.handler if isinstance(row.policy, Open) else guarded(row.handler, row.policy)


async def _closed(_request: web.Request) -> web.StreamResponse:
    raise LookupError("a route without a policy")
