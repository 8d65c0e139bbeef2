"""The session cookie: its form and attributes, the names that follow from it, and when it is read and written.

Owns what the browser holds of a session. aiohttp-session gives the middleware, the per-request memory and the moment at
which a cookie is written; its Redis storage is not used (docs/explanation/decisions/2026-11-21-own-session-storage.md).
Never adopts what a browser presents: a cookie that is not of our form is no cookie. Never reads or writes a record.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import aiohttp_session
from aiohttp import web

from gateway.edge.cookies import cookie_values, cookies
from gateway.errors import DuplicateCookie
from gateway.store.names import SessionRef
from servicekit.callers import KNOWN

COOKIE: Final = "__Host-Http-session"
LIVE: Final = "live"
"""Under which name aiohttp-session remembers the session of a request."""
_ATTRIBUTES: Final[dict[str, Any]] = {"secure": True, "httponly": True, "samesite": "Strict", "path": "/"}
_FORM: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """What the browser holds: family, id and the secret half of the key that seals the session's records."""

    family: str
    id: str
    secret: bytes

    @classmethod
    def new(cls, family: str | None = None) -> "SessionCookie":
        """Make a cookie of 256 bits of id and as many of secret; a change of id keeps the family."""
        return cls(family or secrets.token_urlsafe(16), secrets.token_urlsafe(32), secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str | None) -> "SessionCookie | None":
        """Read what a browser sent; None unless it has exactly our form, so that Redis never sees foreign text.

        In one spelling: base64url has spare bits at its end, and four cookies would open one session.
        """
        match = _FORM.fullmatch(text or "")
        if not match:
            return None
        cookie = cls(match[1], match[2], base64.urlsafe_b64decode(match[3] + "="))
        return cookie if cookie.text == text else None

    @classmethod
    def of(cls, request: web.Request) -> "SessionCookie | None":
        """Read the cookie of a request; None where it has none, or one that is not of our form."""
        return cls.parse(cookies(request).get(COOKIE))

    @classmethod
    def every(cls, request: web.Request) -> "list[SessionCookie]":
        """Read all that a request has of our form: several where somebody planted one beside the person's own."""
        read = (cls.parse(text) for text in cookie_values(request, COOKIE))
        return list(dict.fromkeys(cookie for cookie in read if cookie))

    @property
    def text(self) -> str:
        """The cookie's value."""
        return f"{self.family}.{self.id}.{self.written(self.secret)}"

    @staticmethod
    def written(part: bytes) -> str:
        """Return a part of a cookie as it is written: base64url."""
        return base64.urlsafe_b64encode(part).decode().rstrip("=")

    @property
    def ref(self) -> SessionRef:
        """What the session is called in Redis and in logs."""
        return SessionRef(self.family, hashlib.sha256(self.id.encode()).hexdigest())

    def __repr__(self) -> str:
        return f"SessionCookie({self.ref.short})"


class CookiesInVain(Protocol):
    """Whoever counts cookies that open no session."""

    def look(self, request: web.Request, cookie: SessionCookie) -> None:
        """Refuse a request whose cookie is not worth a look any more."""

    def in_vain(self, request: web.Request, cookie: SessionCookie) -> None:
        """Hear of a cookie that opened nothing."""


def is_doubled(request: web.Request) -> bool:
    """Tell whether the browser sends the session cookie more than once: then nobody knows which is the person's."""
    return len(cookie_values(request, COOKIE)) > 1


def refuse_doubled(request: web.Request) -> None:
    """Raise DuplicateCookie where the session cookie came more than once: what begins now would not be found again."""
    if is_doubled(request):
        raise DuplicateCookie


class SessionStorage(aiohttp_session.AbstractStorage):
    """Finds the session by its cookie, and writes or deletes the cookie."""

    def __init__(
        self,
        load: Callable[[SessionCookie, Sequence[str]], Awaitable[object | None]],
        fields: Callable[[web.Request], Sequence[str]],
        limit: CookiesInVain | None = None,
    ) -> None:
        """Take what opens a cookie, what says which records the request's route needs, and who counts in vain."""
        # A session cookie (no Max-Age): the server ends sessions, and the browser forgets with its last window.
        super().__init__(cookie_name=COOKIE, **_ATTRIBUTES)
        self._load = load
        self._fields = fields
        self._limit = limit

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        """Return the session behind the cookie, or an empty new one; raises TooManyRequests."""
        cookie = SessionCookie.of(request)
        if cookie and self._limit:
            self._limit.look(request, cookie)
        live = await self._load(cookie, self._fields(request)) if cookie else None
        if live:
            request[KNOWN] = True
        elif cookie and self._limit:
            self._limit.in_vain(request, cookie)
        data: Any = {"session": {LIVE: live}} if live else None
        return aiohttp_session.Session(None, data=data, new=live is None)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        """Set the cookie of a session that was bound, or delete that of one that was unbound."""
        if session.identity:
            self.save_cookie(response, session.identity)
        elif session.empty and cookie_values(request, COOKIE):
            # The attributes are repeated: browsers ignore a deletion of a `__Host-` cookie without `Secure`.
            response.del_cookie(COOKIE, **_ATTRIBUTES)
