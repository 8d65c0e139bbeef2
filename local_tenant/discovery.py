"""The authority's documents: OpenID Connect discovery and the key set. Serves them; decides nothing.

Left out because real Entra leaves them out, so that nobody builds on them: revocation, introspection, pushed requests,
``code_challenge_methods_supported``, back-channel logout.
"""

from aiohttp import web

from local_tenant.platforms import ANY_ORIGIN, preflight
from local_tenant.refusals import refusal
from local_tenant.tenant import TENANT, Tenant
from local_tenant.wire import SupportIds

routes = web.RouteTableDef()


def check_tenant(request: web.Request) -> Tenant:
    """Return the tenant that the path names. Raises 90002 for any other."""
    tenant = request.app[TENANT]
    named = request.match_info["tenant"]
    if named.casefold() not in {tenant.directory.tenant_id, tenant.directory.domain}:
        raise refusal(90002, name=named)
    return tenant


@routes.get("/{tenant}/v2.0/.well-known/openid-configuration", name="discovery")
async def discovery(request: web.Request) -> web.Response:
    """Answer the discovery document: what the browser opens is on the public URL, the rest on the authority's host."""
    tenant = check_tenant(request)
    tenant_id = tenant.directory.tenant_id
    services, browser = f"{tenant.host}/{tenant_id}", f"{tenant.public_url}/{tenant_id}"
    document = {
        "token_endpoint": f"{services}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
            "self_signed_tls_client_auth",
        ],
        "jwks_uri": f"{services}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": tenant.mint.issuer,
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{browser}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{services}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{browser}/oauth2/v2.0/logout",
        "claims_supported": [
            *("sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name"),
            *("msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username"),
            *("name", "tid", "ver", "at_hash", "c_hash", "email"),
        ],
        "kerberos_endpoint": f"{services}/kerberos",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }
    return web.json_response(document, headers=_headers(request, tenant))


@routes.options("/{tenant}/v2.0/.well-known/openid-configuration")
@routes.options("/{tenant}/discovery/v2.0/keys")
async def may_be_read(request: web.Request) -> web.Response:
    """Answer that pages of any origin may read the documents."""
    return preflight(request, ANY_ORIGIN, "GET, OPTIONS")


@routes.get("/{tenant}/discovery/v2.0/keys", name="keys")
async def keys(request: web.Request) -> web.Response:
    """Answer the published keys."""
    tenant = check_tenant(request)
    published = [key.as_jwk(tenant.mint.issuer) for key in tenant.keys.published]
    return web.json_response({"keys": published}, headers=_headers(request, tenant))


def _headers(request: web.Request, tenant: Tenant) -> dict[str, str]:
    return {
        **SupportIds.of(request, tenant.ids).headers(),
        "Cache-Control": "max-age=86400, private",
        **ANY_ORIGIN,
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    }
