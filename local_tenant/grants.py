"""The token endpoint: one function per grant, from a form to tokens.

Who the client is, is ``client_auth``'s; what is still good, ``ledger``'s; whether policy allows it, ``policies``';
what is written into tokens, ``tokens``'. Answers here are JSON, success or refusal.
Source: RFC 6749, RFC 7636, RFC 7523; Entra's on-behalf-of flow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from local_tenant.answers import client_info
from local_tenant.app_registration import Platform
from local_tenant.client_auth import ProvenClient, prove_client
from local_tenant.directory import Person
from local_tenant.discovery import check_tenant
from local_tenant.forgery import forge
from local_tenant.ledger import Code, Grant, RefreshToken
from local_tenant.pkce import check_verifier
from local_tenant.platforms import application_of, check_platform, preflight, readable_by
from local_tenant.policies import ClaimsRequest
from local_tenant.refusals import AadstsRefusal, refusal
from local_tenant.scopes import RequestedScope, check_resource, grant
from local_tenant.signing import BadSignatureError, Claims, within_time
from local_tenant.tenant import Tenant
from local_tenant.tokens import AccessContext
from local_tenant.wire import SupportIds, fields_of, repeated_field

ON_BEHALF_OF: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token request whose client has proved itself."""

    tenant: Tenant
    form: dict[str, str]
    client: ProvenClient
    origin: str | None
    """Of the web page that asks; services send none."""

    def required(self, name: str) -> str:
        """Return a parameter. Raises 900144 when it is missing."""
        if not (value := self.form.get(name)):
            raise refusal(900144, name=name)
        return value

    def scope(self) -> RequestedScope:
        """Return the scope parameter, understood. Raises 90014 when it is missing, 28003 when it is empty."""
        if "scope" not in self.form:
            raise refusal(90014, name="scope")
        requested = RequestedScope.parse(self.form["scope"], self.tenant.directory)
        check_resource(self.form.get("resource"), requested, self.tenant.directory)
        return requested

    def of_platform(self, platform: Platform, *, pkce: bool = True) -> None:
        """Check that the request comes as those of a platform do. Raises as ``check_platform``."""
        proven = self.client.credential != "none"
        check_platform(platform, self.client.app, proven=proven, origin=self.origin, pkce=pkce)


@routes.options("/{tenant}/oauth2/v2.0/token")
async def token_preflight(request: web.Request) -> web.Response:
    """Answer whether a page may send a token request: one of a single-page application may."""
    origin = request.headers.get(hdrs.ORIGIN, "")
    app = application_of(origin, check_tenant(request).directory)
    return preflight(request, readable_by(origin, app), "POST, OPTIONS")


@routes.post("/{tenant}/oauth2/v2.0/token", name="token")
async def token(request: web.Request) -> web.Response:
    """Answer a token request."""
    tenant = check_tenant(request)
    form = await fields_of(request)
    support = SupportIds.of(request, tenant.ids)
    app = tenant.directory.registered(form.get("client_id", ""))
    headers = {
        **support.headers(),
        **readable_by(request.headers.get(hdrs.ORIGIN), app),
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        # Sent as Entra does; a client whose transport keeps cookies would mix people up.
        "Set-Cookie": f"fpc={tenant.ids.opaque(16)}; path=/; secure; HttpOnly; SameSite=None",
    }
    try:
        if repeated := await repeated_field(request):
            raise refusal(90100, name=repeated)
        body = _grant(request, form, tenant)
    except AadstsRefusal as refused:
        answer = refused.as_json(support.trace_id, support.correlation_id, tenant.clock())
        headers["x-ms-clitelem"] = f"1,{refused.number},0,,"
        return web.json_response(answer, status=refused.row.status, headers=headers)
    headers["x-ms-clitelem"] = "1,0,0,,"
    return web.json_response(body, headers=headers)


def _grant(request: web.Request, form: dict[str, str], tenant: Tenant) -> dict[str, object]:
    grant_type = form.get("grant_type")
    if not grant_type:
        raise refusal(900144, name="grant_type")
    if grant_type not in GRANTS:
        raise refusal(70003, name=grant_type)
    client = prove_client(request, form, tenant)
    origin = request.headers.get(hdrs.ORIGIN)
    return GRANTS[grant_type](TokenRequest(tenant, form, client, origin))


def authorization_code(request: TokenRequest) -> dict[str, object]:
    """Redeem a code, once; without a scope, for what the authorize request asked.

    Raises 54005 (again), 500112 (redirect URI), 501481 (PKCE), 28000 (two resources), 28003 (an empty scope).
    """
    tenant = request.tenant
    code = tenant.ledger.look_up_code(request.required("code"), request.client.app.client_id)
    request.of_platform(code.grant.platform, pkce=code.request.challenge is not None)
    if request.required("redirect_uri") != code.request.redirect_uri:
        raise refusal(500112)
    check_verifier(code.request.challenge, request.form.get("code_verifier"))
    requested = request.scope() if "scope" in request.form else code.request.requested
    resource = requested.only_resource()
    person = _living(tenant, code.grant)
    claims_request = ClaimsRequest.parse(request.form.get("claims"))
    answer = _answer(
        request, person, code.grant, requested, resource, claims_request=claims_request, code=code
    )
    code.redeemed = True  # only now: a refused request leaves the code usable
    return answer


