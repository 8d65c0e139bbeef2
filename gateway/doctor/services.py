"""The doctor's look at what is asked with people's tokens: Microsoft Graph, and the resource API.

Owns the requests without a token, and what their answers mean.
Never holds a token and never changes anything: that a request without one is refused is what is looked for.
"""

from typing import Final

from gateway.doctor.findings import (
    Finding,
    Status,
    fault,
    not_looked_at,
    ok,
    plain_reason,
    within_time,
)
from servicekit.challenges import parse_bearer_challenges
from servicekit.outbound import Outbound, OutboundError, Reply

_SECONDS: Final = 6
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_TROUBLE: Final = frozenset({429, *range(500, 600)})

GRAPH: Final = "Graph"
API: Final = "resource API"
PROTECTION: Final = "resource API protects"


async def graph(http: Outbound, url: str) -> Finding:
    """Ask for a profile without a token: 401 is the right answer."""
    address = f"{url.rstrip('/')}/me"
    return await within_time(GRAPH, _graph(http, address))


async def _graph(http: Outbound, address: str) -> Finding:
    try:
        reply = await http.send(
            "GET", address, headers={"Accept": "application/json"}, timeout_seconds=_SECONDS
        )
    except OutboundError as error:
        return fault(
            GRAPH,
            f"{address} cannot be reached: {plain_reason(error, error.reason)}",
            "Allow outgoing https to Microsoft Graph, and compare GATEWAY_GRAPH_URL and GATEWAY_CA_BUNDLE.",
        )
    if reply.status == _UNAUTHORIZED:
        return ok(GRAPH, f"{address} is there, and asks for a token")
    if reply.status in _TROUBLE:
        return fault(
            GRAPH, f"{address} has trouble of its own: status {reply.status}", "Wait, and look again."
        )
    return fault(
        GRAPH,
        f"{address} answered {reply.status} without a token, where Graph answers 401",
        "Set GATEWAY_GRAPH_URL to Graph's address with its version, https://graph.microsoft.com/v1.0.",
    )


async def resource_api(http: Outbound, url: str) -> list[Finding]:
    """Ask the API whether it lives, and to change a profile without a token, which it must refuse."""
    base = url.rstrip("/")
    alive = await within_time(API, _alive(http, f"{base}/health/live"))
    if alive.status is Status.FAULT:
        return [alive, not_looked_at(PROTECTION, API)]
    return [alive, await within_time(PROTECTION, _protects(http, f"{base}/profile"))]


async def _alive(http: Outbound, address: str) -> Finding:
    fix = "Start the resource API, and set GATEWAY_RESOURCE_API_URL to its address as seen from here."
    try:
        reply = await http.send("GET", address, timeout_seconds=_SECONDS)
    except OutboundError as error:
        return fault(API, f"{address} cannot be reached: {plain_reason(error, error.reason)}", fix)
    if reply.status != _OK or not _says_live(reply):
        return fault(API, f"{address} answered {reply.status}, and not as the edit profile service does", fix)
    return ok(API, f"{address} is live")


def _says_live(reply: Reply) -> bool:
    try:
        return bool(reply.json() == {"status": "live"})
    except ValueError:
        return False


async def _protects(http: Outbound, address: str) -> Finding:
    try:
        reply = await http.send("PATCH", address, json_body={}, timeout_seconds=_SECONDS)
    except OutboundError as error:
        return fault(
            PROTECTION,
            f"PATCH {address} brought no answer: {plain_reason(error, error.reason)}",
            "Look at what stands between the gateway and the resource API, and at the API's log.",
        )
    if reply.status == _UNAUTHORIZED and parse_bearer_challenges(
        reply.headers.getall("WWW-Authenticate", [])
    ):
        return ok(PROTECTION, f"PATCH {address} without a token is refused with a challenge")
    if reply.status == _UNAUTHORIZED:
        return fault(
            PROTECTION,
            f"PATCH {address} without a token answered 401 without WWW-Authenticate, so step-up cannot be demanded",
            "Let whatever stands before the API pass its WWW-Authenticate header on.",
        )
    return fault(
        PROTECTION,
        f"PATCH {address} without a token answered {reply.status}, and not 401: whoever reaches it may not need one",
        "GATEWAY_RESOURCE_API_URL must lead to the edit profile service itself, with nothing that answers for it; "
        "keep it away from people until this is mended.",
    )
