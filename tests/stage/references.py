"""Requests with an id, in applications of tests that have no pipeline."""

from aiohttp import web
from aiohttp.typedefs import Handler

from servicekit.reference import HEADER, RequestId, begin_request, request_id_of


@web.middleware
async def with_reference(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin a request as the gateway does, which takes no id from anybody."""
    begin_request(request)
    return await handler(request)


@web.middleware
async def with_callers_reference(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin a request as the resource API does, behind another service of ours."""
    begin_request(request, RequestId.read(request.headers.get(HEADER, "")))
    return await handler(request)


async def tell_request_id(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Send the id back."""
    response.headers[HEADER] = request_id_of(request).text
