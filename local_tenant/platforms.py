"""What the platform of a redirect URI asks of a token request: a credential, none, a web page's origin, none.

Decides, and says which origins may read the answers (CORS); knows no grant.
Source: Entra, "Single-page application: code configuration" and its list of error codes.
"""

from typing import Final

from aiohttp import hdrs, web

from local_tenant.app_registration import AppRegistration, Platform
from local_tenant.directory import Directory
from local_tenant.refusals import refusal

SPA_REFRESH_SECONDS: Final = 24 * 3600
"""A single-page application's refresh tokens end together, a day after the sign-in."""
ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
"""For documents that anybody may read, and for answers to bearer tokens: no cookie is looked at there."""


def check_platform(
    platform: Platform, app: AppRegistration, *, proven: bool, origin: str | None, pkce: bool
) -> None:
    """Raise what a token request of a platform is refused for.

    ``proven`` tells whether the client proved itself, ``pkce`` whether the code has a challenge; a grant without a
    code is ``web``, or what its first code was. Raises 7000218 (no credential), 700025 (one where there is none),
    9002326 (from a page that is no single-page application of ours), 9002327 (from no page), 9002325 (no PKCE).
    """
    if platform == "spa":
        if not origin:
            raise refusal(9002327)
        if not app.serves_origin(origin):
            raise refusal(9002326, name=origin)
        if not pkce:
            raise refusal(9002325)
    elif origin:
        raise refusal(9002326, name=origin)  # nothing but a single-page application has business in a browser
    if platform == "web" and not proven:
        raise refusal(7000218)
    if platform != "web" and proven:
        raise refusal(700025)


def readable_by(origin: str | None, app: AppRegistration | None) -> dict[str, str]:
    """Return the headers that let a page of ``origin`` read a token answer; none but its application's own may."""
    if origin and app and app.serves_origin(origin):
        return {"Access-Control-Allow-Origin": origin, hdrs.VARY: hdrs.ORIGIN}
    return {hdrs.VARY: hdrs.ORIGIN}


def preflight(request: web.Request, allowed: dict[str, str], methods: str) -> web.Response:
    """Answer a browser that asks whether a page may send a request (Fetch, CORS-preflight)."""
    headers = {
        **allowed,
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", ""),
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=200, headers=headers if "Access-Control-Allow-Origin" in allowed else allowed)


def application_of(origin: str, directory: Directory) -> AppRegistration | None:
    """Return an application whose pages come from ``origin``: a preflight names no client."""
    return next((app for app in directory.apps.values() if app.serves_origin(origin)), None)
