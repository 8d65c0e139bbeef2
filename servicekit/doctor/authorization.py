"""A doctor's authorize requests: whether the authority knows an application, its redirect URI and a scope.

Owns the request (OpenID Connect Core, section 3.1.2.1) and the reading of its answer. `prompt=none` asks nobody
anything: nobody is signed in, and the question is only where the refusal goes. An authority answers an application at a
registered redirect URI, and otherwise shows a page (RFC 6749, section 4.1.2.1).
Never follows a redirect, and never shows what an answer says in words.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from servicekit.doctor.explanations import Explanation, Wording, explained, named, numbers_in
from servicekit.doctor.findings import Finding, fault, ok, warning
from servicekit.outbound import Outbound

BAD_REQUEST: Final = 400

_SECONDS: Final = 6
_REDIRECTS: Final = range(300, 400)
# Said to an application with which nothing is wrong (OpenID Connect Core, section 3.1.2.6).
_PERSON_NEEDED: Final = frozenset({"login_required", "interaction_required", "account_selection_required"})
_TROUBLE: Final = frozenset({"temporarily_unavailable", "server_error"})


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the answer came to the redirect URI, with which error, and which numbers it or its page names."""

    came_back: bool
    status: int
    error: str
    numbers: tuple[int, ...]


async def ask_to_authorize(
    http: Outbound, endpoint: str, *, client_id: str, redirect_uri: str, scope: str
) -> Answer:
    """Ask for `scope` beside what every sign-in asks for; raises OutboundError where no answer comes."""
    challenge = (
        base64.urlsafe_b64encode(hashlib.sha256(secrets.token_bytes(32)).digest()).decode().rstrip("=")
    )
    reply = await http.send(
        "GET",
        endpoint,
        headers={"Accept": "text/html"},
        params={
            "client_id": client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "response_mode": "query",
            "scope": f"openid profile offline_access {scope}".strip(),
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "none",
        },
        timeout_seconds=_SECONDS,
    )
    where, _, query = reply.headers.get("Location", "").partition("?")
    if reply.status not in _REDIRECTS or where != redirect_uri:
        return Answer(
            came_back=False,
            status=reply.status,
            error="",
            numbers=numbers_in(reply.body.decode(errors="replace")),
        )
    fields = {name: values[0] for name, values in parse_qs(query.partition("#")[0]).items()}
    word = fields.get("error", "")
    return Answer(
        came_back=True,
        status=reply.status,
        # Foreign text: only what has the form of an error's name is shown.
        error=word if word.replace("_", "").isalnum() else "unnamed",
        numbers=numbers_in(fields.get("error_description", "")),
    )


def scope_finding(check: str, scope: str, wording: Wording, answer: Answer) -> Finding:
    """Say whether the authority has anything against a scope that was asked for."""
    if answer.came_back and answer.error in _PERSON_NEEDED:
        return ok(check, f"the authority has nothing against {scope}")
    if answer.error in _TROUBLE or not (answer.error or answer.numbers or answer.status >= BAD_REQUEST):
        return warning(
            check,
            f"{scope}: the authority answered {answer.error or answer.status}, which says neither yes nor no",
            "Wait, and look again.",
        )
    explanation = explained(answer.numbers, Explanation("the authority refuses it", wording.scope), wording)
    return fault(
        check,
        f"{scope} is refused: {explanation.cause}; {answer.error or answer.status}{named(answer.numbers)}",
        explanation.fix,
    )
