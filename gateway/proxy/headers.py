"""The header fields of a request as an upstream gets them, and those of its answer as the browser gets them.

Owns what is made of the lists (`gateway/upstream_rows/headers.py`): fields are built, never copied as a whole.
Never attaches a token or the request's id (`exchange.py` and `servicekit/outbound.py` do), and never says how an answer
may be cached or framed: what it leaves out, the gateway's own headers fill in.

Sources: RFC 9110, sections 5.5 and 7.6.1; RFC 10017, "Proxy Restrictions"; CVE-2025-64484.
"""

import functools
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
_LINK: Final = "link"
_MOST_SPELLINGS, _LONGEST_SPELLING = 512, 64
"""Of names of fields, for each row: browsers and servers have some dozens."""
# What nearly all answers say of their connection (RFC 9110, section 7.6.1).
_NAMES_NO_FIELD: Final = frozenset({"", "keep-alive", "close"})


def outward(row: UpstreamRow, fields: Fields) -> list[tuple[str, str]]:
    """Return the fields of a browser's request that go to the row's upstream, in their order.

    Raises BadRequest where the body's type is named twice: the gateway and the upstream may read another one each.
    Not among them: `Authorization`, the request's id, and what frames the body.
    """
    if hdrs.CONTENT_TYPE in fields and len(fields.getall(hdrs.CONTENT_TYPE)) > 1:
        raise BadRequest("Content-Type must be there once.")
    return _chosen(fields, _outward_names(row.request_headers))


def inward(row: UpstreamRow, fields: Fields, *, asked: str) -> CIMultiDict[str]:
    """Return the fields of an answer that go to the browser, in their order; `asked` is the address that answered.

    `Location`, `Content-Location` and `Link` lead through the gateway, or are left out (`led_addresses.py`).
    """
    found = _chosen(fields, _inward_names(row.response_headers, row.cache))
    if hdrs.LOCATION not in fields and hdrs.CONTENT_LOCATION not in fields and hdrs.LINK not in fields:
        return CIMultiDict(found)
    led = ((name, _led(row, name.lower(), value, asked)) for name, value in found)
    return CIMultiDict((name, value) for name, value in led if value is not None)


def _led(row: UpstreamRow, name: str, value: str, asked: str) -> str | None:
    if name in _LED:
        return seen_by_browsers(row, value, asked=asked)
    return link_as_seen_by_browsers(row, value, asked=asked) if name == _LINK else value


class _Spellings(dict[str, bool]):
    """Whether a field goes through, by its name in whatever case; of so many spellings that is known by heart."""

    def __init__(self, names: AbstractSet[str]) -> None:
        self._names = names

    def __missing__(self, name: str) -> bool:
        goes_through = name.lower() in self._names
        if len(self) < _MOST_SPELLINGS and len(name) <= _LONGEST_SPELLING:
            self[name] = goes_through
        return goes_through


# Put together once for each row: rows are those of the settings.
@functools.lru_cache
def _outward_names(listed: tuple[str, ...]) -> _Spellings:
    return _Spellings(SAFE_OUTWARD.union(listed))


@functools.lru_cache
def _inward_names(listed: tuple[str, ...], is_cached: bool) -> _Spellings:  # noqa: FBT001 - of a row
    return _Spellings(SAFE_INWARD.union(listed, SAFE_INWARD_OF_CACHED if is_cached else ()))


def _chosen(fields: Fields, names: _Spellings) -> list[tuple[str, str]]:
    """Return the fields of these names, but those that `Connection` names: they are for the next hop alone."""
    chosen = [(name, value) for name, value in fields.items() if names[name]]
    if not "".join([value for _, value in chosen]).isascii():
        chosen = [(name, _in_utf8(value)) for name, value in chosen]
    listed = fields.get(hdrs.CONNECTION, "")
    if listed.lower() in _NAMES_NO_FIELD and (not listed or len(fields.getall(hdrs.CONNECTION)) == 1):
        return chosen
    listed = ",".join(fields.getall(hdrs.CONNECTION))
    hop_by_hop = {name.strip().lower() for name in listed.split(",")}
    return [(name, value) for name, value in chosen if name.lower() not in hop_by_hop]


def _in_utf8(value: str) -> str:
    """Return a value that can be written again: what is no UTF-8 was ISO-8859-1, as names of files often are."""
    if value.isascii():
        return value
    octets = value.encode(errors="surrogateescape")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("iso-8859-1")
