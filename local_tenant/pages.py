"""The tenant's pages: plain HTML forms that work without JavaScript. Texts and markup only; no decisions.

Every value goes through ``escape``. Each form has one submit button and a way out that answers ``access_denied``.
"""

from html import escape
from typing import Final

from local_tenant.clock import iso
from local_tenant.inbox import CODE_DIGITS, CODE_SECONDS, Message
from local_tenant.page_frame import fault_notice, field, ways, whole

SHORTEST_PASSWORD: Final = 8
LONGEST_NAME: Final = 256


def masked(email: str) -> str:
    """Return an address that its owner recognises: ``ad•••@example.com``."""
    local, _, domain = email.partition("@")
    return f"{local[:2]}•••@{domain}"


def sign_in(app: str, path: str, *, email: str, fault: str, details: str) -> str:
    """Return the sign-in page; focus is where typing goes on."""
    first, second = ("", " autofocus") if email else (" autofocus", "")
    body = (
        f"<h1>Sign in</h1><p>to continue to <strong>{escape(app)}</strong></p>{fault_notice(fault, details)}"
        f'<form method="post" action="{path}/password">'
        + field(
            "email",
            "E-mail",
            f'type="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="320"{first}',
            value=email,
            fault=fault,
        )
        + field(
            "password",
            "Password",
            f'type="password" autocomplete="current-password" maxlength="256"{second}',
            fault=fault,
        )
        + '<button type="submit">Sign in</button></form>'
        + ways((f"{path}/sign-up", "Create an account"), (f"{path}/cancel", "Cancel"))
    )
    return whole("Sign in", body, fault=fault)


def sign_up(app: str, path: str, typed: dict[str, str], *, fault: str, wrong: str) -> str:
    """Return the sign-up page, with what was typed but for the password; focus is in the ``wrong`` field."""
    focus = {wrong or "email": " autofocus"}
    faults = {wrong: fault}
    body = (
        f"<h1>Create an account</h1><p>to continue to <strong>{escape(app)}</strong></p>{fault_notice(fault)}"
        f'<form method="post" action="{path}/sign-up">'
        + field(
            "email",
            "E-mail",
            'type="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="320"'
            + focus.get("email", ""),
            value=typed.get("email", ""),
            fault=faults.get("email", ""),
        )
        + field(
            "password",
            "Password",
            f'type="password" autocomplete="new-password" minlength="{SHORTEST_PASSWORD}" maxlength="256"'
            + focus.get("password", ""),
            hint=f"{SHORTEST_PASSWORD} characters or more",
            fault=faults.get("password", ""),
        )
        + field(
            "display_name",
            "Display name",
            f'autocomplete="name" maxlength="{LONGEST_NAME}"' + focus.get("display_name", ""),
            value=typed.get("display_name", ""),
            hint="How you want to be called",
            fault=faults.get("display_name", ""),
        )
        + '<button type="submit">Create account</button></form>'
        + ways((f"{path}/sign-in", "I have an account"), (f"{path}/cancel", "Cancel"))
    )
    return whole("Create an account", body, fault=fault)


def choose_account(app: str, path: str, *, email: str) -> str:
    """Return the account picker of ``prompt=select_account``."""
    body = (
        f"<h1>Choose an account</h1><p>to continue to <strong>{escape(app)}</strong></p>"
        f'<form method="post" action="{path}/account"><button type="submit">Continue as {escape(email)}</button></form>'
        + ways((f"{path}/sign-in", "Use another account"), (f"{path}/cancel", "Cancel"))
    )
    return whole("Choose an account", body)


def second_factor(app: str, path: str, address: str, *, fault: str) -> str:
    """Return the page that asks for the one-time code."""
    body = (
        f"<h1>Confirm it&rsquo;s you</h1>"
        f"<p><strong>{escape(app)}</strong> needs a second proof. "
        f"We sent a code to <strong>{escape(address)}</strong>. "
        'It arrives in the <a href="/inbox" target="_blank" rel="noopener">inbox</a>.</p>'
        f"{fault_notice(fault)}"
        f'<form method="post" action="{path}/code">'
        + field(
            "code",
            "Code",
            'inputmode="numeric" autocomplete="one-time-code" maxlength="20" spellcheck="false" autofocus',
            hint=f"{CODE_DIGITS} digits, valid for {CODE_SECONDS // 60} minutes",
            fault=fault,
        )
        + '<button type="submit">Confirm</button></form>'
        + ways((f"{path}/new-code", "Send a new code"), (f"{path}/cancel", "Cancel"))
    )
    return whole("Confirm it&rsquo;s you", body, fault=fault)


