"""The authorize endpoint: understands a request, and turns each step of its flow into a page or an answer.

Which step comes next is ``next_step``'s decision; what a page's form does is in ``sign_in``.
Source: Entra, "OAuth 2.0 authorization code flow"; OpenID Connect Core 3.1.2; RFC 7636.
"""

import re
from typing import Final

from aiohttp import web

from local_tenant import answers, pages
from local_tenant.answers import Destination
from local_tenant.directory import Directory
from local_tenant.discovery import check_tenant
from local_tenant.next_step import SILENT_REFUSALS, Situation, Step, hinted_person, next_step
from local_tenant.page_frame import respond
from local_tenant.pkce import read_challenge
from local_tenant.policies import ClaimsRequest
from local_tenant.refusals import AadstsRefusal, refusal
from local_tenant.scopes import RequestedScope, check_resource
from local_tenant.sessions import AuthorizeRequest, Flow
from local_tenant.sso_cookie import sso_handle
from local_tenant.tenant import TENANT, Tenant
from local_tenant.wire import fields_of, redirect, repeated_field

INJECTED: Final = web.RequestKey("injected", AadstsRefusal)
"""A refusal that fault injection wants this authorize request to get."""

routes = web.RouteTableDef()

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account", "create"})
_OF_THE_DESTINATION: Final = frozenset({"client_id", "redirect_uri", "response_mode", "state"})


@routes.get("/{tenant}/oauth2/v2.0/authorize", name="authorize")
@routes.post("/{tenant}/oauth2/v2.0/authorize", name="authorize_by_post")
async def authorize(request: web.Request) -> web.Response:
    """Answer an authorize request: a page, or the answer itself when the person need not be asked.

    An unknown client or redirect URI is refused on a page, never by a redirect (AADSTS700016, 50011), and so is one
    that is there twice (90100).
    """
    tenant = check_tenant(request)
    fields, repeated = await fields_of(request), await repeated_field(request)
    if repeated and repeated in _OF_THE_DESTINATION:
        raise refusal(90100, name=repeated)
    destination = Destination.resolve(fields, tenant.directory)
    try:
        if repeated:
            raise refusal(90100, name=repeated)
        authorize_request = understand(fields, destination, tenant.directory)
    except AadstsRefusal as refused:
        return answers.refuse(request, tenant, destination, refused)
    flow = tenant.sessions.start_flow(authorize_request)
    if injected := request.get(INJECTED):
        return answers.refuse(request, tenant, destination, injected, flow)
    return proceed(request, flow, Situation.of(tenant, flow, sso_handle(request)))


def understand(fields: dict[str, str], destination: Destination, directory: Directory) -> AuthorizeRequest:
    """Return the request, understood. Unknown parameters are ignored, as Entra does.

    Raises what goes back to the application: 700054 and 70005 (response type), 900144 (none, or no scope), 70011,
    500011, 9010010 (resource), 90023 (prompt), 50147 and 501491 (PKCE), 9002313.
    """
    _check_response_type(fields.get("response_type", "").split())
    if not fields.get("scope", "").strip():
        raise refusal(900144, name="scope")
    prompt = fields.get("prompt", "").split()
    if len(prompt) > 1 or not _PROMPTS.issuperset(prompt):
        raise refusal(90023, what="Unsupported 'prompt' value.")  # Entra takes one value at a time
    challenge = read_challenge(fields)
    max_age = fields.get("max_age") or None
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise refusal(9002313)
    requested = RequestedScope.parse(fields["scope"], directory)
    check_resource(fields.get("resource"), requested, directory)
    return AuthorizeRequest(
        client_id=destination.client.client_id,
        redirect_uri=destination.redirect_uri,
        response_mode=destination.response_mode,
        requested=requested,
        claims_request=ClaimsRequest.parse(fields.get("claims")),
        state=destination.state,
        nonce=fields.get("nonce"),
        challenge=challenge,
        prompt=frozenset(prompt),
        login_hint=fields.get("login_hint"),
        max_age=int(max_age) if max_age is not None else None,
        client_info=fields.get("client_info") == "1",
    )


def _check_response_type(kinds: list[str]) -> None:
    if kinds == ["code"]:
        return
    if not kinds:
        raise refusal(900144, name="response_type")
    exists = len(kinds) == len(set(kinds)) and set(kinds) <= {"code", "id_token", "token"}  # in any order
    raise refusal(700054) if exists else refusal(70005, name=" ".join(kinds))


def proceed(request: web.Request, flow: Flow, now: Situation) -> web.Response:
    """Take the next step of a flow: show its page, or answer the application.

    After a form, a page is reached by a redirect, so that reloading it sends nothing twice.
    """
    tenant = now.tenant
    try:
        step = next_step(now)
        if step is Step.ANSWER:
            return answers.grant_code(tenant, now)
        if "none" in flow.request.prompt:
            raise refusal(SILENT_REFUSALS[step])
    except AadstsRefusal as refused:
        destination = Destination.of(flow.request, tenant.directory)
        return answers.refuse(request, tenant, destination, refused, flow)
    if request.method == "POST":
        return redirect(flow_path(tenant, flow))
    return show(step, now)


def show(
    step: Step,
    now: Situation,
    *,
    fault: str = "",
    wrong: str = "",
    details: str = "",
    filled: dict[str, str] | None = None,
) -> web.Response:
    """Return the page of a step.

    ``fault`` is what was wrong with the form, ``wrong`` in which field where it is one, ``filled`` what was typed.
    """
    tenant, flow, typed = now.tenant, now.flow, filled or {}
    app_name = tenant.directory.app(flow.request.client_id).name
    path, origin = flow_path(tenant, flow), flow.request.redirect_origin
    if step is Step.SIGN_IN:
        hinted = hinted_person(tenant, flow.request.login_hint)
        email = typed.get("email", hinted.email if hinted else flow.request.login_hint or "")
        page = pages.sign_in(app_name, path, email=email, fault=fault, details=details)
    elif step is Step.SIGN_UP:
        page = pages.sign_up(app_name, path, typed, fault=fault, wrong=wrong)
    elif step is Step.CHOOSE_ACCOUNT:
        page = pages.choose_account(app_name, path, email=now.person.email if now.person else "")
    else:
        address = now.person.email if now.person else ""
        if not tenant.inbox.has_sent(flow.id, address):
            tenant.inbox.send(flow.id, address, f"Confirm it's you for {app_name}")
        page = pages.second_factor(app_name, path, pages.masked(address), fault=fault)
    return respond(page, status=400 if fault else 200, form_action=origin)


def flow_path(tenant: Tenant, flow: Flow) -> str:
    """Return where a flow's pages live."""
    return f"/{tenant.directory.tenant_id}/journeys/{flow.id}"


def flow_of(request: web.Request) -> tuple[Tenant, Flow]:
    """Return the flow that the path names. Raises refusal 9002313, shown as a page, for one that is over."""
    tenant = check_tenant(request)
    flow = request.app[TENANT].sessions.flow(request.match_info["flow"])
    if flow is None:
        raise refusal(9002313)
    return tenant, flow
