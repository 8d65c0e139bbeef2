"""The doctor's look at signing in: whether the authority sends people back to us, and knows our scopes.

Owns what the gateway's own authorize requests mean for its settings; the requests are `servicekit.doctor`'s.
Never decides by an AADSTS number.
"""

import asyncio
from typing import Final

from gateway.doctor.wording import FOR_EDITING, FOR_READING, WORDING
from gateway.settings import Settings
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.authorization import BAD_REQUEST, Answer, ask_to_authorize, scope_finding
from servicekit.doctor.explanations import Explanation, explained, named
from servicekit.doctor.findings import Finding, fault, not_looked_at, ok, plain_reason, warning
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError

REDIRECT_URI: Final = "redirect URI"
READ_SCOPE: Final = "Graph scope"
EDIT_SCOPE: Final = "edit scope"


async def look_at_sign_in(
    http: Outbound, settings: Settings, metadata: AuthorityMetadata | None, *, failed: str
) -> list[Finding]:
    """Look at the redirect URI and both scopes; `failed` names the check without which there is no metadata."""
    checks = (REDIRECT_URI, READ_SCOPE, EDIT_SCOPE)
    if metadata is None:
        return [not_looked_at(check, failed) for check in checks]
    endpoint = metadata.authorization_endpoint
    try:
        read, edit = await asyncio.gather(
            _ask(http, settings, endpoint, settings.graph_scope),
            _ask(http, settings, endpoint, settings.edit_profile_scope),
        )
    except OutboundError as error:
        return [
            _unreachable(settings, endpoint, error),
            *(not_looked_at(one, REDIRECT_URI) for one in checks[1:]),
        ]
    registered = _redirect_uri(settings, read)
    if not read.came_back:
        return [registered, *(not_looked_at(one, REDIRECT_URI) for one in checks[1:])]
    return [
        registered,
        scope_finding(READ_SCOPE, settings.graph_scope, FOR_READING, read),
        scope_finding(EDIT_SCOPE, settings.edit_profile_scope, FOR_EDITING, edit),
    ]


async def _ask(http: Outbound, settings: Settings, endpoint: str, scope: str) -> Answer:
    return await ask_to_authorize(
        http, endpoint, client_id=settings.client_id, redirect_uri=settings.redirect_uri, scope=scope
    )


def _unreachable(settings: Settings, endpoint: str, error: OutboundError) -> Finding:
    sentence = f"{endpoint} cannot be reached: {plain_reason(error, error.reason)}"
    if settings.addresses.origins:
        return warning(
            REDIRECT_URI,
            sentence,
            "Nothing, where only the browser can reach it, as from within a container.",
        )
    return fault(REDIRECT_URI, sentence, "Allow outgoing https to the authority.")


def _redirect_uri(settings: Settings, answer: Answer) -> Finding:
    uri = settings.redirect_uri
    if answer.came_back:
        return ok(REDIRECT_URI, f"{uri} is registered with client {settings.client_id}")
    if answer.numbers or answer.status >= BAD_REQUEST:
        explanation = explained(
            answer.numbers,
            Explanation(
                "the authority shows its own page instead of answering there",
                "Register this redirect URI with the client, to the letter; or set GATEWAY_PUBLIC_URL to the "
                "address that is registered.",
            ),
            WORDING,
        )
        return fault(REDIRECT_URI, f"{uri}: {explanation.cause}{named(answer.numbers)}", explanation.fix)
    return warning(
        REDIRECT_URI,
        f"{uri}: the authority answered {answer.status} with a page that says neither yes nor no",
        "Sign in with a browser: a page of the authority's with AADSTS50011 means that it is not registered.",
    )
