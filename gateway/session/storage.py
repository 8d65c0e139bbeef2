"""aiohttp-session's storage, for sessions that `SessionStore` keeps.

Owns the moment at which the session cookie is read, written and deleted, and its attributes.
Never writes a record: `SessionStore` does, at the moment when something happens, so that a handler that fails
afterwards loses nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

import aiohttp_session
from aiohttp import web

from gateway.session.cookie import COOKIE, SessionCookie
from gateway.session.sessions import LIVE, SessionStore


class SessionStorage(aiohttp_session.AbstractStorage):
    """Finds the session by its cookie, and writes or deletes the cookie."""

    def __init__(self, store: SessionStore, fields: Callable[[web.Request], Sequence[str]]) -> None:
        """Take the store, and what says which records the request's route needs."""
        # A session cookie (no Max-Age): the server ends sessions, and the browser forgets with its last window.
        super().__init__(cookie_name=COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
        self._store = store
        self._fields = fields

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        """Return the session behind the cookie, or an empty new one."""
        cookie = SessionCookie.parse(self.load_cookie(request))
        live = await self._store.load(cookie, self._fields(request)) if cookie else None
        data: Any = {"session": {LIVE: live}} if live else None
        return aiohttp_session.Session(None, data=data, new=live is None)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        """Set the cookie of a session that was bound, or delete that of one that was unbound."""
        if session.identity:
            self.save_cookie(response, session.identity)
        elif session.empty and COOKIE in request.cookies:
            # The attributes are repeated: browsers ignore a deletion of a `__Host-` cookie without `Secure`.
            response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
