"""A page that posts one form to another site by itself, for what must not stand in an address.

Owns its markup and its content security policy, which lets it do this and nothing else. Without scripts there is a
button. Never shows what it posts.
"""

import base64
import hashlib
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

_SCRIPT: Final = "document.forms[0].submit()"
_DIGEST: Final = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_WORDS: Final = {
    "en": ("Signing out …", "Continue"),
    "de": ("Sie werden abgemeldet …", "Weiter"),
}


def posting_page(request: web.Request, url: str, fields: Mapping[str, str]) -> web.Response:
    """Return the page that posts `fields` to `url`."""
    language = "de" if request.headers.get(hdrs.ACCEPT_LANGUAGE, "").lower().startswith("de") else "en"
    title, button = _WORDS[language]
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    parts = urlsplit(url)
    # Browsers hold a form's redirects to the same list, and an authority may send people on to others.
    targets = f"{parts.scheme}://{parts.netloc} 'self' https:"
    return web.Response(
        text=(
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
            f"<title>{title}</title></head><body><main><h1>{title}</h1>"
            f'<form method="post" action="{escape(url)}">{inputs}<button>{button}</button></form></main>'
            f"<script>{_SCRIPT}</script></body></html>"
        ),
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Security-Policy": (
                f"default-src 'none'; script-src 'sha256-{_DIGEST}'; form-action {targets}; base-uri 'none'; "
                "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
            ),
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
            hdrs.CACHE_CONTROL: "no-store",
        },
    )
