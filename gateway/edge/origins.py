"""Which origins are ours: the gateway's own, and those of front ends that an operator named beside it.

Owns the one answer to whose page a request comes from; the guard, the cross-origin headers, return addresses and
WebSockets all ask here. Origins are compared letter by letter, as browsers write them (RFC 6454, section 6.2): no
suffix, prefix, port, case or dot makes another one ours, and neither does `null`.
Never says what such a page may do, and never reads a setting: `setting_faults` has seen to it that each is of our site.
"""

import re
from collections.abc import Iterable
from typing import Final

from aiohttp import hdrs, web


class OurOrigins:
    """The gateway's own origin, `own`, and the `others` that may call it."""

    def __init__(self, own: str, others: Iterable[str] = ()) -> None:
        self.own: Final = own
        self.others: Final = frozenset(others)

    def other_of(self, request: web.BaseRequest) -> str | None:
        """Return which of the others a request says that it comes from; None of our own, a stranger's, and of two."""
        named = request.headers.getall(hdrs.ORIGIN, [])
        return named[0] if len(named) == 1 and named[0] in self.others else None

    def other_at(self, address: str) -> str | None:
        """Return which of the others an address begins with; what follows it is not judged."""
        form = re.match(r"[^/]*//[^/?#\\]*(?=[/?#]|$)", address)
        return form[0] if form and form[0] in self.others else None

    def leads_here(self, request: web.Request) -> bool:
        """Tell whether a navigation from our site comes from one of the others, as far as anybody can tell.

        A navigation has no `Origin`. `Referer` says whose page it was; where a page sends none, it must at least lead
        back to one of the others.
        """
        pages = request.headers.getall(hdrs.REFERER, []) or request.query.getall("return_to", [])
        return len(pages) == 1 and self.other_at(pages[0]) is not None


ORIGINS: Final = web.AppKey("origins", OurOrigins)
