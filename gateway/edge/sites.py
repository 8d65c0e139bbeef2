"""Whether two origins are of one site, so that browsers send the cookies of one with what pages of the other fetch.

Owns the rule: one scheme, and one name that somebody registered below a public suffix. The list of suffixes changes
each week, and is that of the installed package; a browser's own is the one that counts.
Never decides a request: browsers say `Sec-Fetch-Site` themselves, and the guard believes that.

Sources: HTML Standard, section 7.1.1.2 (schemelessly same site and schemeful); publicsuffix.org.
"""

import ipaddress
from functools import cache

from publicsuffixlist import PublicSuffixList

from servicekit.web_address import WebAddress


@cache
def _suffixes() -> PublicSuffixList:
    """Return the list, read when it is first asked: a tenth of a second that most gateways need not wait for.

    A name below no suffix that it has is registered below its last label, as in a network of one's own.
    """
    return PublicSuffixList(accept_unknown=True)


def is_same_site(one: WebAddress, other: WebAddress) -> bool:
    """Tell whether browsers take two origins for one site; ports do not count."""
    if one.scheme != other.scheme:
        return False
    if one.host == other.host:
        return True
    mine, theirs = _registered(one.host), _registered(other.host)
    return mine is not None and mine == theirs


def _registered(host: str) -> str | None:
    """Return the name that somebody registered; None for an address, and for a suffix itself."""
    if host.startswith("[") or _is_address(host):
        return None
    name: str | None = _suffixes().privatesuffix(host)
    return name


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
