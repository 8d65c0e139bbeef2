"""A cookie that opens no session is counted, and one that came too often is not looked up (A5, S51)."""

import time
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.session.cookie import COOKIE, SessionCookie, SessionStorage
from gateway.session.kept_sessions import KeptSessions
from servicekit.callers import KNOWN
from servicekit.errors import TooManyRequests

COOKIE_OF_ADA = SessionCookie.new()


class Count:
    """Counts what opened nothing, and refuses after the first."""

    def __init__(self) -> None:
        self.in_vain_so_far: list[SessionCookie] = []

    def look(self, _request: web.Request, cookie: SessionCookie) -> None:
        """Refuse a cookie that was in vain."""
        assert isinstance(cookie, SessionCookie)
        if cookie in self.in_vain_so_far:
            raise TooManyRequests("too often", retry_after=1)

    def in_vain(self, _request: web.Request, cookie: SessionCookie) -> None:
        """Count it."""
        self.in_vain_so_far.append(cookie)


class Store:
    """Opens one session, or none."""

    def __init__(self, live: object | None) -> None:
        self.asked = 0
        self._live = live

    kept: KeptSessions[Any] = KeptSessions(now=time.monotonic)

    async def reopen(self, _kept_as: str, _fields: Sequence[str]) -> object | None:
        """Keep none."""
        return None

    async def load(
        self, _cookie: SessionCookie, _fields: Sequence[str], *, keep_as: str | None
    ) -> object | None:
        """Return what the cookie opens."""
        assert keep_as
        self.asked += 1
        return self._live


def request_with(cookie: SessionCookie | None) -> web.Request:
    """Return a request of a browser with this cookie."""
    headers = {"Cookie": f"{COOKIE}={cookie.text}"} if cookie else {}
    return make_mocked_request("GET", "/", headers=headers)


async def test_A5_S51_a_cookie_in_vain_is_counted_and_then_no_longer_looked_up() -> None:
    count, store = Count(), Store(None)
    storage = SessionStorage(store, lambda _: (), count)
    request = request_with(COOKIE_OF_ADA)

    assert (await storage.load_session(request)).new
    assert count.in_vain_so_far == [COOKIE_OF_ADA]
    assert KNOWN not in request
    with pytest.raises(TooManyRequests):
        await storage.load_session(request_with(COOKIE_OF_ADA))
    assert store.asked == 1


async def test_A5_a_cookie_that_opens_a_session_is_not_counted_and_its_caller_is_known() -> None:
    count, store = Count(), Store("a session")
    storage = SessionStorage(store, lambda _: (), count)
    request = request_with(COOKIE_OF_ADA)

    assert not (await storage.load_session(request)).new
    assert count.in_vain_so_far == []
    assert request[KNOWN] is True


async def test_A5_who_has_no_cookie_is_not_counted() -> None:
    count, store = Count(), Store(None)

    assert (await SessionStorage(store, lambda _: (), count).load_session(request_with(None))).new

    assert (count.in_vain_so_far, store.asked) == ([], 0)


async def test_without_anybody_who_counts_a_session_is_opened_all_the_same() -> None:
    for live in (None, "a session"):
        session = await SessionStorage(Store(live), lambda _: ()).load_session(request_with(COOKIE_OF_ADA))
        assert session.new is (live is None)
