"""Microsoft Graph, as far as a person's own profile goes: ``GET`` and ``PATCH /v1.0/me``.

Takes only Graph's own tokens, and writes errors in Graph's shape. Which properties there are is in ``graph_fields``.
"""

import base64
import json
from typing import Final

from aiohttp import hdrs, web

from local_tenant.clock import graph_date
from local_tenant.directory import GRAPH, Person
from local_tenant.graph_fields import GraphRefusal, check_changes, selected
from local_tenant.json_text import read_json
from local_tenant.scopes import GRAPH_URI
from local_tenant.signing import BadSignatureError, Claims, within_time
from local_tenant.tenant import TENANT, Tenant

routes = web.RouteTableDef()

_CONTEXT: Final = "https://graph.microsoft.com/v1.0/$metadata#users"
_DIAGNOSTIC: Final = json.dumps(
    {
        "ServerInfo": {
            "DataCenter": "Local",
            "Slice": "E",
            "Ring": "0",
            "ScaleUnit": "000",
            "RoleInstance": "STANDIN",
        }
    }
)


@routes.get("/v1.0/me", name="graph.get_me")
async def get_me(request: web.Request) -> web.Response:
    """Answer the signed-in person's profile, as a replica sees it."""
    tenant = request.app[TENANT]
    _, person = _caller(request, tenant, "User.Read", "User.ReadWrite")
    profile = person.profile_at(tenant.clock() - tenant.knobs.graph_lag_seconds)
    if profile is None:
        raise GraphRefusal(
            404,
            "Request_ResourceNotFound",
            f"Resource '{person.oid}' does not exist or one of its queried"
            " reference-property objects are not present.",
        )
    select = request.query.get("$select")
    values = selected(profile, select)
    entity = f"({','.join(values)})/$entity" if select else "/$entity"
    return web.json_response(
        {"@odata.context": f"{_CONTEXT}{entity}", **values},
        headers={**support_headers(request, tenant), "x-ms-resource-unit": "1", "OData-Version": "4.0"},
    )


@routes.patch("/v1.0/me", name="graph.patch_me")
async def patch_me(request: web.Request) -> web.Response:
    """Change the signed-in person's profile: 204, all or nothing. No ETag: the last write wins."""
    tenant = request.app[TENANT]
    _, person = _caller(request, tenant, "User.ReadWrite")
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
async def userinfo(request: web.Request) -> web.Response:
    """Answer the OpenID Connect userinfo endpoint, which Entra keeps at Graph."""
    tenant = request.app[TENANT]
    claims, person = _caller(request, tenant, "openid")
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


def _caller(request: web.Request, tenant: Tenant, *any_of: str) -> tuple[Claims, Person]:
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise GraphRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        claims = tenant.keys.open_graph_token(value)
    except BadSignatureError:
        raise GraphRefusal(401, "InvalidAuthenticationToken", "Invalid token or signature.") from None
    if claims.get("aud") not in (GRAPH_URI, GRAPH):
        raise GraphRefusal(
            401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience."
        )
    if not within_time(claims, tenant.clock):
        raise GraphRefusal(
            401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."
        )
    if "scp" not in claims:
        raise GraphRefusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    if not set(any_of) & set(str(claims["scp"]).split()):
        raise GraphRefusal(
            403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
        )
    person = tenant.directory.by_oid(str(claims.get("oid")))
    if person is None:
        raise GraphRefusal(404, "Request_ResourceNotFound", "The user of this token does not exist.")
    if not person.enabled:
        raise GraphRefusal(401, "InvalidAuthenticationToken", "User account is disabled.")
    return claims, person


def support_headers(request: web.Request, tenant: Tenant) -> dict[str, str]:
    """Return the headers of every answer of Graph; our caller's ``client-request-id`` comes back."""
    request_id = tenant.ids.guid()
    return {
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id") or request_id,
        "x-ms-ags-diagnostic": _DIAGNOSTIC,
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000",
    }


def refuse(request: web.Request, refused: GraphRefusal) -> web.Response:
    """Return a refusal in Graph's shape."""
    tenant = request.app[TENANT]
    headers = support_headers(request, tenant)
    error: dict[str, object] = {
        "code": refused.code,
        "message": refused.message,
        "innerError": {
            "date": graph_date(tenant.clock()),
            "request-id": headers["request-id"],
            "client-request-id": headers["client-request-id"],
        },
    }
    if refused.target:
        error["details"] = [{"target": refused.target, "code": "InvalidValue"}]
    if refused.status == 401:  # noqa: PLR2004 - HTTP's own number
        challenge = (
            'Bearer realm="", '
            'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            f'client_id="{GRAPH}"'
        )
        if refused.claims:
            packed = base64.b64encode(refused.claims.encode()).decode()
            challenge += f', error="insufficient_claims", claims="{packed}"'
        headers[hdrs.WWW_AUTHENTICATE] = challenge
    return web.json_response({"error": error}, status=refused.status, headers=headers)
