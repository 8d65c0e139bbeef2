"""Sign-out at the authority: ends the browser's session and tells every application by its front-channel address.

Entra sends ``sid`` and nothing else, no ``iss``. It revokes no refresh token of a confidential client.
Source: Entra, "Single sign-out"; OpenID Connect Front-Channel Logout 1.0.
"""

from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web

from local_tenant import pages
from local_tenant.directory import Directory
from local_tenant.discovery import check_tenant
from local_tenant.page_frame import respond
from local_tenant.sessions import SsoSession
from local_tenant.sso_cookie import SSO_COOKIE, sso_handle
from local_tenant.tenant import Tenant
from local_tenant.wire import fields_of, redirect

routes = web.RouteTableDef()


@routes.get("/{tenant}/oauth2/v2.0/logout", name="logout")
@routes.post("/{tenant}/oauth2/v2.0/logout", name="logout_by_post")
async def logout(request: web.Request) -> web.Response:
    """End the session, then go to ``post_logout_redirect_uri`` if it is a registered redirect URI; else stay here.

    ``logout_hint`` is the opaque ``login_hint`` claim; an address there names nobody, and ``id_token_hint`` is ignored.
    """
    tenant = check_tenant(request)
    fields = await fields_of(request)
    onward = _onward(fields, tenant.directory)
    session = tenant.sessions.current(sso_handle(request))
    if session is None:
        return redirect(onward) if onward else respond(pages.signed_out([], None))
    person = tenant.directory.by_oid(session.oid)
    hinted = person is not None and fields.get("logout_hint") == tenant.mint.login_hint(person)
    if tenant.knobs.logout_picker and not hinted and "picked" not in fields:
        return respond(pages.choose_sign_out(request.path, fields, person.email if person else ""))
    urls = frontchannel_urls(tenant, session)
    tenant.sessions.end(session)
    if urls or not onward:
        origins = {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in urls}
        response = respond(pages.signed_out(urls, onward), frames=sorted(origins))
    else:
        response = redirect(onward)
    response.del_cookie(SSO_COOKIE, path="/")
    return response


def frontchannel_urls(tenant: Tenant, session: SsoSession) -> list[str]:
    """Return where each application of a session hears of its end."""
    addresses = (tenant.directory.app(client).frontchannel_logout_uri for client in session.clients)
    return [
        f"{address}{'&' if urlsplit(address).query else '?'}sid={quote(session.sid, safe='')}"
        for address in addresses
        if address
    ]


def _onward(fields: dict[str, str], directory: Directory) -> str | None:
    uri = fields.get("post_logout_redirect_uri")
    if not uri or not any(app.platform_of(uri) for app in directory.apps.values()):
        return None
    if state := fields.get("state"):
        uri += f"{'&' if urlsplit(uri).query else '?'}{urlencode({'state': state})}"
    return uri
