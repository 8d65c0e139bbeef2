"""How the authorize endpoint answers an application: where to, in which response mode, with a code or a refusal.

A refusal goes to the application only after client and redirect URI are known to be good; some refusals are for the
person's eyes and stay on a page.
Source: RFC 6749 4.1.2; OAuth 2.0 Multiple Response Types; OAuth 2.0 Form Post Response Mode.
"""

import base64
import json
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from local_tenant import pages
from local_tenant.aadsts import At
from local_tenant.app_registration import AppRegistration
from local_tenant.directory import Directory
from local_tenant.next_step import Situation
from local_tenant.page_frame import respond
from local_tenant.refusals import AadstsRefusal, refusal
from local_tenant.sessions import AuthorizeRequest, Flow
from local_tenant.tenant import Tenant
from local_tenant.wire import SupportIds, redirect

RESPONSE_MODES = ("query", "fragment", "form_post")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an authorize answer goes."""

    client: AppRegistration
    redirect_uri: str
    response_mode: str
    state: str | None

    @classmethod
    def resolve(cls, fields: dict[str, str], directory: Directory) -> "Destination":
        """Return the destination that a request names. Raises 900144, 700016, 50011 or 70007: all of them pages."""
        for name in ("client_id", "redirect_uri"):
            if not fields.get(name):
                raise refusal(900144, name=name)
        client = directory.app(fields["client_id"])
        uri = fields["redirect_uri"]
        if client.platform_of(uri) is None:
            raise refusal(50011, name=uri, client=client.client_id)
        mode = fields.get("response_mode") or "query"
        if mode not in RESPONSE_MODES:
            raise refusal(70007, name=mode)
        return cls(client, uri, mode, fields.get("state"))

    @classmethod
    def of(cls, request: AuthorizeRequest, directory: Directory) -> "Destination":
        """Return the destination of a request that was understood before."""
        return cls(
            directory.app(request.client_id), request.redirect_uri, request.response_mode, request.state
        )


def client_info(oid: str, tenant_id: str) -> str:
    """Return ``client_info``: the person's ids, for MSAL's cache."""
    packed = json.dumps({"uid": oid, "utid": tenant_id}, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def grant_code(tenant: Tenant, now: Situation) -> web.Response:
    """Answer with a code, and remember that the application takes part in the session."""
    session, person, flow = now.session, now.person, now.flow
    if session is None or person is None:
        raise refusal(50058)
    request = flow.request
    if request.client_id not in session.clients:
        session.clients.append(request.client_id)
    if tenant.impostors:
        person = tenant.directory.find(tenant.impostors.pop(0)) or person
    destination = Destination.of(request, tenant.directory)
    platform = destination.client.platform_of(request.redirect_uri) or "web"
    grant = tenant.ledger.grant_for(
        request, person.oid, session.sid, session.proof, generation=person.generation, platform=platform
    )
    fields = {"code": tenant.ledger.issue_code(request, grant)}
    if request.client_info:
        fields["client_info"] = client_info(person.oid, tenant.directory.tenant_id)
    fields["session_state"] = session.sid
    tenant.sessions.finish(flow)
    return deliver(destination, fields)


def refuse(
    request: web.Request,
    tenant: Tenant,
    destination: Destination,
    refused: AadstsRefusal,
    flow: Flow | None = None,
    *,
    error: str | None = None,
) -> web.Response:
    """Answer with a refusal: to the application, or on a page where Entra keeps it from the application.

    From the page, the way back answers ``access_denied``; ``error`` says so then.
    """
    support = SupportIds.of(request, tenant.ids)
    if refused.row.at is At.PAGE and flow and "none" not in flow.request.prompt:
        flow.refused = refused
        way_back = f"/{tenant.directory.tenant_id}/journeys/{flow.id}/cancel"
        page = pages.refused(refused.text, support.trace_id, support.correlation_id, way_back=way_back)
        return respond(page, status=refused.row.status, form_action=flow.request.redirect_origin)
    if flow:
        tenant.sessions.finish(flow)
    return deliver(
        destination,
        {
            "error": error or refused.row.authorize_error or refused.row.error,
            "error_description": refused.description(
                support.trace_id, support.correlation_id, tenant.clock()
            ),
            "error_uri": f"https://login.microsoftonline.com/error?code={refused.number}",
        },
    )


def deliver(destination: Destination, fields: dict[str, str]) -> web.Response:
    """Send fields to the redirect URI in its response mode, with the state exactly as it came."""
    if destination.state is not None:
        fields["state"] = destination.state
    uri = destination.redirect_uri
    if destination.response_mode == "form_post":
        parts = urlsplit(uri)
        page = pages.form_post(uri, destination.client.name, fields)
        return respond(page, form_action=f"{parts.scheme}://{parts.netloc}")
    if not urlsplit(uri).path:
        uri += "/"  # Entra returns a redirect URI without a path with one
    separator = "#" if destination.response_mode == "fragment" else ("&" if urlsplit(uri).query else "?")
    return redirect(f"{uri}{separator}{urlencode(fields)}", 302)
