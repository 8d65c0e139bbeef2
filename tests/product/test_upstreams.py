"""Requests to upstreams, there and back, as browsers and raw sockets send them."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.product.listeners import QUICK
from tests.product.upstream_rows import READ_SCOPE, Make, Rows, rows
from tests.stage.patience import PATIENCE
from tests.stage.raw_http import ask_raw, chunks
from tests.stage.raw_upstream import Asked, head, ok, saying
from tests.stage.world import ready


@pytest.fixture
async def notes(make_world: Make, tmp_path: Path) -> AsyncIterator[Rows]:
    """Give a row for reading, one for writing, one for everybody, and one without a token."""
    everything = ["POST", "PUT", "PATCH", "DELETE"]
    async with rows(
        make_world,
        tmp_path,
        {"name": "notes", "prefix": "/api/notes", "scope": READ_SCOPE, "cache": True},
        {
            "name": "edits",
            "prefix": "/api/notes",
            "scope": READ_SCOPE,
            "methods": everything,
            "max_body": 300_000,
        },
        {
            "name": "open",
            "prefix": "/api/open",
            "scope": READ_SCOPE,
            "anonymous": True,
            "methods": ["GET", "POST"],
        },
        {"name": "plain", "prefix": "/api/plain"},
    ) as notes:
        yield notes


async def test_S46_S47_a_request_goes_there_with_the_person_s_token_and_its_answer_comes_back(
    notes: Rows,
) -> None:
    notes.upstream.answer = saying(
        head(
            *("Content-Type: text/plain", "Content-Length: 4", 'ETag: "a"', "Vary: Accept", "Server: apache"),
            *("Set-Cookie: a=b", "Access-Control-Allow-Origin: *", "X-Frame-Options: ALLOWALL", "X-Own: 1"),
            *(
                "Connection: x-hop",
                "X-Hop: 1",
                "Strict-Transport-Security: max-age=0",
                "client-request-id: evil",
            ),
            *(
                "Content-Security-Policy: default-src *",
                "WWW-Authenticate: Basic",
                "Cache-Control: max-age=5",
            ),
            status=203,
        )
        + b"here"
    )

    answer = await notes.ada.call(
        "GET", "/api/notes/7?x=%20&y", headers={"If-None-Match": '"b"', "X-Odd": "1"}
    )

    (asked,) = notes.upstream.asked
    assert asked.first_line == "GET /7?x=%20&y HTTP/1.1"
    assert set(asked.fields) == {
        *("host", "accept", "accept-encoding", "if-none-match"),
        *("authorization", "client-request-id", "user-agent"),
    }
    assert asked.fields["authorization"].startswith("Bearer ey")
    assert asked.fields["client-request-id"] == answer.headers["client-request-id"]
    assert (answer.status, answer.text) == (203, "here")
    assert (answer.headers["ETag"], answer.headers["Cache-Control"]) == ('"a"', "max-age=5")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    gone = {"Set-Cookie", "Access-Control-Allow-Origin", "Server", "X-Own", "X-Hop", "WWW-Authenticate"}
    assert gone & set(answer.headers) == set()
    assert "Strict-Transport-Security" not in answer.headers


async def test_S46_without_a_session_only_what_is_for_everybody_is_asked_and_without_a_token(
    notes: Rows,
) -> None:
    stranger = await notes.world.front_end()
    refused = await stranger.call("GET", "/api/notes/1")
    without_token = await notes.ada.call("GET", "/api/plain/1")
    strangers = await stranger.call("GET", "/api/open/1")
    known = await notes.ada.call("GET", "/api/open/2")

    assert (refused.status, refused.slug) == (401, "sign-in-required")
    assert {answer.status for answer in (without_token, strangers, known)} == {200}
    assert without_token.headers["Cache-Control"] == "no-store"
    assert ["authorization" in asked.fields for asked in notes.upstream.asked] == [False, False, True]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 300_000])
async def test_a_body_arrives_to_the_byte_with_a_length_or_in_chunks(notes: Rows, size: int) -> None:
    body, came = bytes(range(256)) * (size // 256 + 1), list[bytes]()
    body = body[:size]

    async def answer(asked: Asked) -> None:
        chunked = "transfer-encoding" in asked.fields
        came.append(await (asked.chunked() if chunked else asked.body()))
        await asked.say(ok())

    notes.upstream.answer = answer
    fields = [notes.cookies(), ("X-CSRF", "1"), ("Content-Type", "image/png")]
    url = notes.world.gateway_url
    with_length = [*fields, ("Content-Length", str(size))]
    in_chunks = [*fields, ("Transfer-Encoding", "chunked")]
    whole = await ask_raw(url, "PUT", "/api/notes/p", with_length, body)
    parts = chunks(*(body[at : at + 9_000] for at in range(0, size, 9_000)), trailers=[("X-T", "1")])
    chunked = await ask_raw(url, "PUT", "/api/notes/p", in_chunks, parts)

    assert (whole.status, chunked.status) == (200, 200)
    assert came == [body, body]
    assert {asked.fields.get("content-type") for asked in notes.upstream.asked} == {"image/png"}
    assert not any("x-t" in asked.fields or "expect" in asked.fields for asked in notes.upstream.asked)


async def test_S50_a_body_that_is_too_large_never_arrives_whole(notes: Rows) -> None:
    ended: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(asked: Asked) -> None:
        came = b"a reset"
        with contextlib.suppress(ConnectionError):
            came = await asked.reader.read(-1)
        ended.put_nowait(came)

    notes.upstream.answer = answer
    url, fields = notes.world.gateway_url, [notes.cookies(), ("X-CSRF", "1")]
    announced = await ask_raw(
        url, "POST", "/api/notes", [*fields, ("Content-Length", "300001")], bytes(300_001)
    )
    assert (announced.status, notes.upstream.asked) == (413, [])
    parts = chunks(*(bytes(60_000) for _ in range(6)))
    met = await ask_raw(url, "POST", "/api/notes", [*fields, ("Transfer-Encoding", "chunked")], parts)

    assert (met.status, b"content-too-large" in met.body) == (413, True)
    # On a busy computer all of it is here before any of it is passed on, and the upstream hears nothing.
    if notes.upstream.asked:
        assert not (await asyncio.wait_for(ended.get(), PATIENCE)).endswith(b"0\r\n\r\n")


async def test_a_body_may_be_refused_before_it_is_read(notes: Rows) -> None:
    notes.upstream.answer = saying(
        head("Content-Length: 2", "Connection: close", status=403) + b"no", then_close=True
    )
    fields = [notes.cookies(), ("X-CSRF", "1"), ("Content-Length", "250000")]

    answer = await ask_raw(notes.world.gateway_url, "POST", "/api/notes", fields, bytes(250_000))

    assert (answer.status, answer.body) == (403, b"no")


async def test_expect_100_continue_is_met_here_and_not_passed_on(notes: Rows) -> None:
    async def answer(asked: Asked) -> None:
        assert await asked.body() == b"body"
        await asked.say(ok())

    notes.upstream.answer = answer
    fields = [notes.cookies(), ("X-CSRF", "1"), ("Expect", "100-continue"), ("Content-Length", "4")]

    met = await ask_raw(notes.world.gateway_url, "POST", "/api/notes", fields, b"body")

    assert (met.interim, met.status) == ([100], 200)
    assert "expect" not in notes.upstream.asked[0].fields


PASSED_ON = [
    # what the upstream says, by which method, and the status, the fields and the body that come of it
    (head("Content-Length: 7"), "HEAD", 200, {"content-length": "7"}, b""),
    (head(status=204), "DELETE", 204, {}, b""),
    (head('ETag: "a"', "Content-Length: 7", status=304), "GET", 304, {"etag": '"a"'}, b""),
    (head("Location: https://elsewhere.example/", "Content-Length: 0", status=303), "POST", 303,
     {"location": "https://elsewhere.example/"}, b""),
    (head("Content-Length: 4", status=401) + b"here", "GET", 401, {}, b"here"),
    (head("Content-Length: 4", "Retry-After: 3", status=503) + b"busy", "GET", 503, {"retry-after": "3"}, b"busy"),
    (head("Content-Length: 4", status=504) + b"late", "POST", 504, {}, b"late"),
    (head("Content-Length: 4", status=299) + b"here", "GET", 299, {}, b"here"),
    (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 30 + ok(), "GET", 200, {}, b"here"),
    (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", "GET", 200, {}, b"until the end"),
]  # fmt: skip


async def test_S46_what_an_upstream_says_passes_as_it_is_and_no_redirect_is_followed(notes: Rows) -> None:
    for said, method, status, fields, body in PASSED_ON:
        notes.upstream.answer = saying(said, then_close=True)
        path = "/api/notes/7" if method != "HEAD" else "/api/notes"
        met = await ask_raw(notes.world.gateway_url, method, path, [notes.cookies(), ("X-CSRF", "1")])

        told = met.body if "transfer-encoding" not in met.headers else met.body.split(b"\r\n")[1]
        assert (met.status, told) == (status, body), said
        assert fields.items() <= met.headers.items(), said


async def test_S50_what_is_compressed_is_not_opened(notes: Rows) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    notes.upstream.answer = saying(ok(bomb, "Content-Encoding: gzip"))

    met = await ask_raw(notes.world.gateway_url, "GET", "/api/notes", [notes.cookies(), ("X-CSRF", "1")])

    assert (met.headers["content-encoding"], met.body) == ("gzip", bomb)


async def test_events_pass_one_by_one_and_whoever_leaves_ends_them(notes: Rows) -> None:
    goes_on, left = asyncio.Event(), asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(head("Content-Type: text/event-stream"), b"data: 1\n\n")
        await goes_on.wait()
        await asked.say(b"data: 2\n\n")
        await asked.left()
        left.set()

    notes.upstream.answer = answer
    reader, writer = await notes.send("GET /api/notes/events HTTP/1.1")
    told = await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), PATIENCE)
    assert b"X-Accel-Buffering: no" in told
    goes_on.set()
    await asyncio.wait_for(reader.readuntil(b"data: 2\n\n"), PATIENCE)
    writer.close()

    await asyncio.wait_for(left.wait(), PATIENCE)


@pytest.mark.parametrize("request_line", ["GET /api/notes/slow HTTP/1.1", "PATCH /api/notes/slow HTTP/1.1"])
async def test_whoever_leaves_before_the_head_ends_the_exchange(notes: Rows, request_line: str) -> None:
    left = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.left()
        left.set()

    notes.upstream.answer = answer
    _, writer = await notes.send(request_line)
    await notes.asked()
    writer.close()

    await asyncio.wait_for(left.wait(), PATIENCE)


async def test_streams_of_events_end_with_their_session_whatever_it_is_called_by_then(
    make_world: Make, tmp_path: Path
) -> None:
    async def answer(asked: Asked) -> None:
        await asked.say(head("Content-Type: text/event-stream"), b"data: 1\n\n")
        await asked.left()

    row = {"name": "notes", "prefix": "/api/notes", "scope": READ_SCOPE}
    async with rows(make_world, tmp_path, row, stream_limits=QUICK) as notes:
        notes.upstream.answer = answer
        reader, writer = await notes.send("GET /api/notes/events HTTP/1.1")
        await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), PATIENCE)
        await ready(notes.ada, step_up=True)
        ending = asyncio.ensure_future(reader.readuntil(b"0\r\n\r\n"))
        done, _ = await asyncio.wait([ending], timeout=0.3)
        assert not done, "the session goes by another id, and lives"
        assert (await notes.ada.call("POST", "/auth/sign-out")).status == 200

        await asyncio.wait_for(ending, PATIENCE)
        writer.close()


async def test_streams_of_events_end_when_the_gateway_does(notes: Rows) -> None:
    async def answer(asked: Asked) -> None:
        await asked.say(head("Content-Type: text/event-stream; charset=utf-8"), b"data: 1\n\n")
        await asked.left()

    notes.upstream.answer = answer
    reader, writer = await notes.send("GET /api/notes/events HTTP/1.1")
    await asyncio.wait_for(reader.readuntil(b"data: 1\n\n"), PATIENCE)
    stopping = asyncio.ensure_future(notes.world.stop())

    assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"0\r\n\r\n"), "in good order"
    await stopping
    writer.close()


async def test_an_upstream_s_connection_is_used_again_once_both_sides_have_said_everything(
    notes: Rows,
) -> None:
    fields = [notes.cookies(), ("X-CSRF", "1")]
    for _ in range(3):
        assert (await notes.ada.call("GET", "/api/notes/1")).status == 200
        assert (await ask_raw(notes.world.gateway_url, "GET", "/api/notes", fields)).status == 200

    assert (len(notes.upstream.asked), notes.upstream.connections) == (6, 1)
