"""The doctor's look at signing in: whether the authority sends people back to us, and knows our scopes.

Owns the authorize requests (OpenID Connect Core, section 3.1.2.1) with `prompt=none`, which ask nobody anything: nobody
is signed in, and the question is only where the refusal goes. An authority answers an application at a registered
redirect URI, and otherwise shows a page (RFC 6749, section 4.1.2.1).
Never follows a redirect, and never decides by an AADSTS number.
"""

import asyncio
import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from gateway.doctor.explanations import Explanation, explained, named, numbers_in
from gateway.doctor.findings import Finding, fault, not_looked_at, ok, plain_reason, warning
from gateway.settings import Settings
from servicekit.discovery import AuthorityMetadata
from servicekit.outbound import Outbound, OutboundError

REDIRECT_URI: Final = "redirect URI"
READ_SCOPE: Final = "Graph scope"
EDIT_SCOPE: Final = "edit scope"

_SECONDS: Final = 6
_BAD_REQUEST: Final = 400
_REDIRECTS: Final = range(300, 400)
# Said to an application with which nothing is wrong (OpenID Connect Core, section 3.1.2.6).
_PERSON_NEEDED: Final = frozenset({"login_required", "interaction_required", "account_selection_required"})
_TROUBLE: Final = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class _Answer:
    """Whether the answer came to our callback, with which error, and which numbers it or its page names."""

    came_back: bool
    status: int
    error: str
    numbers: tuple[int, ...]


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
        _scope(READ_SCOPE, settings.graph_scope, "GATEWAY_GRAPH_SCOPE", read),
        _scope(EDIT_SCOPE, settings.edit_profile_scope, "GATEWAY_EDIT_PROFILE_SCOPE", edit),
    ]


async def _ask(http: Outbound, settings: Settings, endpoint: str, scope: str) -> _Answer:
    challenge = (
        base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).decode().rstrip("=")
    )
    reply = await http.send(
        "GET",
        endpoint,
        headers={"Accept": "text/html"},
        params={
            "client_id": settings.client_id,
            "response_type": "code",
            "redirect_uri": settings.redirect_uri,
            "response_mode": "query",
            "scope": f"openid profile offline_access {scope}",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "none",
        },
        timeout_seconds=_SECONDS,
    )
    where, _, query = reply.headers.get("Location", "").partition("?")
    if reply.status not in _REDIRECTS or where != settings.redirect_uri:
        return _Answer(
            came_back=False,
            status=reply.status,
            error="",
            numbers=numbers_in(reply.body.decode(errors="replace")),
        )
    fields = {name: values[0] for name, values in parse_qs(query.partition("#")[0]).items()}
    word = fields.get("error", "")
    return _Answer(
        came_back=True,
        status=reply.status,
        # Foreign text: only what has the form of an error's name is shown.
        error=word if word.replace("_", "").isalnum() else "unnamed",
        numbers=numbers_in(fields.get("error_description", "")),
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


def _redirect_uri(settings: Settings, answer: _Answer) -> Finding:
    uri = settings.redirect_uri
    if answer.came_back:
        return ok(REDIRECT_URI, f"{uri} is registered with client {settings.client_id}")
    if answer.numbers or answer.status >= _BAD_REQUEST:
        explanation = explained(
            answer.numbers,
            Explanation(
                "the authority shows its own page instead of answering there",
                "Register this redirect URI with the client, to the letter; or set GATEWAY_PUBLIC_URL to the "
                "address that is registered.",
            ),
        )
        return fault(REDIRECT_URI, f"{uri}: {explanation.cause}{named(answer.numbers)}", explanation.fix)
    return warning(
        REDIRECT_URI,
        f"{uri}: the authority answered {answer.status} with a page that says neither yes nor no",
        "Sign in with a browser: a page of the authority's with AADSTS50011 means that it is not registered.",
    )


def _scope(check: str, scope: str, setting: str, answer: _Answer) -> Finding:
    if answer.came_back and answer.error in _PERSON_NEEDED:
        return ok(check, f"the authority has nothing against {scope}")
    if answer.error in _TROUBLE or not (answer.error or answer.numbers or answer.status >= _BAD_REQUEST):
        return warning(
            check,
            f"{scope}: the authority answered {answer.error or answer.status}, which says neither yes nor no",
            "Wait, and look again.",
        )
    explanation = explained(
        answer.numbers,
        Explanation(
            "the authority refuses it", f"Compare {setting} with what the API's registration exposes."
        ),
    )
    return fault(
        check,
        f"{scope} is refused: {explanation.cause}; {answer.error or answer.status}{named(answer.numbers)}",
        explanation.fix,
    )
