"""What the forms of the sign-in pages do. Each does its part and goes back to ``authority.proceed``.

One-time codes are ``inbox``'s, passwords ``directory``'s. Sign-up does not verify the address by mail first,
which External ID does: the inbox would be one more page without a finding.
"""

import re
from typing import Final

from aiohttp import web

from local_tenant import answers
from local_tenant.answers import Destination
from local_tenant.authority import flow_of, flow_path, proceed, show
from local_tenant.inbox import Outcome
from local_tenant.next_step import Situation, Step
from local_tenant.pages import LONGEST_NAME, SHORTEST_PASSWORD
from local_tenant.refusals import AadstsRefusal, refusal
from local_tenant.sessions import Flow, SsoSession
from local_tenant.sso_cookie import SSO_COOKIE, sso_handle
from local_tenant.tenant import Tenant
from local_tenant.wire import fields_of, redirect

routes = web.RouteTableDef()

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SIGN_IN_FAULTS: Final = {
    50126: "Your e-mail or password is wrong. Check both and try again.",
    50057: "This account is disabled. Ask an administrator.",
}
_CODE_FAULTS: Final = {
    Outcome.WRONG: "That code isn't right. Check the inbox and enter the newest code.",
    Outcome.EXPIRED: "That code has expired. Send a new code.",
    Outcome.TOO_MANY_TRIES: "Too many tries. Send a new code.",
}


@routes.get("/{tenant}/journeys/{flow}")
async def current_page(request: web.Request) -> web.Response:
    """Show the page of the step that the flow is at."""
    tenant, flow = flow_of(request)
    return proceed(request, flow, _situation(request, tenant, flow))


@routes.post("/{tenant}/journeys/{flow}/password")
async def password(request: web.Request) -> web.Response:
    """Check e-mail and password."""
    tenant, flow = flow_of(request)
    typed = await fields_of(request)
    try:
        person = tenant.directory.check_password(typed.get("email", ""), typed.get("password", ""))
    except AadstsRefusal as refused:
        return show(
            Step.SIGN_IN,
            _situation(request, tenant, flow),
            fault=_SIGN_IN_FAULTS[refused.number],
            details=refused.text,
            filled=typed,
        )
    return _signed_in(request, tenant, flow, person.oid)


@routes.post("/{tenant}/journeys/{flow}/sign-up")
async def sign_up(request: web.Request) -> web.Response:
    """Create an account and sign it in."""
    tenant, flow = flow_of(request)
    typed = await fields_of(request)
    email, name = typed.get("email", "").strip(), typed.get("display_name", "").strip()
    wrong, fault = _sign_up_fault(tenant, email, typed.get("password", ""), name)
    if fault:
        now = _situation(request, tenant, flow)
        return show(Step.SIGN_UP, now, fault=fault, wrong=wrong, filled=typed)
    person = tenant.directory.add(
        oid=tenant.ids.guid(),
        email=email,
        password=typed["password"],
        profile={"displayName": name},
        now=tenant.clock(),
    )
    return _signed_in(request, tenant, flow, person.oid)


def _sign_up_fault(tenant: Tenant, email: str, password: str, name: str) -> tuple[str, str]:
    if not _ADDRESS.fullmatch(email):
        return "email", "Enter an e-mail address, such as name@example.com."
    if tenant.directory.find(email):
        return "email", (
            "There is already an account with this e-mail address. Sign in instead, or use another address."
        )
    if len(password) < SHORTEST_PASSWORD:
        return "password", f"Choose a password of {SHORTEST_PASSWORD} characters or more."
    if not name or len(name) > LONGEST_NAME:
        return "display_name", f"Enter a display name of 1 to {LONGEST_NAME} characters."
    return "", ""


@routes.post("/{tenant}/journeys/{flow}/code")
async def code(request: web.Request) -> web.Response:
    """Check a one-time code."""
    tenant, flow = flow_of(request)
    now = _situation(request, tenant, flow)
    if now.session is None or now.person is None:
        return proceed(request, flow, now)
    outcome = tenant.inbox.check(flow.id, now.person.email, (await fields_of(request)).get("code", ""))
    if outcome is not Outcome.RIGHT:
        return show(Step.SECOND_FACTOR, now, fault=_CODE_FAULTS[outcome])
    tenant.sessions.second_factor_given(now.session)
    return proceed(request, flow, now)


@routes.get("/{tenant}/journeys/{flow}/new-code")
async def new_code(request: web.Request) -> web.Response:
    """Send another code. A link, so that the page keeps one form with one button."""
    tenant, flow = flow_of(request)
    tenant.inbox.forget(flow.id)
    return redirect(flow_path(tenant, flow))


@routes.get("/{tenant}/journeys/{flow}/sign-up")
async def to_sign_up(request: web.Request) -> web.Response:
    """Change from sign-in to sign-up."""
    tenant, flow = flow_of(request)
    flow.wants_sign_up = True
    return redirect(flow_path(tenant, flow))


@routes.get("/{tenant}/journeys/{flow}/sign-in")
async def to_sign_in(request: web.Request) -> web.Response:
    """Change from sign-up, or from the account picker, to sign-in."""
    tenant, flow = flow_of(request)
    flow.wants_sign_up = False
    flow.wants_sign_in = True
    return redirect(flow_path(tenant, flow))


@routes.post("/{tenant}/journeys/{flow}/account")
async def choose_account(request: web.Request) -> web.Response:
    """Go on with the account that is signed in."""
    tenant, flow = flow_of(request)
    flow.chosen = True
    return proceed(request, flow, _situation(request, tenant, flow))


@routes.get("/{tenant}/journeys/{flow}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """Answer the application that the person stopped: ``access_denied``."""
    tenant, flow = flow_of(request)
    destination = Destination.of(flow.request, tenant.directory)
    tenant.sessions.finish(flow)
    refused = flow.refused or refusal(65004)
    return answers.refuse(request, tenant, destination, refused, error="access_denied")


def _situation(request: web.Request, tenant: Tenant, flow: Flow) -> Situation:
    return Situation.of(tenant, flow, sso_handle(request))


def _signed_in(request: web.Request, tenant: Tenant, flow: Flow, oid: str) -> web.Response:
    previous = tenant.sessions.current(sso_handle(request))
    session: SsoSession = tenant.sessions.sign_in(previous, oid)
    flow.signed_in_as = oid
    tenant.inbox.forget(flow.id)
    response = proceed(request, flow, Situation.of(tenant, flow, session.handle))
    response.set_cookie(SSO_COOKIE, session.handle, httponly=True, samesite="Lax", path="/")
    return response
