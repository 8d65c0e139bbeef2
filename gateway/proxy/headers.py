"""The header fields of a request as an upstream gets them, and those of its answer as the browser gets them.

Owns what is made of the lists (`gateway/upstream_rows/headers.py`): fields are built, never copied as a whole.
Never attaches a token or the request's id (`exchange.py` and `servicekit/outbound.py` do), and never says how an answer
may be cached or framed: what it leaves out, the gateway's own headers fill in.

Sources: RFC 9110, sections 5.5 and 7.6.1; RFC 10017, "Proxy Restrictions"; CVE-2025-64484.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from aiohttp import hdrs
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.proxy.led_addresses import link_as_seen_by_browsers, seen_by_browsers
from gateway.upstream_rows.headers import SAFE_INWARD, SAFE_INWARD_OF_CACHED, SAFE_OUTWARD
from gateway.upstream_rows.row import UpstreamRow
from servicekit.errors import BadRequest

Fields = CIMultiDictProxy[str] | CIMultiDict[str]

_LED: Final = frozenset({"location", "content-location"})


def outward(row: UpstreamRow, fields: Fields) -> CIMultiDict[str]:
    """Return the fields of a browser's request that go to the row's upstream, in their order.

    Raises BadRequest where the body's type is named twice: the gateway and the upstream may read another one each.
    Not among them: `Authorization`, the request's id, and what frames the body.
    """
    if len(fields.getall(hdrs.CONTENT_TYPE, ())) > 1:
        raise BadRequest("Content-Type must be there once.")
    return _chosen(fields, SAFE_OUTWARD.union(row.request_headers))


def inward(row: UpstreamRow, fields: Fields, *, asked: str) -> CIMultiDict[str]:
    """Return the fields of an answer that go to the browser, in their order; `asked` is the address that answered.

    `Location`, `Content-Location` and `Link` lead through the gateway, or are left out (`led_addresses.py`).
    """
    safe = SAFE_INWARD.union(row.response_headers, SAFE_INWARD_OF_CACHED if row.cache else ())
    found: CIMultiDict[str] = CIMultiDict()
    for name, value in _chosen(fields, safe).items():
        led: str | None = value
        if name.lower() in _LED:
            led = seen_by_browsers(row, value, asked=asked)
        elif name.lower() == "link":
            led = link_as_seen_by_browsers(row, value, asked=asked)
        if led is not None:
            found.add(name, led)
    return found


def _chosen(fields: Fields, names: AbstractSet[str]) -> CIMultiDict[str]:
    """Return the fields of these names, but those that `Connection` names: they are for the next hop alone."""
    listed = ",".join(fields.getall(hdrs.CONNECTION, ()))
    hop_by_hop = {name.strip().lower() for name in listed.split(",")}
    chosen: CIMultiDict[str] = CIMultiDict()
    for name, value in fields.items():
        if name.lower() in names and name.lower() not in hop_by_hop:
            chosen.add(name, _in_utf8(value))
    return chosen


def _in_utf8(value: str) -> str:
    """Return a value that can be written again: what is no UTF-8 was ISO-8859-1, as names of files often are."""
    octets = value.encode(errors="surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("iso-8859-1")
