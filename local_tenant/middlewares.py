"""The two middlewares around every handler: faults on order and the journal inside, refusals drawn outside."""

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from local_tenant import graph_answers, not_done, pages
from local_tenant.authority import INJECTED
from local_tenant.clock import http_date, iso
from local_tenant.faults import GRAPH_POINTS, POINTS, Fault
from local_tenant.grants import ON_BEHALF_OF
from local_tenant.graph_fields import GraphRefusal
from local_tenant.journal import (
    Entry,
    body_without_secrets,
    form_fields,
    headers_without_secrets,
    without_secrets,
)
from local_tenant.page_frame import respond
from local_tenant.refusals import AadstsRefusal
from local_tenant.tenant import TENANT
from local_tenant.wire import SupportIds, fields_of

_GRAPH_CODES: Final = {
    400: "Request_BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    409: "Directory_ConcurrencyViolation",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
}
_THROTTLED: Final = {
    "x-ms-throttle-scope": "Tenant_Application/ReadWrite/local/local",
    "x-ms-throttle-information": "CPULimitExceeded",
    "x-ms-throttle-limit-percentage": "1.2",
}


@web.middleware
async def refusals_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Draw what is refused below: Graph in its JSON, services' endpoints in Entra's JSON, pages as a page."""
    try:
        return await handler(request)
    except web.HTTPException as nothing:
        if isinstance(nothing, web.HTTPRequestEntityTooLarge) and _is_graph(request):
            too_large = GraphRefusal(413, "RequestEntityTooLarge", "The request body is too large.")
            return graph_answers.refuse(request, too_large)
        if request.match_info.http_exception is not nothing:
            raise
        return not_done.answer(request, nothing)  # no route has this path, or this method of it
    except GraphRefusal as refused:
        return graph_answers.refuse(request, refused)
    except AadstsRefusal as refused:
        tenant = request.app[TENANT]
        support = SupportIds.of(request, tenant.ids)
        if _is_page(request):
            over = "/journeys/" in request.path
            advice = "Go back to the application and start again: this page is out of date." if over else ""
            page = pages.refused(refused.text, support.trace_id, support.correlation_id, advice=advice)
            return respond(page, status=refused.row.status)
        answer = refused.as_json(support.trace_id, support.correlation_id, tenant.clock())
        return web.json_response(answer, status=refused.row.status, headers=support.headers())


async def date_of_the_tenant(request: web.Request, response: web.StreamResponse) -> None:
    """Say in ``Date`` what the tenant's clock says, so that a client's check of its own clock can be rehearsed."""
    response.headers[hdrs.DATE] = http_date(request.app[TENANT].clock())


def _is_graph(request: web.Request) -> bool:
    return (request.match_info.route.name or "").startswith("graph.")


def _is_page(request: web.Request) -> bool:
    path = request.path
    return "/journeys/" in path or path.endswith(("/authorize", "/logout"))


@web.middleware
async def faults_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write the journal, and let a fault strike if one is set for this point."""
    tenant = request.app[TENANT]
    point = await _point(request)
    if point is None:
        return await handler(request)
    body = (await request.read()).decode("utf-8", "replace")
    status = 500  # what a fault of our own would be
    try:
        fault = tenant.faults.take(point)
        response = await _struck(request, handler, point, fault) if fault else await handler(request)
        cut = fault is not None and fault.body == "reset"
        status = 0 if cut else response.status
    except GraphRefusal as refused:
        status = refused.status
        raise
    except AadstsRefusal as refused:
        status = refused.row.status
        raise
    except web.HTTPException as nothing:
        status = not_done.status_of(request, nothing)
        raise
    else:
        return response
    finally:
        _note(request, point, body, status)


async def _point(request: web.Request) -> str | None:
    if request.match_info.http_exception is not None:
        return "authority.other"
    route = request.match_info.route.name
    if route == "token":
        grant_type = (await fields_of(request)).get("grant_type", "")
        name = f"token.{'on_behalf_of' if grant_type == ON_BEHALF_OF else grant_type}"
        return name if name in POINTS else "token.other"
    name = (route or "").removesuffix("_by_post")
    return name if name in POINTS else None


async def _struck(request: web.Request, handler: Handler, point: str, fault: Fault) -> web.StreamResponse:
    done = await handler(request) if fault.after else None
    if fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    retry: dict[str, str] = (
        {hdrs.RETRY_AFTER: str(fault.retry_after)} if fault.retry_after is not None else {}
    )
    if fault.answers_normally:
        response = await handler(request) if done is None else done
        response.headers.update(retry)
        return response
    if fault.body == "reset":
        _cut(request)
        return web.Response(status=500)  # nobody gets it: the connection is gone
    if fault.body == "empty":
        return web.Response(status=fault.status or 200, headers=retry)
    if fault.body == "html":
        text = "<html><body><h1>Service Unavailable</h1></body></html>"
        return web.Response(status=fault.status or 503, text=text, content_type="text/html", headers=retry)
    return _json_fault(request, point, fault, retry) or await handler(request)


def _cut(request: web.Request) -> None:
    if request.transport is None:
        return
    if connection := request.transport.get_extra_info("socket"):
        # Without lingering, closing sends a reset and not an orderly end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


def _json_fault(request: web.Request, point: str, fault: Fault, retry: dict[str, str]) -> web.Response | None:
    tenant = request.app[TENANT]
    if point in GRAPH_POINTS:
        status = fault.status or 503
        code = _GRAPH_CODES.get(status, "UnknownError")
        refusal = GraphRefusal(status, code, "The stand-in was told to fail here.", claims=fault.claims)
        response = graph_answers.refuse(request, refusal)
        response.headers.update(retry | (_THROTTLED if status == HTTPStatus.TOO_MANY_REQUESTS else {}))
        return response
    refused = fault.refusal
    if refused and request.match_info.route.name in {"logout", "logout_by_post"} and not fault.status:
        raise refused  # a browser asks there, so that it becomes a page
    if refused and request.match_info.route.name in {"authorize", "authorize_by_post"} and not fault.status:
        request[INJECTED] = refused  # the authorize endpoint answers it where this client listens
        return None
    support = SupportIds.of(request, tenant.ids)
    headers = {**support.headers(), **retry, "Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    if refused:
        answer = refused.as_json(support.trace_id, support.correlation_id, tenant.clock())
        headers["x-ms-clitelem"] = f"1,{refused.number},0,,"
        return web.json_response(answer, status=fault.status or refused.row.status, headers=headers)
    answer = {"error": "temporarily_unavailable", "error_description": "The stand-in was told to fail here."}
    return web.json_response(answer, status=fault.status or 503, headers=headers)


def _note(request: web.Request, point: str, body: str, status: int) -> None:
    tenant = request.app[TENANT]
    form = form_fields(request.content_type, body)
    tenant.journal.entries.append(
        Entry(
            at=iso(tenant.clock()),
            point=point,
            method=request.method,
            path=request.path,
            query=without_secrets(request.query),
            headers=headers_without_secrets(request.headers),
            form=without_secrets(form),
            body=body_without_secrets(point, body) if body and not form else None,
            status=status,
        )
    )
