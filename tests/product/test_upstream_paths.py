"""What comes over the wire and what goes to the upstream: raw targets, methods, header fields, and how often."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.product.upstream_rows import READ_SCOPE, Make, Rows, rows
from tests.stage.raw_http import RawAnswer, ask_raw
from tests.stage.raw_upstream import head, saying

FRONT_END: Final = "http://localhost:5173"
# What a browser or a program may say, and what then goes on: to the byte.
GOES_ON: Final = (
    ("/api/notes", "/v1"),
    ("/api/notes/", "/v1/"),
    ("/api/notes/7?x=%20", "/v1/7?x=%20"),
    ("/api/notes?", "/v1?"),
    ("/api/notes/?a=b&a=&=&&", "/v1/?a=b&a=&=&&"),
    ("/api/notes//7///", "/v1//7///"),
    ("/api/notes/a;v=1/b,c=(d)!$'*+@:~", "/v1/a;v=1/b,c=(d)!$'*+@:~"),
    ("/api/notes/%C3%A9/%c3%a9/%20/%25/%252e%252e/%3F%23", "/v1/%C3%A9/%c3%a9/%20/%25/%252e%252e/%3F%23"),
    ("/api/notes/.../.well-known/..a", "/v1/.../.well-known/..a"),
    ("/api/notes/x?/../%2f%5c\\&z=%00&p=100%", "/v1/x?/../%2f%5c\\&z=%00&p=100%"),
    ("/api/notes/http://evil.example/@evil.example", "/v1/http://evil.example/@evil.example"),
    ('/api/notes/a|b[c]^`{d}"<e>', '/v1/a|b[c]^`{d}"<e>'),
    ("/api/notes/a+b%2B", "/v1/a+b%2B"),
    ("OURS/api/notes/7?x", "/v1/7?x"),
)  # fmt: skip
REFUSED: Final = (
    *(
        "/..",
        "/../admin",
        "/./7",
        "/a/../../admin",
        "/..;/admin",
        "/.;/7",
        "\\..\\admin",
        "/a\\b",
        "/7#x",
        "#",
    ),
    *(
        "/%2e%2e/admin",
        "/%2E./admin",
        "/file%2etxt",
        "/a%2fb",
        "%2F7",
        "/a%5cb",
        "/%00",
        "/%0d%0aX-Y:1",
        "/%7f",
    ),
    *("/%c0%ae%c0%ae/", "/%e0%80%af", "/%ed%a0%80", "/%ff", "/%", "/%zz", "/caf\u00e9", "/\udcff", "?\udcff"),
)


@pytest.fixture
async def notes(make_world: Make, tmp_path: Path) -> AsyncIterator[Rows]:
    """Give rows for reading, for writing, and for everybody, and few of each request."""
    async with rows(
        make_world,
        tmp_path,
        {"name": "notes", "prefix": "/api/notes", "scope": READ_SCOPE},
        {"name": "edits", "prefix": "/api/notes", "methods": ["PATCH"], "request_headers": ["X-Notebook"]},
        {"name": "deeper", "prefix": "/api/notes/deeper", "methods": ["POST"]},
        {"name": "open", "prefix": "/api/open", "anonymous": True, "methods": ["GET", "PATCH"]},
        base="/v1",
        READS_PER_MINUTE="60",
        EDITS_PER_MINUTE="3",
        JOURNEYS_PER_MINUTE="2",
        ALLOWED_ORIGINS=FRONT_END,
    ) as notes:
        notes.upstream.answer = saying(head("Content-Length: 0", status=204))
        yield notes


async def asked(notes: Rows, method: str, target: str, *fields: tuple[str, str]) -> RawAnswer:
    own = [notes.cookies(), ("X-CSRF", "1"), ("Content-Length", "0"), *fields]
    ours = notes.world.gateway_url
    return await ask_raw(ours, method, target.replace("OURS", ours), own)


async def test_S46_S49_a_target_goes_on_to_the_byte_or_not_at_all(notes: Rows) -> None:
    for target, sent in GOES_ON:
        answer = await asked(notes, "GET", target)
        assert answer.status == 204, (target, answer.body)
        assert notes.upstream.asked[-1].first_line == f"GET {sent} HTTP/1.1"
    count = len(notes.upstream.asked)
    for rest in REFUSED:
        answer = await asked(notes, "GET", f"/api/notes{rest}")
        assert answer.status == 400, rest
    for target in ("http://evil.example/api/notes/7", "OURS/api/notes/../admin"):
        assert (await asked(notes, "GET", target)).status == 400, target
    assert len(notes.upstream.asked) == count


async def test_S49_a_method_that_the_longest_prefix_lacks_goes_nowhere(notes: Rows) -> None:
    for method, target, allow in (
        ("POST", "/api/notes/7", "GET,HEAD,PATCH"),
        ("DELETE", "/api/notes/7", "GET,HEAD,PATCH"),
        ("TRACE", "/api/notes/7", "GET,HEAD,PATCH"),
        ("OPTIONS", "/api/notes", "GET,HEAD,PATCH"),
        ("GET", "/api/notes/deeper/7", "POST"),
        ("PATCH", "/api/notes/deeper", "POST"),
        ("HEAD", "/api/open", "GET,PATCH"),
    ):
        answer = await asked(notes, method, target)
        assert (answer.status, answer.headers["allow"]) == (405, allow), (method, target)
        if method != "HEAD":
            assert json.loads(answer.body)["type"] == "/problems/method-not-allowed"
    for target in ("/api/%6eotes/7", "/api/notes2", "/api/Notes/7", "/api//notes", "/api/notes;a"):
        assert (await asked(notes, "GET", target)).status == 404, target
    assert notes.upstream.asked == []


async def test_S47_of_two_hundred_fields_the_upstream_sees_those_of_the_list(notes: Rows) -> None:
    odd = [
        *("Origin", "Referer", "User-Agent", "DNT", "TE", "Trailer", "Keep-Alive", "Proxy-Connection", "Forwarded"),
        *("X-Forwarded-For", "X-Forwarded-User", "X-Real-IP", "X_Forwarded_User", "X_Real_IP", "Via", "X-Original-URL"),
        *("Authorization", "Proxy-Authorization", "X-HTTP-Method-Override", "X-Rewrite-URL", "Client-IP", "CF-Ray"),
        *("If_None_Match", "content_type", "Remote-User", "X-MS-CLIENT-PRINCIPAL", "client-request-id", "baggage"),
        *("Sec-Fetch-Dest", "Access-Control-Request-Method", "Access-Control-Request-Headers", "X-Hop"),
        *(f"X-Odd-{number}" for number in range(160)),
    ]  # fmt: skip
    listed = [("If-None-Match", '"a"'), ("Accept-Language", "de"), ("Prefer", "x"), ("traceparent", "00-1")]
    fields = [(name, notes.world.gateway_url if name == "Origin" else "evil") for name in odd]

    answer = await asked(notes, "GET", "/api/notes/7", *fields, *listed, ("Connection", "X-Hop, Prefer"))

    assert answer.status == 204
    seen = notes.upstream.asked[-1].fields
    assert seen.keys() - {"accept", "user-agent"} == {
        *("host", "authorization", "client-request-id"),
        *("if-none-match", "accept-language", "traceparent"),
    }
    assert "evil" not in "".join(seen.values())
    assert seen["host"] == notes.upstream.url.removeprefix("http://")


async def test_S51_what_is_done_at_upstreams_is_counted_apart(notes: Rows) -> None:
    writes = [await asked(notes, "PATCH", "/api/notes/7") for _ in range(5)]

    assert [answer.status for answer in writes] == [204, 204, 204, 429, 429]
    assert "You changed something too often." in json.loads(writes[-1].body)["detail"]
    assert int(writes[-1].headers["retry-after"]) > 0
    assert (await asked(notes, "GET", "/api/notes/7")).status == 204
    assert (await notes.ada.call("PATCH", "/api/profile", {"city": "Paris"})).slug == "step-up-required"
    assert (await notes.ada.call("GET", "/api/profile")).status == 200


async def test_S51_strangers_are_counted_by_their_network_and_shut_nobody_out_who_is_signed_in(
    notes: Rows,
) -> None:
    stranger = await notes.world.front_end()
    reads = [(await stranger.call("GET", "/api/open")).status for _ in range(21)]
    writes = [(await stranger.call("PATCH", "/api/open", {})).status for _ in range(3)]

    assert (reads, writes) == ([204] * 20 + [429], [204, 204, 429])
    assert (await notes.ada.call("GET", "/api/open")).status == 204
    assert (await stranger.call("GET", "/api/session")).status == 200


async def test_a_request_that_the_guard_refuses_reaches_no_upstream(notes: Rows) -> None:
    for fields in (
        [],
        [("X-CSRF", "1"), ("Sec-Fetch-Site", "cross-site")],
        [("X-CSRF", "1"), ("Origin", "null")],
    ):
        answer = await ask_raw(notes.world.gateway_url, "GET", "/api/open", [notes.cookies(), *fields])
        assert answer.status == 403

    assert notes.upstream.asked == []


async def test_a_page_of_a_named_origin_learns_what_the_rows_of_an_address_take(notes: Rows) -> None:
    wanted = [
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "x-csrf,x-notebook"),
    ]
    ours = notes.world.gateway_url

    granted = await ask_raw(ours, "OPTIONS", "/api/notes/7", [("Origin", FRONT_END), *wanted])
    deeper = await ask_raw(ours, "OPTIONS", "/api/notes/deeper/7", [("Origin", FRONT_END), *wanted])
    stranger = await ask_raw(
        ours, "OPTIONS", "/api/notes/7", [("Origin", "http://localhost.example"), *wanted]
    )

    assert granted.status == 204
    assert granted.headers["access-control-allow-methods"] == "GET, HEAD, PATCH"
    assert {"x-notebook", "x-csrf"} <= set(
        granted.headers["access-control-allow-headers"].lower().split(", ")
    )
    assert deeper.headers["access-control-allow-methods"] == "POST"
    assert (stranger.status, "access-control-allow-origin" in stranger.headers) == (405, False)
    assert notes.upstream.asked == []
