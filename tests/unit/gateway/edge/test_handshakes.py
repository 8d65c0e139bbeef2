"""WebSocket handshakes: what is wrong with one, and whose pages may send it (RFC 6455, sections 4 and 10.2)."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.edge.guard import ROUTE_TABLE, Guard, RequestKind, Route
from gateway.edge.handshakes import is_handshake, refuse_bad_handshake, subprotocols
from servicekit.http.routes import RouteTable
from servicekit.problems import problems_middleware
from tests.stage.controls import judged_by
from tests.stage.ports import free_port
from tests.stage.raw_handshake import Answered, handshake
from tests.stage.world import served

CSRF = ("X-CSRF", "1")


async def judged(request: web.Request) -> web.Response:
    """Say what the request is taken for."""
    if not is_handshake(request):
        return web.Response(text="request")
    refuse_bad_handshake(request)
    return web.Response(text="handshake " + " ".join(subprotocols(request)))


async def next_one(_request: web.Request) -> web.Response:
    return web.Response(text="next")


FRONT_END = "http://127.0.0.1:5173"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Give a gateway whose guard stands before a route that takes handshakes, and one that does not."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = web.Application(middlewares=[problems_middleware(), judged_by(Guard(url, [FRONT_END]))])
    app[ROUTE_TABLE] = RouteTable()
    app[ROUTE_TABLE].add(
        app,
        [
            Route("GET", "/chat", judged, RequestKind.JSON, may_upgrade=True),
            Route("GET", "/plain", judged, RequestKind.JSON),
            Route("GET", "/next", next_one, RequestKind.PUBLIC),
        ],
    )
    async with served(app, port, service="gateway"):
        yield url


async def sent(url: str, *fields: tuple[str, str], path: str = "/chat", **how: object) -> tuple[int, str]:
    """Send a handshake from a page of ours; return the status and what it was taken for."""
    own = [("Origin", url)] if "Origin" not in {name for name, _ in fields} else []
    answer: Answered = await handshake(url, path, [*own, *fields], **how)  # type: ignore[arg-type]
    return answer.status, answer.after.decode() if answer.status == 200 else ""


@pytest.mark.parametrize(
    "fields",
    [
        (),
        [("Connection", "upgrade")],
        [("Connection", "keep-alive, Upgrade")],  # Firefox
        [("Connection", "keep-alive"), ("Connection", "Upgrade")],
        [("Upgrade", "WebSocket")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "websocket")],
        [("Content-Length", "0")],
        [("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")],
    ],
)
async def test_handshakes_as_browsers_and_proxies_write_them(url: str, fields: list[tuple[str, str]]) -> None:
    assert await sent(url, *fields) == (200, "handshake ")


async def test_S24_pages_of_a_named_origin_may_open_one_and_say_so_by_both_headers(url: str) -> None:
    own = ("Origin", FRONT_END)

    assert await sent(url, own) == (200, "handshake ")
    assert await sent(url, own, ("Sec-Fetch-Site", "same-site")) == (200, "handshake ")
    for fields in (
        [own, ("Sec-Fetch-Site", "cross-site")],
        [own, own],
        [("Origin", f"{FRONT_END}0")],
        [("Origin", "null"), ("Sec-Fetch-Site", "same-site")],
    ):
        assert (await sent(url, *fields))[0] == 403, fields


@pytest.mark.parametrize(
    "offered, read",
    [
        (["a"], "a"),
        (["a, b"], "a b"),
        (["a,b", " c"], "a b c"),
        (["v10.stomp, graphql-transport-ws"], "v10.stomp graphql-transport-ws"),
    ],
)
async def test_subprotocols_are_read_in_their_order(url: str, offered: list[str], read: str) -> None:
    fields = [("Sec-WebSocket-Protocol", names) for names in offered]

    assert await sent(url, *fields) == (200, f"handshake {read}")


# Whatever is no handshake is an ordinary request, of which the guard asks what it asks of every other one.
NO_HANDSHAKE = {
    "h2c": [
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
        ("Connection", "Upgrade, HTTP2-Settings"),
    ],
    "something": [("Upgrade", "foo")],
    "two at once": [("Upgrade", "websocket, h2c")],
    "two fields": [("Upgrade", "websocket"), ("Upgrade", "h2c")],
    "with a version": [("Upgrade", "websocket/13")],
    "TLS within HTTP": [("Upgrade", "TLS/1.2")],
    "unnamed by Connection": [("Connection", "keep-alive")],
    "named otherwise": [("Connection", "Upgraded")],
    "to be closed": [("Connection", "close")],
}


@pytest.mark.parametrize("what", NO_HANDSHAKE)
async def test_what_is_no_handshake_is_an_ordinary_request_and_needs_what_one_needs(
    url: str, what: str
) -> None:
    assert await sent(url, *NO_HANDSHAKE[what]) == (403, "")
    assert await sent(url, *NO_HANDSHAKE[what], CSRF) == (200, "request")


@pytest.mark.parametrize("start", ["POST {path} HTTP/1.1", "HEAD {path} HTTP/1.1", "GET {path} HTTP/1.0"])
async def test_no_other_method_and_no_older_version_opens_one(url: str, start: str) -> None:
    assert (await sent(url, start=start))[0] in {403, 405}


async def test_a_route_that_takes_no_handshake_is_not_opened_by_one(url: str) -> None:
    assert await sent(url, path="/plain") == (403, "")


BAD = {
    "another version": [("Sec-WebSocket-Version", "8")],
    "no version": [("Sec-WebSocket-Version", "")],
    "two versions": [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Version", "8")],
    "no key": [("Sec-WebSocket-Key", "")],
    "a short key": [("Sec-WebSocket-Key", "AAAA")],
    "a key that is no base64": [("Sec-WebSocket-Key", "!" * 24)],
    "two keys": [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")] * 2,
    "a subprotocol twice": [("Sec-WebSocket-Protocol", "a, a")],
    "a subprotocol that is none": [("Sec-WebSocket-Protocol", "a b")],
    "a subprotocol of nothing": [("Sec-WebSocket-Protocol", "a,,b")],
    "a subprotocol of other bytes": [("Sec-WebSocket-Protocol", "a\udcff")],
    "too many subprotocols": [("Sec-WebSocket-Protocol", ",".join(map(str, range(21))))],
    "a length": [("Content-Length", "4")],
    "chunks": [("Transfer-Encoding", "chunked")],
}


@pytest.mark.parametrize("what", BAD)
async def test_a_bad_handshake_is_told_and_what_follows_it_is_no_frame_and_no_request_of_its_own(
    url: str, what: str
) -> None:
    body = {"a length": b"abcd", "chunks": b"0\r\n\r\n"}.get(what, b"")

    answer = await handshake(url, "/chat", [("Origin", url), *BAD[what]], after=body)

    assert answer.status == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers.get("sec-websocket-version") == ("13" if "version" in what else None)


FOREIGN = {
    "no origin": [("Origin", "")],
    "an opaque one": [("Origin", "null")],
    "a stranger": [("Origin", "https://evil.example")],
    "a sibling": [("Origin", "http://app.127.0.0.1")],
    "another port": [("Origin", "http://127.0.0.1:1")],
    "another scheme": [("Origin", "https://127.0.0.1")],
    "ours with a path": [("Origin", "OURS/")],
    "ours and more": [("Origin", "OURS.evil.example")],
    "ours within": [("Origin", "http://evil.example/OURS")],
    "ours with a name": [("Origin", "http://ada@OURS")],
    "ours twice": [("Origin", "OURS"), ("Origin", "OURS")],
    "ours and another": [("Origin", "OURS"), ("Origin", "https://evil.example")],
    "ours in a list": [("Origin", "OURS https://evil.example")],
    "another site that says ours": [("Origin", "OURS"), ("Sec-Fetch-Site", "cross-site")],
    "a sibling that says ours": [("Origin", "OURS"), ("Sec-Fetch-Site", "same-site")],
    "nobody's that says ours": [("Origin", "OURS"), ("Sec-Fetch-Site", "none")],
    "an unknown relation": [("Origin", "OURS"), ("Sec-Fetch-Site", "friendly")],
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_S23_no_page_of_anybody_else_opens_one_and_the_header_of_ordinary_requests_is_no_way_around(
    url: str, what: str
) -> None:
    fields = [(name, value.replace("OURS", url)) for name, value in FOREIGN[what]]

    for more in ([], [CSRF]):
        answer = await handshake(url, "/chat", [*fields, *more])
        assert answer.status == 403
        assert b"cross-origin-refused" in answer.after
