"""How Graph answers, and whom: its headers, its errors, and the caller behind a bearer token.

Knows no endpoint and no property.
Source: Graph, "Error responses and resource types"; answers quoted in public reports.
"""

import base64
import json
from typing import Final

from aiohttp import hdrs, web

from local_tenant.clock import graph_date
from local_tenant.directory import GRAPH, Person
from local_tenant.graph_fields import GraphRefusal
from local_tenant.platforms import ANY_ORIGIN
from local_tenant.scopes import GRAPH_URI
from local_tenant.signing import BadSignatureError, Claims, within_time
from local_tenant.tenant import TENANT, Tenant

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
_READABLE: Final = "request-id, client-request-id, Retry-After, WWW-Authenticate, OData-Version"


def caller(request: web.Request, tenant: Tenant) -> Claims:
    """Return the claims of the request's token. Raises a 401 for none, another's, and one that is too old.

    Not checked here: what the token allows, and whether its person is still there; see ``person_of``.
    """
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").strip().partition(" ")
    value = value.strip()
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
    return claims


def person_of(claims: Claims, tenant: Tenant, *any_of: str) -> Person:
    """Return the person of a token that has one of these permissions. Raises 400, 401, 403 or 404."""
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
    return person


def support_headers(request: web.Request, tenant: Tenant) -> dict[str, str]:
    """Return the headers of every answer of Graph; our caller's ``client-request-id`` comes back."""
    request_id = tenant.ids.guid()
    return {
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id") or request_id,
        "x-ms-ags-diagnostic": _DIAGNOSTIC,
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000",
        **ANY_ORIGIN,
        "Access-Control-Expose-Headers": _READABLE,
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
    if refused.allow:
        headers[hdrs.ALLOW] = refused.allow
    return web.json_response({"error": error}, status=refused.status, headers=headers)
