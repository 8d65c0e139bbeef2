"""What the authority would do at an address and this doesn't, and addresses that are nothing: said, never silent.

Answers JSON to programs and a page to people. Graph's addresses are ``graph_other``'s.
"""

import re
from html import escape
from typing import Final

from aiohttp import hdrs, web

from local_tenant.page_frame import respond, whole

_UNDONE: Final = (
    (r"/[^/]+/oauth2/v2\.0/devicecode", "the device code flow"),
    (r"/[^/]+/\.well-known/openid-configuration", "the discovery document of version 1; add /v2.0"),
    (r"/[^/]+/oauth2/(?:authorize|token|logout|devicecode)", "the endpoints of version 1; add /v2.0"),
    (r"/[^/]+/discovery/keys", "the key set of version 1; it is at /discovery/v2.0/keys"),
    (r"/[^/]+/discovery/instance", "instance discovery"),
    (r"/[^/]+/oauth2/v2\.0/(?:initiate|challenge|introspect)", "native authentication"),
    (r"/[^/]+/(?:signup|resetpassword)/v1\.0/.*", "native authentication and the reset of passwords"),
    (r"/[^/]+/kerberos", "Kerberos"),
    (r"/[^/]+/(?:saml2|federationmetadata/.*)", "SAML"),
    (r"/\$batch", "$batch, which is below a version of Graph anyway"),
)
"""Paths of Entra, and what they would do."""


def status_of(request: web.Request, nothing: web.HTTPException) -> int:
    """Return the status: 405, 501 for what Entra does here, or 404."""
    return 501 if nothing.status == web.HTTPNotFound.status_code and _undone(request) else nothing.status


def answer(request: web.Request, nothing: web.HTTPException) -> web.Response:
    """Say that there is nothing here, or that the real thing has something. ``nothing`` is the router's own answer."""
    status, undone = status_of(request, nothing), _undone(request)
    if isinstance(nothing, web.HTTPMethodNotAllowed):
        sentence = f"The local tenant knows this address, but not with {request.method}."
    elif undone:
        sentence = f"The local tenant does not do this: {undone}."
    else:
        sentence = (
            "The local tenant has nothing at this address, and knows of nothing that the real one has there."
        )
    if "text/html" in request.headers.get(hdrs.ACCEPT, ""):
        response = respond(
            whole("Nothing here", f"<h1>Nothing here</h1><p>{escape(sentence)}</p>"), status=status
        )
    else:
        body = {"error": "not_supported" if undone else "not_found", "error_description": sentence}
        response = web.json_response(body, status=status, headers={hdrs.CACHE_CONTROL: "no-store"})
    if allowed := nothing.headers.get(hdrs.ALLOW):
        response.headers[hdrs.ALLOW] = allowed
    return response


def _undone(request: web.Request) -> str:
    return next((what for path, what in _UNDONE if re.fullmatch(path, request.path, re.IGNORECASE)), "")
