"""The rest of Graph: what it would do and this doesn't, what it doesn't know either, and questions of browsers.

Answers in Graph's shape, after looking at the token as Graph does; never a bare 404.
"""

import re
from typing import Final

from aiohttp import web

from local_tenant.graph_answers import caller
from local_tenant.graph_fields import GraphRefusal
from local_tenant.platforms import ANY_ORIGIN, preflight
from local_tenant.tenant import TENANT

routes = web.RouteTableDef()

_ANYTHING: Final = r"/{_0:/*}{version:(?i:v1\.0|beta)}{rest:(?:/.*)?}"
_METHODS: Final = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_SEGMENTS: Final = frozenset(
    {
        *("$batch", "$metadata", "admin", "applications", "auditlogs", "communications", "contacts", "chats"),
        *(
            "devices",
            "directory",
            "directoryobjects",
            "directoryroles",
            "domains",
            "drive",
            "drives",
            "education",
        ),
        *(
            "external",
            "groups",
            "identity",
            "identitygovernance",
            "invitations",
            "me",
            "oauth2permissiongrants",
        ),
        *("organization", "places", "planner", "policies", "reports", "rolemanagement", "schemaextensions"),
        *("search", "security", "serviceprincipals", "sites", "solutions", "subscriptions", "teams", "users"),
    }
)
"""What follows the version in Graph's addresses."""


@routes.options(_ANYTHING)
@routes.options("/oidc/userinfo")
async def may_be_asked(request: web.Request) -> web.Response:
    """Answer that pages of any origin may ask: what counts is the token."""
    return preflight(request, ANY_ORIGIN, _METHODS)


@routes.route("*", _ANYTHING, name="graph.other")
async def other(request: web.Request) -> web.Response:
    """Refuse: 405 for another method at ``/me``, 501 for what Graph does and this doesn't, 400 for what is nothing."""
    caller(request, request.app[TENANT])
    version = request.match_info["version"].casefold()
    segments = [segment for segment in request.match_info["rest"].split("/") if segment]
    first = re.split(r"[(?]", segments[0])[0] if segments else ""
    if version == "v1.0" and [segment.casefold() for segment in segments] == ["me"]:
        raise GraphRefusal(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
            allow="GET, HEAD, PATCH, OPTIONS",
        )
    if first and first.casefold() not in _SEGMENTS:
        raise GraphRefusal(400, "BadRequest", f"Resource not found for the segment '{first}'.")
    asked = f"{request.method} /{'/'.join([version, *segments])}"
    raise GraphRefusal(
        501, "notSupported", f"The local tenant does not do this: {asked}. It has GET and PATCH of /v1.0/me."
    )
