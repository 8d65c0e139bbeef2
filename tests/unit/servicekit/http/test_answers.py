"""A whole answer in one piece: what is on the wire is what aiohttp would have sent."""

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from servicekit.http.answers import Answer
from tests.stage.ports import free_port
from tests.stage.raw_http import ask_raw
from tests.stage.world import served


class Every:
    """Headers of every answer, as a service has them."""

    def __init__(self) -> None:
        self.is_usual = True

    def usual_lines(self) -> bytes | None:
        """Return them up to the id."""
        return b"X-Every: yes\r\nclient-request-id: " if self.is_usual else None

    def lines(self, _request: web.Request, own: CIMultiDict[str]) -> bytes:
        """Return them, but for those that are there."""
        return b"" if "X-Every" in own else b"X-Every: yes\r\n"


def with_cookie() -> Answer:
    answer = Answer(b"{}", headers={"ETag": '"a"'})
    answer.set_cookie("name", "value", secure=True, httponly=True, samesite="Strict")
    return answer


def with_nothing_but_a_cookie() -> Answer:
    answer = Answer(b"{}")
    answer.set_cookie("name", "value", secure=True)
    return answer


def with_a_header_that_came_later() -> Answer:
    answer = Answer(b"{}")
    answer.headers["Retry-After"] = "5"
    return answer


def last_of_its_connection() -> Answer:
    answer = Answer.of({"a": 1})
    answer.force_close()
    return answer


def unusual_status() -> Answer:
    return Answer(b"{}", status=422)


MADE: dict[str, Callable[[], Answer]] = {
    "plain": lambda: Answer.of({"name": "Ada \u2603"}),
    "nothing": lambda: Answer(status=204),
    "not-modified": lambda: Answer(status=304, headers={"ETag": '"a"'}),
    "empty": Answer,
    "problem": lambda: Answer.of({}, status=503, content_type="application/problem+json; charset=utf-8"),
    "own": lambda: Answer(b"{}", headers={"X-Every": "my own", "Cache-Control": "private"}),
    "cookie": with_cookie,
    "cookie-alone": with_nothing_but_a_cookie,
    "later": with_a_header_that_came_later,
    "last": last_of_its_connection,
    "unusual": unusual_status,
}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Give a server that answers each in both ways."""
    every = Every()

    def handler(make: Callable[[], Answer], *, whole: bool) -> Callable[[web.Request], object]:
        async def answer(_request: web.Request) -> web.Response:
            made = make()
            if whole:
                made.every = every
            elif "X-Every" not in made.headers:
                made.headers["X-Every"] = "yes"
            return made

        return answer

    app, port = web.Application(), free_port()
    for name, make in MADE.items():
        app.router.add_get(f"/whole/{name}", handler(make, whole=True))  # type: ignore[arg-type]
        app.router.add_get(f"/aiohttp/{name}", handler(make, whole=False))  # type: ignore[arg-type]
    async with served(app, port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", MADE)
async def test_an_answer_in_one_piece_says_what_aiohttp_would_have_said(
    url: str, name: str, method: str
) -> None:
    whole, theirs = [await ask_raw(url, method, f"/{way}/{name}", []) for way in ("whole", "aiohttp")]

    of_this_way = {"date", "server", "client-request-id"}
    assert (whole.status, whole.body, whole.set_cookies) == (theirs.status, theirs.body, theirs.set_cookies)
    assert {key: value for key, value in whole.headers.items() if key not in of_this_way} == {
        key: value for key, value in theirs.headers.items() if key not in of_this_way
    }


# Of each its status, type and body: what both ways say could be wrong twice.
SAID: dict[str, tuple[int, str | None, bytes]] = {
    "plain": (200, "application/json; charset=utf-8", b'{"name": "Ada \\u2603"}'),
    "nothing": (204, None, b""),
    "not-modified": (304, None, b""),
    "empty": (200, "application/octet-stream", b""),
    "problem": (503, "application/problem+json; charset=utf-8", b"{}"),
    "own": (200, "application/json; charset=utf-8", b"{}"),
    "cookie": (200, "application/json; charset=utf-8", b"{}"),
    "cookie-alone": (200, "application/json; charset=utf-8", b"{}"),
    "later": (200, "application/json; charset=utf-8", b"{}"),
    "last": (200, "application/json; charset=utf-8", b'{"a": 1}'),
    "unusual": (422, "application/json; charset=utf-8", b"{}"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", MADE)
async def test_so_it_does_on_a_connection_that_stays_and_as_it_was_made(
    url: str, name: str, method: str
) -> None:
    status, kind, body = SAID[name]
    said = []
    async with aiohttp.ClientSession() as client:
        for way in ("whole", "aiohttp", "whole"):
            async with client.request(method, f"{url}/{way}/{name}") as answer:
                assert (answer.status, answer.reason) == (status, HTTPStatus(status).phrase)
                assert answer.headers.get("Content-Type") == kind or not body
                assert await answer.read() == (body if method == "GET" else b"")
                of_this_way = {"Date", "Server", "client-request-id"}
                said.append({(key, value) for key, value in answer.headers.items() if key not in of_this_way})
    assert said[0] == said[1] == said[2]
    own = dict(said[0])
    assert ("Set-Cookie" in own) is name.startswith("cookie")
    assert own.get("Retry-After") == ("5" if name == "later" else None)


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\0b"])
async def test_S55_a_line_break_in_a_header_is_no_second_header(value: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        made = Answer(b"{}", headers={"X-Own": value})
        made.every = Every()
        return made

    app, port = web.Application(), free_port()
    app.router.add_get("/", answer)
    async with served(app, port):
        try:
            given = await ask_raw(f"http://127.0.0.1:{port}", "GET", "/", [])
        except IndexError:
            return  # the connection ended without an answer
        assert given.status == 500
        assert given.set_cookies == []


def test_an_answer_begins_as_aiohttps_do_but_for_headers_that_nobody_has_asked_for() -> None:
    """It makes itself, as each request has one: what aiohttp's would have, it has."""
    answer, theirs = Answer(b"{}"), web.Response(body=b"{}", content_type="application/json")
    for_compression = {"_compressed_body", "_zlib_executor", "_zlib_executor_size"}

    assert set(vars(theirs)) - set(vars(answer)) == {"_headers", *for_compression}
    assert {name: getattr(answer, name) for name in for_compression} == {
        name: getattr(theirs, name) for name in for_compression
    }
    assert (answer.status, answer.reason, answer.body) == (theirs.status, theirs.reason, theirs.body)
    assert (answer.content_type, answer.charset) == ("application/json", "utf-8")
    assert answer._own is not None, "made for whoever asked for its type"
