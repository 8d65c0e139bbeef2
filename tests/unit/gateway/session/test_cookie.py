"""The session cookie: its form, the names that follow from it, and when a browser gets and loses it."""

import base64
import hashlib
import re
import time
from collections.abc import Sequence
from typing import Any

import aiohttp_session
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import make_mocked_request

from gateway.errors import DuplicateCookie
from gateway.session.cookie import COOKIE, LIVE, SessionCookie, SessionStorage, is_doubled, refuse_doubled
from gateway.session.kept_sessions import KeptSessions

FORM = re.compile(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}")
FAMILY, ID, SECRET = "f" * 22, "i" * 43, bytes(range(32))
TEXT = f"{FAMILY}.{ID}.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def test_S14_a_new_cookie_has_256_bits_of_id_and_as_many_of_secret() -> None:
    cookies = [SessionCookie.new() for _ in range(50)]

    assert all(FORM.fullmatch(cookie.text) for cookie in cookies)
    assert all(len(base64.urlsafe_b64decode(f"{cookie.id}=")) == 32 for cookie in cookies)
    assert all(len(base64.urlsafe_b64decode(f"{cookie.family}==")) == 16 for cookie in cookies)
    assert all(len(cookie.secret) == 32 for cookie in cookies)
    for part in ("family", "id", "secret"):
        assert len({getattr(cookie, part) for cookie in cookies}) == 50


def test_S15_a_change_of_id_keeps_the_family_and_nothing_else() -> None:
    before = SessionCookie.new()

    after = SessionCookie.new(before.family)

    assert after.family == before.family
    assert after.id != before.id
    assert after.secret != before.secret


def test_a_cookie_is_read_as_it_was_written() -> None:
    assert SessionCookie(FAMILY, ID, SECRET).text == TEXT
    assert SessionCookie.parse(TEXT) == SessionCookie(FAMILY, ID, SECRET)
    new = SessionCookie.new()
    assert SessionCookie.parse(new.text) == new


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "x",
        TEXT[1:],
        "f" + TEXT,
        TEXT[:-1],
        TEXT + "A",
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace(".", ":"),
        TEXT.replace("f", "/", 1),
        TEXT.replace("i", "+", 1),
        TEXT.replace("i", "é", 1),
        TEXT * 100,
        TEXT[:-1] + "9",
    ],
)
def test_S15_what_is_not_of_our_form_is_no_cookie(text: str | None) -> None:
    assert SessionCookie.parse(text) is None


def test_S14_a_session_is_named_by_its_family_and_the_hash_of_its_id() -> None:
    ref = SessionCookie(FAMILY, ID, SECRET).ref

    assert (ref.family, ref.digest) == (FAMILY, hashlib.sha256(ID.encode()).hexdigest())


def sent(*values: str) -> web.Request:
    pairs = "; ".join(f"{COOKIE}={value}" for value in values)
    return make_mocked_request("GET", "/", headers={"Cookie": f"a=1; {pairs}"})


def test_A1_one_session_cookie_is_the_persons_and_two_are_nobodys() -> None:
    other = SessionCookie.new()

    assert SessionCookie.of(sent(TEXT)) == SessionCookie(FAMILY, ID, SECRET)
    for values in ((TEXT, other.text), (other.text, TEXT), (TEXT, TEXT), (TEXT, ""), (TEXT, "odd")):
        assert SessionCookie.of(sent(*values)) is None
        assert is_doubled(sent(*values))
        with pytest.raises(DuplicateCookie):
            refuse_doubled(sent(*values))
    for single in ([TEXT], ["odd"], []):
        assert not is_doubled(sent(*single))
        refuse_doubled(sent(*single))


def test_A1_S18_all_session_cookies_of_our_form_are_found_each_once() -> None:
    other = SessionCookie.new()

    assert SessionCookie.every(sent(TEXT, "odd", other.text, TEXT, "")) == [SessionCookie.parse(TEXT), other]
    assert SessionCookie.every(sent()) == []


