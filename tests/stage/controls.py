"""Controls of the pipeline in applications of a test's own, each by itself.

The product has them in one order and no other way (`gateway/pipeline.py`); a test of one control puts it before a
handler of its own.
"""

import time

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.edge.guard import ROUTE_TABLE, Guard
from gateway.metrics import Metrics
from gateway.request_metrics import stays_open


def judged_by(guard: Guard) -> Middleware:
    """Return what lets the guard judge each request by the row of its route, but not the router's own answers."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is None:
            guard.judge_of(request.app[ROUTE_TABLE].row_of(request))(request)
        return await handler(request)

    return middleware


def counted_by(metrics: Metrics) -> Middleware:
    """Return what lets each answer be counted."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        response = await handler(request)
        resource = request.match_info.route.resource
        counts = metrics.of_route(request.method, resource.canonical) if resource else metrics.of_no_route()
        seconds = time.perf_counter() - began
        counts.answered(response.status, None if stays_open(response) else seconds)
        metrics.met(request)
        return response

    return middleware