def refresh_token(request: TokenRequest) -> dict[str, object]:
    """Use a refresh token, for another one; it stays usable, unless strict rotation is on.

    Of several resources, the first counts. Without a scope, the scopes that were granted first (RFC 6749, section 6).
    """
    tenant = request.tenant
    rotate = tenant.knobs.rotate_refresh_tokens
    held = tenant.ledger.look_up_refresh_token(
        request.required("refresh_token"), request.client.app.client_id, rotate=rotate
    )
    request.of_platform(held.grant.platform)
    person = _living(tenant, held.grant)
    requested = request.scope() if request.form.get("scope") else held.scope
    claims_request = ClaimsRequest.parse(request.form.get("claims"))
    answer = _answer(
        request,
        person,
        held.grant,
        requested,
        requested.resources[0],
        claims_request=claims_request,
        held=held,
    )
    held.used = True
    return answer


def client_credentials(request: TokenRequest) -> dict[str, object]:
    """Return an application's own token: no ID token, no ``client_info``, no refresh token.

    With any of them MSAL would file the token under a user and never find it again.
    """
    request.of_platform("web")
    requested = request.scope()
    words = request.form["scope"].split()
    if len(words) != 1 or [permission.name for permission in requested.permissions] != [".default"]:
        raise refusal(70011, name=request.form["scope"])
    seconds = request.tenant.mint.lifetime()
    token_value = request.tenant.mint.app_token(
        request.client.app, requested.resources[0], request.client.credential, seconds
    )
    return {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token_value,
    }


def on_behalf_of(request: TokenRequest) -> dict[str, object]:
    """Exchange a person's token for one of a resource behind the caller.

    Raises 50013 (not ours, or nobody's), 500133 (too old), 500131 (for another audience), 7000114 (an application's).
    Not checked, as in Entra: the assertion's ``scp``. Enforcing scopes is the middle tier's own job.
    """
    tenant = request.tenant
    request.of_platform("web")
    assertion = request.required("assertion")
    if request.required("requested_token_use") != "on_behalf_of":
        raise refusal(900144, name="requested_token_use")
    requested = request.scope()
    resource = requested.only_resource()
    claims = _open_assertion(assertion, request)
    lineage = tenant.ledger.behind_access_token(str(claims.get("uti")))
    person = _living(tenant, lineage)
    derived = tenant.ledger.grant_on_behalf(lineage, request.client.app.client_id)
    claims_request = ClaimsRequest.parse(request.form.get("claims"))
    return _answer(request, person, derived, requested, resource, claims_request=claims_request)


def _open_assertion(assertion: str, request: TokenRequest) -> Claims:
    tenant, app = request.tenant, request.client.app
    try:
        claims = tenant.keys.open(assertion)
    except BadSignatureError:
        raise refusal(50013) from None
    if not within_time(claims, tenant.clock):
        raise refusal(500133)
    if claims.get("aud") not in (app.client_id, *app.identifier_uris):
        raise refusal(500131)
    if claims.get("idtyp") == "app":
        raise refusal(7000114, client=app.client_id)
    return claims


def _living(tenant: Tenant, lineage: Grant) -> Person:
    person = tenant.directory.by_oid(lineage.oid)
    if person is None or not person.enabled:
        raise refusal(50057)
    if person.generation != lineage.generation:
        raise refusal(50173)
    return person


def _answer(
    request: TokenRequest,
    person: Person,
    lineage: Grant,
    requested: RequestedScope,
    resource: str,
    *,
    claims_request: ClaimsRequest,
    code: Code | None = None,
    held: RefreshToken | None = None,
) -> dict[str, object]:
    tenant, client = request.tenant, request.client
    granted = grant(client.app, requested, resource)
    if unmet := tenant.policies.unmet((resource,), claims_request, person, lineage.proof):
        raise unmet
    contexts = tenant.policies.contexts_met(claims_request)
    seconds = tenant.mint.lifetime()
    context = AccessContext(
        client.app,
        client.credential,
        uti=tenant.ledger.note_access_token(lineage),
        contexts=contexts,
        capabilities=claims_request.client_capabilities,
    )
    body: dict[str, object] = {
        "token_type": "Bearer",
        "scope": granted.answer,
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": tenant.mint.access_token(person, lineage, granted, context, seconds),
    }
    if tenant.knobs.refresh_in_seconds:
        body["refresh_in"] = tenant.knobs.refresh_in_seconds
    if "offline_access" in requested.openid or request.form["grant_type"] == "refresh_token":
        first = held.scope if held else code.request.requested if code else requested
        body["refresh_token"] = tenant.ledger.issue_refresh_token(lineage, first, held)
    if "openid" in requested.openid:
        nonce = code.request.nonce if code else None
        id_claims = tenant.mint.id_token(
            client.app, person, lineage, nonce, contexts, openid=requested.openid
        )
        order = tenant.take_forgery() if code else None
        id_token = forge(order, id_claims, client.app, tenant.keys) if order else tenant.keys.sign(id_claims)
        body |= {"id_token": id_token} if id_token else {}
    if request.form.get("client_info") == "1" and not tenant.knobs.omit_client_info:
        body["client_info"] = client_info(person.oid, tenant.directory.tenant_id)
    return body


GRANTS: Final[dict[str, Callable[[TokenRequest], dict[str, object]]]] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
    ON_BEHALF_OF: on_behalf_of,
}
"""The grants by ``grant_type``; what fault points call them is said in ``middlewares``."""