def refused(text: str, trace_id: str, correlation_id: str, *, way_back: str = "", advice: str = "") -> str:
    """Return the authority's error page; without ``way_back`` where the application can't be told."""
    advice_line = f"<p>{escape(advice)}</p>" if advice else ""
    body = (
        f'<h1>This can&rsquo;t go on</h1><p class="fault" role="alert">{escape(text)}</p>{advice_line}'
        f'<dl class="facts"><dt>Trace ID</dt><dd>{escape(trace_id)}</dd>'
        f"<dt>Correlation ID</dt><dd>{escape(correlation_id)}</dd></dl>"
    )
    return whole(
        "This can&rsquo;t go on", body + (ways((way_back, "Go back to the application")) if way_back else "")
    )


def form_post(uri: str, app: str, fields: dict[str, str]) -> str:
    """Return the page that posts the answer to the application: by script, or with its button."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    body = (
        f"<h1>One moment</h1><p>You are going back to <strong>{escape(app)}</strong>.</p>"
        f'<form method="post" action="{escape(uri)}" id="answer">{inputs}<button type="submit">Continue</button></form>'
    )
    return whole("One moment", body, head='\n<script src="/assets/form_post.js" defer></script>')


def choose_sign_out(path: str, fields: dict[str, str], email: str) -> str:
    """Return the page that asks which account to sign out; the request's fields come back with the answer."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    body = (
        "<h1>Which account do you want to sign out?</h1>"
        f'<form method="post" action="{escape(path)}">{inputs}<input type="hidden" name="picked" value="1">'
        f'<button type="submit">Sign out {escape(email)}</button></form>'
    )
    return whole("Sign out", body)


def signed_out(urls: list[str], onward: str | None) -> str:
    """Return the page that tells applications of the sign-out, in frames, and then goes on to ``onward``."""
    frames = "".join(f'<iframe src="{escape(url)}" title="Sign-out" hidden></iframe>' for url in urls)
    link = f'<p class="ways"><a id="onward" href="{escape(onward)}">Continue</a></p>' if onward else ""
    text = "<p>You are signed out here and in every application you used.</p>"
    head = '\n<script src="/assets/signed_out.js" defer></script>' if onward else ""
    if onward:
        head += f'\n<noscript><meta http-equiv="refresh" content="3; url={escape(onward)}"></noscript>'
    return whole("Signed out", f"<h1>You are signed out</h1>{text}{link}{frames}", head=head)


def _time(seconds: float) -> str:
    moment = iso(seconds)
    return f'<time datetime="{moment}">{moment[11:19]} UTC</time>'


def inbox(messages: list[Message], to: str) -> str:
    """Return the inbox for people."""
    rows = "".join(
        f'<li><p class="code">{escape(message.code)}</p><p>{escape(message.purpose)}</p>'
        f'<p class="hint">to {escape(message.to)}, {_time(message.sent_at)}</p></li>'
        for message in messages
    )
    whose = f" for {escape(to)}" if to else ""
    body = f"<h1>Inbox{whose}</h1><p>Newest first. This page reloads by itself.</p>" + (
        f'<ol class="messages">{rows}</ol>' if rows else "<p>No codes yet.</p>"
    )
    return whole(
        "Inbox",
        body + ways(("/inbox", "Show all")) if to else body,
        head='\n<meta http-equiv="refresh" content="5">',
    )


def home(discovery: str, people: list[tuple[str, str]], *, admin: bool) -> str:
    """Return the front page: what this is, and where things are."""
    listed = "".join(f"<li>{escape(name)}, <code>{escape(email)}</code></li>" for name, email in people)
    body = (
        "<h1>Local tenant</h1><p>A stand-in for Microsoft Entra External ID and Microsoft Graph on this machine, "
        "for local work and tests.</p>"
        f"<h2>People</h2><ul>{listed}</ul>"
        f'<h2>Where things are</h2><ul><li><a href="/inbox">Inbox</a>, where one-time codes arrive</li>'
        f'<li><a href="{escape(discovery)}">OpenID Connect discovery</a></li>'
        f"<li>Admin surface at <code>/admin</code>: {'on, from this machine only' if admin else 'off'}</li></ul>"
    )
    return whole("Home", body)