class Service:
    """Handlers that do with a session what ours do, over a storage that opens one cookie."""

    def __init__(self) -> None:
        self.asked: list[tuple[SessionCookie, Sequence[str]]] = []
        self.sessions: list[object] = []
        self.bound = SessionCookie.new()
        storage = SessionStorage(self, lambda request: (request.path, "needs"))
        self.app = web.Application(middlewares=[aiohttp_session.session_middleware(storage)])
        for handler in (self.see, self.bind, self.unbind, self.change):
            self.app.router.add_get(f"/{handler.__name__}", handler)

    kept: KeptSessions[Any] = KeptSessions(now=time.monotonic)

    async def reopen(self, _kept_as: str, _fields: Sequence[str]) -> object | None:
        """Keep none."""
        return None

    async def load(
        self, cookie: SessionCookie, fields: Sequence[str], *, keep_as: str | None
    ) -> object | None:
        """Open one cookie."""
        assert keep_as
        self.asked.append((cookie, fields))
        return "a live session" if cookie.family == FAMILY else None

    async def see(self, request: web.Request) -> web.Response:
        """Ask for the session."""
        session = await aiohttp_session.get_session(request)
        self.sessions.append((session.get(LIVE), session.new))
        return web.Response()

    async def bind(self, request: web.Request) -> web.Response:
        """Bind a session to the browser."""
        session = await aiohttp_session.new_session(request)
        session.set_new_identity(self.bound.text)
        session[LIVE] = "another live session"
        return web.Response()

    async def unbind(self, request: web.Request) -> web.Response:
        """Take the session from the browser."""
        (await aiohttp_session.get_session(request)).invalidate()
        return web.Response()

    async def change(self, request: web.Request) -> web.Response:
        """Change what is remembered of the request's session, and bind nothing."""
        (await aiohttp_session.get_session(request))[LIVE] = "changed"
        return web.Response()


async def answered(
    aiohttp_client: AiohttpClient, service: Service, path: str, cookie: str | None
) -> list[str]:
    client = await aiohttp_client(service.app)
    answer = await client.get(path, headers={"Cookie": f"{COOKIE}={cookie}"} if cookie else {})
    assert answer.status == 200
    return answer.headers.getall("Set-Cookie", [])


async def test_the_session_behind_a_cookie_is_opened_with_what_the_route_needs(
    aiohttp_client: AiohttpClient,
) -> None:
    service = Service()

    assert await answered(aiohttp_client, service, "/see", TEXT) == []

    assert service.asked == [(SessionCookie(FAMILY, ID, SECRET), ("/see", "needs"))]
    assert service.sessions == [("a live session", False)]


@pytest.mark.parametrize("cookie", [None, "x", SessionCookie.new().text], ids=["none", "foreign", "unknown"])
async def test_S15_without_a_cookie_that_opens_one_there_is_an_empty_session(
    aiohttp_client: AiohttpClient, cookie: str | None
) -> None:
    service = Service()

    assert await answered(aiohttp_client, service, "/see", cookie) == []

    assert len(service.asked) == (1 if cookie and len(cookie) > 1 else 0)
    assert service.sessions == [(None, True)]


async def test_S12_a_bound_session_gives_the_browser_a_strict_cookie_that_lasts_as_long_as_its_windows(
    aiohttp_client: AiohttpClient,
) -> None:
    service = Service()

    (cookie,) = await answered(aiohttp_client, service, "/bind", TEXT)

    assert cookie == f"__Host-Http-session={service.bound.text}; HttpOnly; Path=/; SameSite=Strict; Secure"


async def test_S18_an_unbound_session_takes_the_cookie_back_with_all_its_attributes(
    aiohttp_client: AiohttpClient,
) -> None:
    (cookie,) = await answered(aiohttp_client, Service(), "/unbind", TEXT)

    assert cookie == (
        '__Host-Http-session=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; '
        "SameSite=Strict; Secure"
    )


async def test_a_browser_without_the_cookie_is_not_told_to_drop_it(aiohttp_client: AiohttpClient) -> None:
    assert await answered(aiohttp_client, Service(), "/unbind", None) == []


async def test_a_session_that_is_not_bound_anew_leaves_the_browsers_cookie_alone(
    aiohttp_client: AiohttpClient,
) -> None:
    assert await answered(aiohttp_client, Service(), "/change", TEXT) == []
