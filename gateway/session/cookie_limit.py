"""How often cookies may come that open no session: each costs a look into Redis.

Owns who is counted. A cookie of our making counts for itself, so that a session that has ended is nobody's affair but
its own browser's. Any other counts for the network it comes from, whose people go on with theirs.
Never reads a session.
"""

from aiohttp import web

from gateway.edge.client_address import ClientAddresses
from gateway.edge.limit_rules import Caller, Limit
from gateway.edge.limits import RateLimits
from gateway.edge.network_limits import network_caller
from gateway.session.cookie import SessionCookie
from gateway.session.cookie_marks import CookieMarks


class CookieLimit:
    """Counts cookies in vain."""

    def __init__(self, limits: RateLimits, addresses: ClientAddresses, marks: CookieMarks) -> None:
        self._limits = limits
        self._addresses = addresses
        self._marks = marks

    def look(self, request: web.Request, cookie: SessionCookie) -> None:
        """Raise TooManyRequests where this cookie, or those of its network, were in vain too often."""
        self._limits.look(Limit.SESSION_COOKIES, self._caller(request, cookie))

    def in_vain(self, request: web.Request, cookie: SessionCookie) -> None:
        """Count a cookie that opened nothing."""
        self._limits.note(Limit.SESSION_COOKIES, self._caller(request, cookie))

    def is_known(self, request: web.Request) -> bool:
        """Tell whether a request has a cookie of our making."""
        return self._marks.is_ours(SessionCookie.of(request))

    def _caller(self, request: web.Request, cookie: SessionCookie) -> Caller:
        if self._marks.is_ours(cookie):
            return Caller(cookie.ref.digest, session=cookie.ref.short)
        return network_caller(self._addresses.of(request))
