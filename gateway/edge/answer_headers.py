"""The headers of every answer of the gateway.

Owns which security headers those are. How they come to an answer is `servicekit/http/every_answer.py`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from gateway.edge.content_policy import ContentPolicy, content_policy
from servicekit.http.every_answer import AnswerHeaders
from servicekit.setting_forms import is_on_loopback

_OWN_POLICY: Final = content_policy()
_CSP: Final = "Content-Security-Policy"
_HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def answer_headers(public_url: str, policy: ContentPolicy = _OWN_POLICY) -> dict[str, str]:
    """Return the headers of every answer of a gateway whose address and content security policy these are."""
    headers = {_CSP: policy.text, **_HEADERS}
    if not policy.embeds:
        # Else a picture of another origin that does not say so would not be shown.
        headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    # Never of this computer: the promise is for all of its ports, and for years.
    if not public_url.startswith("https://") or is_on_loopback(public_url):
        return headers
    return {**headers, "Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def security_headers(
    public_url: str, policy: ContentPolicy = _OWN_POLICY
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the signal that completes every answer's headers, the router's 404 included."""
    return AnswerHeaders(answer_headers(public_url, policy)).on_prepare
