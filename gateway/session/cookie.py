"""The session cookie: its form and attributes, the names that follow from it, and when it is read and written.

Owns what the browser holds of a session. aiohttp-session gives the middleware, the per-request memory and the moment at
which a cookie is written; its Redis storage is not used (docs/explanation/decisions/2026-11-21-own-session-storage.md).
Never adopts what a browser presents: a cookie that is not of our form is no cookie. Never reads or writes a record.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp_session
from aiohttp import hdrs, web

from gateway.edge.cookies import cookie_values, cookies, whole_field
from gateway.edge.guard import Ahead
from gateway.errors import DuplicateCookie
from gateway.session.kept_sessions import KeptSessions
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
    ref: SessionRef = field(init=False, compare=False)
    """What the session is called in Redis and in logs."""

    def __post_init__(self) -> None:
        """Name the session, once: its name is asked for many times."""
        digest = hashlib.sha256(self.id.encode()).hexdigest()
        object.__setattr__(self, "ref", SessionRef(self.family, digest))

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

    def __repr__(self) -> str:
        return f"SessionCookie({self.ref.short})"


class Sessions(Protocol):
    """Whoever opens sessions."""

    @property
    def kept(self) -> KeptSessions[Any]:
        """Those that were opened a moment ago, and may have ended since."""

    async def reopen(self, kept_as: str, fields: Sequence[str]) -> object | None:
        """Return a session that was opened by the same words a moment ago; None where it must be loaded."""

    async def load(
        self, cookie: SessionCookie, fields: Sequence[str], *, keep_as: str | None
    ) -> object | None:
        """Return the session that a cookie opens, and keep it as it was asked for; None where it opens none."""


class CookiesInVain(Protocol):
    """Whoever counts cookies that open no session."""

    def look(self, request: web.Request, cookie: SessionCookie) -> None:
        """Refuse a request whose cookie is not worth a look any more."""

    def in_vain(self, request: web.Request, cookie: SessionCookie) -> None:
        """Hear of a cookie that opened nothing."""


def is_doubled(request: web.Request) -> bool:
    """Tell whether the browser sends the session cookie more than once: then nobody knows which is the person's."""
    return len(cookie_values(request, COOKIE)) > 1


def is_of_event_source(request: web.Request) -> bool:
    """Tell whether a page's `EventSource` asks, which shows the page no answer but a stream (HTML, section 9.2.3)."""
    return request.headers.get(hdrs.ACCEPT) == "text/event-stream"


def refuse_doubled(request: web.Request) -> None:
    """Raise DuplicateCookie where the session cookie came more than once: what begins now would not be found again."""
    if is_doubled(request):
        raise DuplicateCookie


# A task of its own works for each request, so that this is nobody else's; and a look costs next to nothing.
_found: ContextVar[tuple[web.BaseRequest, object | None] | None] = ContextVar("found", default=None)


def current_request() -> web.BaseRequest | None:
    """Return the request whose session was looked for where this runs; None where there was none."""
    known = _found.get()
    return known[0] if known else None


def found_for(request: web.BaseRequest) -> Any:
    """Return the session that was found for this request before; None where none was, or nobody has looked."""
    known = _found.get()
    return known[1] if known is not None and known[0] is request else None


def storage_of(request: web.Request) -> "SessionStorage":
    """Return what finds the sessions of a request's route."""
    storage: SessionStorage = request[aiohttp_session.STORAGE_KEY]
    return storage


class SessionStorage(aiohttp_session.AbstractStorage):
    """Finds the session by its cookie, and writes or deletes the cookie."""

    def __init__(
        self,
        sessions: Sessions,
        fields: Callable[[web.Request], Sequence[str]],
        limit: CookiesInVain | None = None,
        *,
        writes: bool = True,
        ahead: Ahead | None = None,
    ) -> None:
        """Take who opens a cookie, what says which records the request's route needs, and who counts in vain.

        `ahead` is called as soon as it is known whose session it was a moment ago, and before it is known to live.
        """
        # A session cookie (no Max-Age): the server ends sessions, and the browser forgets with its last window.
        super().__init__(cookie_name=COOKIE, **_ATTRIBUTES)
        self._sessions = sessions
        self._fields = fields
        self._limit = limit
        self._ahead = ahead
        self.writes = writes
        """Whether an answer of the route may set the cookie: else aiohttp-session's middleware is not around it."""

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        """Return the session behind the cookie, or an empty new one, for whoever binds or unbinds one."""
        live = await self.live(request)
        data: Any = {"session": {LIVE: live}} if live else None
        return aiohttp_session.Session(None, data=data, new=live is None)

    async def live(self, request: web.Request) -> object | None:
        """Return the session behind the cookie, which is looked for once; None without one. Raises TooManyRequests."""
        known = _found.get()
        if known is not None and known[0] is request:
            return known[1]
        fields = self._fields(request)
        kept_as = whole_field(request)
        if self._ahead and kept_as and (opened := self._sessions.kept.get(kept_as)):
            self._ahead(request, opened.user.tid, opened.user.oid)
        live = await self._sessions.reopen(kept_as, fields) if kept_as else None
        if live is None:
            live = await self._loaded(request, fields, kept_as)
        if live:
            request[KNOWN] = True
        self.remember(request, live)
        return live

    def remember(self, request: web.Request, live: object | None) -> None:
        """Let this be the request's session from now on."""
        _found.set((request, live))

    async def _loaded(
        self, request: web.Request, fields: Sequence[str], keep_as: str | None
    ) -> object | None:
        cookie = SessionCookie.of(request)
        if cookie is None:
            return None
        if self._limit:
            self._limit.look(request, cookie)
        live = await self._sessions.load(cookie, fields, keep_as=keep_as)
        if live is None and self._limit:
            self._limit.in_vain(request, cookie)
        return live

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        """Set the cookie of a session that was bound, or delete that of one that was unbound."""
        if session.identity:
            self.save_cookie(response, session.identity)
        elif session.empty and cookie_values(request, COOKIE):
            # The attributes are repeated: browsers ignore a deletion of a `__Host-` cookie without `Secure`.
            response.del_cookie(COOKIE, **_ATTRIBUTES)
