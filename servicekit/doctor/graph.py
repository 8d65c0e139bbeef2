"""The doctor's look at Microsoft Graph, without a token.

Owns the one request and what its answer means. Never holds a token: that it is asked for is what is looked for.
"""

from typing import Final

from servicekit.doctor.explanations import Wording
from servicekit.doctor.findings import Finding, fault, ok, plain_reason, within_time
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError

GRAPH: Final = "Graph"

_SECONDS: Final = 6
_UNAUTHORIZED: Final = 401
_TROUBLE: Final = frozenset({429, *range(500, 600)})


async def look_at_graph(http: Outbound, url: str, wording: Wording) -> Finding:
    """Ask for a profile without a token: 401 is the right answer."""
    address = f"{url.rstrip('/')}/me"
    return await within_time(GRAPH, _graph(http, address, wording))


async def _graph(http: Outbound, address: str, wording: Wording) -> Finding:
    try:
        reply = await http.send(
            "GET", address, headers={"Accept": "application/json"}, timeout_seconds=_SECONDS
        )
    except OutboundError as error:
        return fault(
            GRAPH,
            f"{address} cannot be reached: {plain_reason(error, error.reason)}",
            f"Allow outgoing https to Microsoft Graph, and compare {wording.prefix}GRAPH_URL and "
            f"{wording.prefix}CA_BUNDLE.",
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
        f"Set {wording.prefix}GRAPH_URL to Graph's address with its version, https://graph.microsoft.com/v1.0.",
    )
