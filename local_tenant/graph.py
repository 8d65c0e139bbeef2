"""Microsoft Graph, as far as a person's own profile goes: ``GET`` and ``PATCH /v1.0/me``, and userinfo.

Which properties there are is in ``graph_fields``; what Graph does and this doesn't, in ``graph_other``.
Ignored, as Graph does for a user resource: ``If-Match``, ``ConsistencyLevel``, and ``Prefer``, which may be.
"""

import json
from typing import Final

from aiohttp import web

from local_tenant.graph_answers import caller, person_of, support_headers
from local_tenant.graph_fields import GraphRefusal, check_changes, selected
from local_tenant.json_text import read_json
from local_tenant.tenant import TENANT

routes = web.RouteTableDef()

ME: Final = r"/{_0:/*}{_1:(?i:v1\.0)}{_2:/+}{_3:(?i:me)}{_4:/*}"
"""Graph tolerates more slashes than one, which a base address and a path often make, and any case."""
_CONTENT_TYPE: Final = (
    "application/json;odata.metadata={};odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)
_CONTEXT: Final = "https://graph.microsoft.com/v1.0/$metadata#users"


@routes.get(ME, name="graph.get_me")
async def get_me(request: web.Request) -> web.Response:
    """Answer the signed-in person's profile, as a replica sees it."""
    tenant = request.app[TENANT]
    person = person_of(caller(request, tenant), tenant, "User.Read", "User.ReadWrite")
    profile = person.profile_at(tenant.clock() - tenant.knobs.graph_lag_seconds)
    if profile is None:
        raise GraphRefusal(
            404,
            "Request_ResourceNotFound",
            f"Resource '{person.oid}' does not exist or one of its queried"
            " reference-property objects are not present.",
        )
    if "$expand" in request.query or "expand" in request.query:
        raise GraphRefusal(501, "notSupported", "The local tenant does not do this: $expand.")
    selects = [*request.query.getall("$select", ()), *request.query.getall("select", ())]
    if len(selects) > 1:
        raise GraphRefusal(
            400,
            "BadRequest",
            "Query option '$select' was specified more than once, but it may be there only once.",
        )
    select = selects[0] if selects else None
    values = selected(profile, select)
    entity = f"({','.join(values)})/$entity" if select else "/$entity"
    level = _metadata_level(request)
    context = {} if level == "none" else {"@odata.context": f"{_CONTEXT}{entity}"}
    headers = {
        **support_headers(request, tenant),
        "Content-Type": _CONTENT_TYPE.format(level),
        "x-ms-resource-unit": "1",
        "OData-Version": "4.0",
    }
    return web.Response(body=json.dumps(context | values).encode(), headers=headers)


def _metadata_level(request: web.Request) -> str:
    asked = "".join(request.headers.get("Accept", "").casefold().split())
    return next((level for level in ("none", "full") if f"odata.metadata={level}" in asked), "minimal")


@routes.patch(ME, name="graph.patch_me")
async def patch_me(request: web.Request) -> web.Response:
    """Change the signed-in person's profile: 204, all or nothing. No ETag: the last write wins."""
    tenant = request.app[TENANT]
    person = person_of(caller(request, tenant), tenant, "User.ReadWrite")
    if request.content_type != "application/json":
        raise GraphRefusal(
            400, "BadRequest", "Write requests must contain the Content-Type header declaration."
        )
    try:
        sent = read_json(await request.read())
    except ValueError:
        raise GraphRefusal(400, "BadRequest", "Unable to read JSON request payload.") from None
    person.write(check_changes(sent), tenant.clock())
    return web.Response(status=204, headers=support_headers(request, tenant))


@routes.get("/oidc/userinfo", name="graph.userinfo")
@routes.post("/oidc/userinfo", name="graph.userinfo_by_post")
async def userinfo(request: web.Request) -> web.Response:
    """Answer the OpenID Connect userinfo endpoint, which Entra keeps at Graph."""
    tenant = request.app[TENANT]
    claims = caller(request, tenant)
    person = person_of(claims, tenant, "openid")
    profile = person.profile()
    members = {
        "sub": tenant.mint.subject(person.oid, str(claims["appid"])),
        "name": person.name,
        "given_name": profile["givenName"],
        "family_name": profile["surname"],
        "email": person.email,
    }
    answer = {name: value for name, value in members.items() if value is not None}
    return web.json_response(answer, headers=support_headers(request, tenant))
