"""The doctor's look at the resource API: whether it is there, asks for a token, and judges conditions.

Owns the requests without a token, and what their answers mean; Graph is looked at by both services' doctors.
Never holds a token and never changes anything: that a request without one is refused is what is looked for.
"""

from typing import Any, Final

from servicekit.challenges import parse_bearer_challenges
from servicekit.doctor.findings import (
    Finding,
    Status,
    fault,
    not_looked_at,
    ok,
    plain_reason,
    warning,
    within_time,
)
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply

_SECONDS: Final = 6
_OK: Final = 200
_UNAUTHORIZED: Final = 401

API: Final = "resource API"
PROTECTION: Final = "resource API protects"
CONDITIONS: Final = "resource API conditions"


async def look_at_resource_api(http: Outbound, url: str) -> list[Finding]:
    """Ask the API whether it lives, for its description, and to change a profile without a token."""
    base = url.rstrip("/")
    alive = await within_time(API, _alive(http, f"{base}/health/live"))
    if alive.status is Status.FAULT:
        return [alive, not_looked_at(PROTECTION, API), not_looked_at(CONDITIONS, API)]
    return [
        alive,
        await within_time(PROTECTION, _protects(http, f"{base}/profile")),
        await within_time(CONDITIONS, _judges(http, f"{base}/openapi.json")),
    ]


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


async def _judges(http: Outbound, address: str) -> Finding:
    """Look whether the API's own description has `If-Match`; a proxy that takes it away is not seen by that."""
    try:
        reply = await http.send("GET", address, timeout_seconds=_SECONDS)
        described = reply.status == _OK and _takes_if_match(reply.json())
    except (OutboundError, ValueError):
        described = False
    if described:
        return ok(CONDITIONS, "PATCH /profile takes If-Match")
    return warning(
        CONDITIONS,
        f"{address} says nothing of If-Match: the API is of an older release than this gateway, which judges instead",
        "Update the resource API: until then, what is saved elsewhere while an edit is on its way is overwritten.",
    )


def _takes_if_match(described: Any) -> bool:
    try:
        parameters = described["paths"]["/profile"]["patch"]["parameters"]
        return any(one["in"] == "header" and one["name"] == "If-Match" for one in parameters)
    except (KeyError, TypeError):
        return False
