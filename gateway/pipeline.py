"""The way of every request: what its route asks for, put together once, in one order.

Owns the order of the controls, and that there is no way around them: an application that this is installed in has no
other. What a row asks for (its kind, places, limits, the records of a session) is looked up when the application is
made, not for each request.
Decides nothing itself: each control is a function of its own module, and raises.
docs/explanation/decisions/2026-11-27-one-way-for-every-request.md says why these are no middlewares.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp_session
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from aiohttp.web_urldispatcher import PlainResource, UrlMappingMatchInfo

from gateway.audit.origin import note_origin
from gateway.audit.refusals import Refusals
from gateway.edge.admission import GO_FIRST, Lane
from gateway.edge.client_address import ClientAddresses
from gateway.edge.cross_origin import preflight_answer
from gateway.edge.guard import ROUTE_TABLE, Guard, Judge, RequestKind, Route, lane_of_row
from gateway.edge.origins import OurOrigins
from gateway.limiting import Limiting
from gateway.metrics import Metrics
from gateway.request_metrics import RouteCounts, stays_open
from gateway.store.redis.budget import give_budget
from servicekit.http.admission import Admission
from servicekit.http.answers import Answer, EveryAnswer
from servicekit.http.request_heads import judge_head
from servicekit.problems import Draw, answer_to
from servicekit.reference import begin_request

# Whose requests leave for the authority, and come back from it.
_OF_FLOWS: Final = frozenset({RequestKind.NAVIGATION, RequestKind.CALLBACK})

_MOST_REMEMBERED: Final = 1_024
_LONGEST_REMEMBERED: Final = 256
"""Paths that the router has read before, and their letters."""


@dataclass(frozen=True, slots=True)
class Way:
    """What the requests of one route pass: `judge` raises, `admission` has places or is None, `handler` answers.

    `counts` counts for its metrics; `match` is its match where no part of its path is variable.
    """

    judge: Judge
    admission: Admission | None
    goes_first: bool
    is_seen: bool
    may_be_preflight: bool
    is_of_flows: bool
    handler: Handler
    counts: RouteCounts
    sessions: aiohttp_session.AbstractStorage
    match: UrlMappingMatchInfo | None = None


@dataclass(frozen=True, slots=True)
class _Match:
    """What the router found for a target, and the way of its route."""

    of: UrlMappingMatchInfo
    way: Way


@dataclass(frozen=True, slots=True)
class Controls:
    """What stands before the handlers, and what follows them; `redis_seconds` is what a request may wait for Redis.

    `sessions` makes what finds a request's session with the records that its route names.
    """

    guard: Guard
    places: Mapping[Lane, Admission | None]
    limiting: Limiting
    refusals: Refusals
    metrics: Metrics
    origins: OurOrigins
    sessions: Callable[[Route | None], aiohttp_session.AbstractStorage]
    draw: Draw
    every: EveryAnswer
    redis_seconds: float


class Pipeline:
    """The ways of one application's requests."""

    def __init__(self, app: web.Application, controls: Controls) -> None:
        self._app = app
        self._router = app.router
        self._controls = controls
        self._addresses: ClientAddresses = controls.limiting.addresses
        self._ways = {route: self._way(row, route) for route, row in app[ROUTE_TABLE]}
        self._lost = Way(
            judge=_nothing,
            admission=controls.places[Lane.PAGES],
            goes_first=False,
            is_seen=True,
            may_be_preflight=bool(controls.origins.others),
            is_of_flows=False,
            handler=_router_answer,
            counts=controls.metrics.of_no_route(),
            sessions=controls.sessions(None),
        )
        self._matches: dict[tuple[str, str], _Match] = {}
        # By what a request line says letter for letter: all other spellings are the router's to read.
        self._exact: Final[dict[tuple[str, str], Way]] = {}
        for route, way in self._ways.items():
            if way.match is not None:
                self._exact.setdefault((route.method, _template(route)), way)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request: the only way in."""
        way = self.way_by_letters(request)
        if way is None:
            way = await self.way_of(request)
        else:
            request._match_info = way.match  # noqa: SLF001 - as aiohttp does with what its router returns
        if hdrs.EXPECT in request.headers:
            await request.match_info.expect_handler(request)
            await request.writer.drain()
        began = time.perf_counter()
        begin_request(request)
        note_origin(request, self._addresses.of(request))
        request[aiohttp_session.STORAGE_KEY] = way.sessions
        controls, has_met, place = self._controls, way.is_of_flows, None
        try:
            if places := way.admission:
                place = places.free_place(request) or await places.place(request)
            judge_head(request)
            give_budget(controls.redis_seconds, goes_first=way.goes_first)
            preflight = await preflight_answer(request, controls.origins) if way.may_be_preflight else None
            if preflight is None:
                way.judge(request)
                if way.is_seen:
                    controls.limiting.see(request)
                response = await way.handler(request)
            else:
                response = preflight
        except Exception as error:  # noqa: BLE001 - the last resort: nothing of ours may leak to the caller
            controls.refusals.record(request, error)
            response, has_met = answer_to(request, error, controls.draw), True
        finally:
            if place:
                place.give_back()
        if type(response) is Answer:
            response.every = controls.every
        # A stream or a WebSocket stays open on purpose.
        lasts = type(response) is not Answer and stays_open(response)
        way.counts.answered(response.status, None if lasts else time.perf_counter() - began)
        if has_met:
            controls.metrics.met(request)
        return response

    async def way_of(self, request: web.Request) -> Way:
        """Return the way of the route that the router finds; its own answer where there is none.

        The same letters lead to the same route as long as the application lives: what was found is remembered, of so
        many paths, none of them long, and none that leads nowhere. A query leads nowhere else, and is not remembered.
        """
        path = request.raw_path.partition("?")[0]
        key = (request.method, path)
        if match := self._matches.get(key):
            request._match_info = match.of  # noqa: SLF001 - as aiohttp does
            return match.way
        found = await self._router.resolve(request)
        found.add_app(self._app)
        found.freeze()
        request._match_info = found  # noqa: SLF001 - as aiohttp does
        if found.http_exception:
            return self._lost
        way = self.way_at(found.route)
        if len(path) <= _LONGEST_REMEMBERED:
            self._matches[key] = _Match(found, way)
            if len(self._matches) > _MOST_REMEMBERED:
                del self._matches[next(iter(self._matches))]
        return way

    def way_by_letters(self, request: web.Request) -> Way | None:
        """Return the way of a path without variable parts; None where the router has to read it."""
        return self._exact.get((request.method, request.raw_path))

    def way_at(self, route: web.AbstractRoute) -> Way:
        """Return the way of a route of the router."""
        way = self._ways.get(route)
        if way is None:  # added since; where it has no row, the guard refuses it
            way = self._ways[route] = self._way(self._app[ROUTE_TABLE].row_at(route), route)
        return way

    def _way(self, row: Route | None, route: web.AbstractRoute) -> Way:
        controls, resource = self._controls, route.resource
        lane = lane_of_row(row)
        match = None
        if isinstance(resource, PlainResource):
            match = UrlMappingMatchInfo({}, route)
            match.add_app(self._app)
            match.freeze()
        sessions = controls.sessions(row)
        return Way(
            judge=controls.guard.judge_of(row),
            admission=controls.places[lane],
            goes_first=lane in GO_FIRST,
            is_seen=lane is not Lane.HEALTH,
            may_be_preflight=bool(controls.origins.others) and route.method == hdrs.METH_OPTIONS,
            is_of_flows=row is not None and row.kind in _OF_FLOWS,
            handler=self._handler(row, sessions) if row else _router_answer,
            counts=controls.metrics.of_route(route.method, _template(route)),
            sessions=sessions,
            match=match,
        )

    def _handler(self, row: Route, sessions: aiohttp_session.AbstractStorage) -> Handler:
        """Return a row's handler behind what its limits and its session need."""
        limiting = self._controls.limiting
        handler = limiting.persons.around(row, row.handler)
        if row.binds_session:
            handler = functools.partial(aiohttp_session.session_middleware(sessions), handler=handler)
        return limiting.networks.around(row, handler)


def _template(route: web.AbstractRoute) -> str:
    return route.resource.canonical if route.resource else ""


def _nothing(_request: web.Request) -> None:
    """Judge nothing: the router's own answer is the same for everybody."""


async def _router_answer(request: web.Request) -> web.StreamResponse:
    """Answer as the router does: 404, or 405 with what the address takes."""
    return await request.match_info.handler(request)
