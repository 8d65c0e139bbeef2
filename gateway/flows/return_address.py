"""Where a flow and a sign-out may lead back to: a path of our own pages, or an address of a named front end.

Owns the choice between the two, and whose `/problem` page shows what went wrong on the way.
Never leads anywhere else: what is neither counts as our first page.
"""

from typing import Final

from gateway.edge.origins import OurOrigins
from gateway.flows.flow_record import LONGEST_PATH, local_path, written_path

HOME: Final = "/"


def return_address(text: str | None, origins: OurOrigins) -> str:
    """Return `text` as `local_path` does, or an origin of a named front end with a path of its own.

    What cannot be a path there leads to that front end's first page. The address is printable ASCII, of 512 characters
    at most.
    """
    origin = origins.other_at(text) if text else None
    if text is None or origin is None:
        return local_path(text)
    rest = text[len(origin) :]
    path = written_path(rest if rest.startswith("/") else f"/{rest}")
    whole = f"{origin}{path or HOME}"
    return whole if len(whole) <= LONGEST_PATH else f"{origin}{HOME}"


def absolute(address: str, origins: OurOrigins) -> str:
    """Return a return address with its origin, which of our own pages is the gateway's."""
    return f"{origins.own}{address}" if address.startswith("/") else address
