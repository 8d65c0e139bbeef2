"""Where `Location`, `Content-Location` and `Link` lead, once the upstream's address is none that a browser knows.

Owns the way back from an address of the upstream to a path of ours. What lies within the row's target is brought to the
row's prefix; another server's address stays as it is; what is the upstream's own beside its target no browser can
reach, and it would tell how the inside of a network is called: it is left out.
Never follows anything.

Sources: RFC 3986, section 5; RFC 8288, section 3; RFC 9110, section 10.2.2.
"""

import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from gateway.upstream_rows.row import UpstreamRow
from servicekit.web_address import read_web_address

# What a browser makes of a backslash, a tab or a space is another address than ours.
_UNSAFE: Final = re.compile(r"[\\\x00-\x20\x7f]")
_DOTS: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
# An address in angle brackets and its parameters, up to the comma before the next one (RFC 8288, section 3).
_LINK: Final = re.compile(r'[\s,]*<([^<>]*)>((?:[^,"<>]|"(?:[^"\\]|\\.)*")*)(?=,|$)')


def seen_by_browsers(row: UpstreamRow, reference: str, *, asked: str) -> str | None:
    """Return an address that an upstream names as a browser can reach it; None where it cannot.

    `reference` is an address or a part of one (RFC 3986, section 4.1), `asked` the address that it is a part of.
    """
    if _UNSAFE.search(reference):
        return None
    try:
        address = urlsplit(urljoin(asked, reference))
        origin = read_web_address(f"{address.scheme}://{address.netloc}").origin
    except ValueError:
        return None
    target = read_web_address(row.target)
    if origin != target.origin:
        return address.geturl()
    path = address.path or "/"
    if not f"{path}/".startswith(f"{target.path}/") or any(map(_DOTS.fullmatch, path.split("/"))):
        return None
    rest = path.removeprefix(target.path)
    query, fragment = address.query, address.fragment
    # An empty rest is the prefix itself, and so is the slash of a target without a path.
    return f"{row.prefix}{rest}{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"


def link_as_seen_by_browsers(row: UpstreamRow, value: str, *, asked: str) -> str | None:
    """Return the value of a `Link` field with the addresses that browsers can reach; None where there are none."""
    links = [
        f"<{led}>{parameters.rstrip()}"
        for reference, parameters in _LINK.findall(value)
        if (led := seen_by_browsers(row, reference, asked=asked)) is not None
    ]
    return ", ".join(links) or None
