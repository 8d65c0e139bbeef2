"""The doctor's look at a federated token: what it says of itself, which the app registration must say as well.

Owns the comparison with what Entra expects. Shows issuer, subject and audience, because an operator has to compare them
with the registration; they name a workload, and no person. Never shows the token, and verifies nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from servicekit.doctor.explanations import Wording
from servicekit.doctor.findings import Finding, fault, ok, warning
from servicekit.doctor.unverified import claims_unverified

FEDERATED: Final = "federated token"

# What Entra's federated credentials name as audience unless somebody sets another.
AUDIENCE: Final = "api://AzureADTokenExchange"
_SHOWN: Final = 200


def look_at_federated_token(
    token: str, wording: Wording, *, now: Callable[[], float], in_entra: bool
) -> Finding:
    """Say whose token it is, and whether it is still good; `now` is the wall clock in seconds."""
    name = f"{wording.prefix}FEDERATED_TOKEN_FILE"
    claims = claims_unverified(token)
    if claims is None:
        return fault(FEDERATED, f"the file of {name} holds no token that can be read", f"Let {name} name it.")
    said = ", ".join(f"{claim} {str(claims.get(claim))[:_SHOWN]!r}" for claim in ("iss", "sub", "aud"))
    end = claims.get("exp")
    if not isinstance(end, int | float):
        return warning(FEDERATED, f"{said}; it does not say when it ends", f"Look at what writes {name}.")
    ends = f"it {'ended' if end <= now() else 'ends'} at {_time(end)}"
    if end <= now():
        return fault(
            FEDERATED,
            f"{said}; {ends}",
            f"Look at what should renew the file of {name}: in Kubernetes the kubelet does, for a projected token.",
        )
    if in_entra and AUDIENCE not in _audiences(claims):
        return warning(
            FEDERATED,
            f"{said}; {ends}",
            f"Have it issued for the audience {AUDIENCE}, or set its own in App registrations > ({wording.owner}) > "
            "Certificates & secrets > Federated credentials.",
        )
    return ok(FEDERATED, f"{said}; {ends}")


def _audiences(claims: dict[str, Any]) -> list[object]:
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def _time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "a time that does not exist"
