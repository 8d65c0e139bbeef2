"""What every page has: the frame, its headers, and the pieces that forms are made of. No texts of its own.

Values go through ``escape`` here; titles, labels and hints are constants of ``pages``.
"""

from collections.abc import Iterable
from html import escape
from typing import Final

from aiohttp import web

_FRAME: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} &ndash; Local tenant</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/tenant.css">{head}
</head>
<body>
<header><p class="brand">Local tenant</p><p class="notice">local stand-in, not Microsoft</p></header>
<main>
{body}
</main>
</body>
</html>
"""


def respond(
    page: str, *, status: int = 200, form_action: str = "", frames: Iterable[str] = ()
) -> web.Response:
    """Return a page with its headers.

    ``form_action`` is the origin that a form's answer may go to. Browsers hold redirects after a form to the list as
    well, and an application may lead on to another origin of its own, which the real authority does not prevent.
    The referrer policy stays at the browser's default on purpose: with ``no-referrer`` the form post to the
    application would carry ``Origin: null``, which the real authority's doesn't.
    """
    framed = " ".join(frames) or "'none'"
    targets = f"'self' {form_action} http: https:" if form_action else "'self'"
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {targets}; frame-src {framed}"
    )
    headers = {
        "Cache-Control": "no-store, no-cache",
        "Pragma": "no-cache",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


def whole(title: str, body: str, *, fault: str = "", head: str = "") -> str:
    """Return a whole page."""
    return _FRAME.format(title=f"Error: {title}" if fault else title, body=body, head=head)


def fault_notice(sentence: str, details: str = "") -> str:
    """Return the notice of a fault, with its details in a quieter voice; nothing without one."""
    if not sentence:
        return ""
    small = f'<p class="hint">{escape(details)}</p>' if details else ""
    return f'<div class="fault" id="fault" role="alert"><p>{escape(sentence)}</p>{small}</div>'


def field(name: str, label: str, attributes: str, *, value: str = "", hint: str = "", fault: str = "") -> str:
    """Return a labelled input; ``fault`` marks it as wrong and points to the notice that says why."""
    described = " ".join(part for part in ("fault" if fault else "", f"{name}-hint" if hint else "") if part)
    hint_line = f'<p class="hint" id="{name}-hint">{escape(hint)}</p>' if hint else ""
    aria = (' aria-invalid="true"' if fault else "") + (
        f' aria-describedby="{described}"' if described else ""
    )
    filled = f' value="{escape(value)}"' if value else ""
    return (
        f'<div class="field"><label for="{name}">{escape(label)}</label>{hint_line}'
        f'<input id="{name}" name="{name}" required {attributes}{aria}{filled}></div>'
    )


def ways(*links: tuple[str, str]) -> str:
    """Return the links below a form."""
    return (
        '<p class="ways">'
        + "".join(f'<a href="{escape(to)}">{escape(text)}</a>' for to, text in links)
        + "</p>"
    )
