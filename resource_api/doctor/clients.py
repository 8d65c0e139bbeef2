"""The doctor's look at the applications that may call, and at the scope with which they do.

Owns what the authorize requests mean that are made in the name of each allowed client: whether the tenant knows it,
and where a redirect URI of one of them is given, whether this API's scope is exposed. With one that nobody registers
the answer is a page in any case, whose number says which of the two the
authority does not know, the application or the address; a page without one is said to be unclear.
"""

import asyncio
from typing import Final

from resource_api.doctor.wording import FOR_SCOPE
from resource_api.settings import Settings
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.authorization import Answer, ask_to_authorize, scope_finding
from servicekit.doctor.explanations import named
from servicekit.doctor.findings import Finding, fault, not_looked_at, ok, plain_reason, warning
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError

CLIENTS: Final = "allowed clients"
SCOPE: Final = "scope"

_UNKNOWN_APPLICATION: Final = frozenset({700016})
_UNKNOWN_ADDRESS: Final = frozenset({50011, 500113})
# RFC 2606, section 2: nobody has this name.
_NOBODYS: Final = "https://doctor.invalid/"
_FIX: Final = (
    "Set RESOURCE_API_ALLOWED_CLIENTS to the Application (client) ID of App registrations > (the gateway's) > "
    "Overview; it is the gateway's GATEWAY_CLIENT_ID."
)


async def look_at_clients(
    http: Outbound,
    settings: Settings,
    metadata: AuthorityMetadata | None,
    *,
    redirect_uri: str | None,
    failed: str,
) -> list[Finding]:
    """Look at all allowed clients and the scope; `failed` names the check without which there is no metadata.

    `redirect_uri` is registered with one of the clients; without one the scope cannot be looked at.
    """
    clients = settings.allowed_clients
    if clients == (settings.client_id,):
        alone = f"{clients[0]} is this API itself, so that nobody else may call it"
        return [fault(CLIENTS, alone, _FIX), not_looked_at(SCOPE, CLIENTS)]
    if metadata is None:
        return [not_looked_at(CLIENTS, failed), not_looked_at(SCOPE, failed)]
    scope, endpoint = f"api://{settings.client_id}/{settings.scope}", metadata.authorization_endpoint
    try:
        answers = await asyncio.gather(
            *(
                ask_to_authorize(
                    http, endpoint, client_id=client, redirect_uri=redirect_uri or _NOBODYS, scope=scope
                )
                for client in clients
            )
        )
    except OutboundError as error:
        unreachable = warning(
            CLIENTS,
            f"{endpoint} cannot be reached: {plain_reason(error, error.reason)}",
            "Nothing, where only the browser can reach it; else allow outgoing https to the authority.",
        )
        return [unreachable, not_looked_at(SCOPE, CLIENTS)]
    return [
        _clients(dict(zip(clients, answers, strict=True))),
        _scope(scope, redirect_uri, [answer for answer in answers if answer.came_back]),
    ]


def _clients(answers: dict[str, Answer]) -> Finding:
    unknown = [client for client, answer in answers.items() if _UNKNOWN_APPLICATION & set(answer.numbers)]
    if unknown:
        numbers = named(answers[unknown[0]].numbers)
        return fault(CLIENTS, f"the tenant knows no application {', '.join(unknown)}{numbers}", _FIX)
    unclear = [
        client
        for client, answer in answers.items()
        if not (answer.came_back or _UNKNOWN_ADDRESS & set(answer.numbers))
    ]
    if unclear:
        return warning(
            CLIENTS,
            f"{', '.join(unclear)}: the authority says neither that it knows the application nor that it does not",
            "Compare them with the app registrations that call this API.",
        )
    return ok(CLIENTS, f"the tenant knows {', '.join(answers)}")


def _scope(scope: str, redirect_uri: str | None, came_back: list[Answer]) -> Finding:
    if redirect_uri is None:
        return warning(
            SCOPE,
            f"not looked at: only an application at its redirect URI may ask for {scope}",
            "Look again with --redirect-uri and the gateway's, which is its GATEWAY_PUBLIC_URL and /auth/callback; or "
            "let the gateway's doctor look at its edit scope.",
        )
    if not came_back:
        return warning(
            SCOPE,
            f"not looked at: no allowed client has the redirect URI {redirect_uri}",
            "Give --redirect-uri as it is registered, and look at the allowed clients.",
        )
    return scope_finding(SCOPE, scope, FOR_SCOPE, came_back[0])
