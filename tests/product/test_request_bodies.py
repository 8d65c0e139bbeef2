"""What the body of an edit may be (S50): never a 500, and nothing is sent on before all of it is understood."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from multidict import CIMultiDict

from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.world import World, served

JSON = "application/json"


@dataclass
class ListeningApi:
    """A resource API that notes what reaches it."""

    url: str
    heard: list[bytes] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        """Take whatever comes."""
        self.heard.append(await request.read())
        return web.json_response({}, status=500)


@pytest.fixture
async def api() -> AsyncIterator[ListeningApi]:
    """Stand where the resource API is."""
    port = free_port()
    listening = ListeningApi(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listening.hear)
    async with served(app, port):
        yield listening


@pytest.fixture
async def ada(make_world: Callable[..., Awaitable[World]], api: ListeningApi) -> OtherFrontEnd:
    """Give Ada, who has confirmed and may edit."""
    world = await make_world(RESOURCE_API_URL=api.url)
    return await world.confirmed()


async def patch(
    person: OtherFrontEnd, body: bytes, content_type: str | None = JSON, **headers: str
) -> Answer:
    """Send an edit as it lies."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        named["Content-Type"] = content_type
    async with person.session.patch(
        f"{person.gateway_url}/api/profile",
        data=body,
        headers={"X-CSRF": "1", **named},
        skip_auto_headers=["Content-Type"],
    ) as response:
        return Answer(response.status, response.headers, await response.text())


UNREADABLE = {
    "nothing": b"",
    "white space": b" \n ",
    "no JSON": b"city=Paris",
    "half of it": b'{"city": "Paris"',
    "more than it": b'{"city": "Paris"} {}',
    "a trailing comma": b'{"city": "Paris",}',
    "single quotes": b"{'city': 'Paris'}",
    "a comment": b'{"city": "Paris"} // there',
    "a name twice": b'{"city": "Paris", "city": "Rome"}',
    "a name twice, spelt otherwise": b'{"city": "Paris", "c\\u0069ty": "Rome"}',
    "a name twice, further in": b'{"city": {"a": 1, "a": 2}}',
    "NaN": b'{"city": NaN}',
    "Infinity": b'{"city": Infinity}',
    "minus Infinity": b'{"city": -Infinity}',
    "a number beyond any": b'{"city": 1e400}',
    "a huge number": b'{"city": ' + b"9" * 5_000 + b"}",
    "a long fraction": b'{"city": 0.' + b"1" * 5_000 + b"}",
    "nesting": b'{"city": ' + b"[" * 9 + b"]" * 9 + b"}",
    "deep nesting": b"[" * 8_000 + b"]" * 8_000,
    "deep nesting without an end": b"[" * 16_000,
    "deep objects": b'{"a":' * 3_000,
    "half a surrogate pair": b'{"city": "\\ud83d"}',
    "the other half": b'{"city": "\\ude00"}',
    "half a pair in a name": b'{"\\ud83d": "x"}',
    "no UTF-8": b'{"city": "Li\xe8ge"}',
    "an overlong slash": b'{"city": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"city": "\xed\xa0\xbd"}',
    "UTF-16": '{"city": "Paris"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"city": "Paris"}',
    "a control character": b'{"city": "Pa\x00ris"}',
    "a line break in a text": b'{"city": "Pa\nris"}',
}


async def test_S50_a_body_that_cannot_be_read_in_one_way_is_refused(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    for what, body in UNREADABLE.items():
        answer = await patch(ada, body)
        assert (answer.status, answer.slug) == (400, "bad-request"), what
        members = {
            name: value for name, value in answer.body.items() if name != "reference"
        }  # which is random
        for piece in ("Paris", "Rome", "999", "city"):
            assert piece not in str(members), f"{what}: no input is quoted"

    assert api.heard == []


NO_EDIT = {
    "a list": b"[]",
    "a text": b'"city"',
    "null": b"null",
    "a number": b"1",
    "an unknown name": b'{"mail": "ada@evil.example"}',
    "a name of Python's": b'{"__proto__": {}, "__class__": "x"}',
    "an object": b'{"city": {}}',
    "true": b'{"city": true}',
    "a number for a text": b'{"city": 0}',
}


async def test_S50_json_that_is_no_edit_is_refused_field_by_field(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    for what, body in NO_EDIT.items():
        answer = await patch(ada, body)
        assert (answer.status, answer.slug) == (422, "invalid-profile-patch"), what
        assert answer.body["errors"]

    assert api.heard == []


async def test_S50_a_body_that_is_too_large_is_refused(ada: OtherFrontEnd, api: ListeningApi) -> None:
    for size in (16_385, 100_000, 1_000_000):
        body = json.dumps({"city": "x" * (size - 12)}).encode()
        assert len(body) == size
        answer = await patch(ada, body)
        assert (answer.status, answer.slug) == (413, "content-too-large")

    assert api.heard == []


async def test_S50_the_largest_body_is_read(ada: OtherFrontEnd, api: ListeningApi) -> None:
    body = json.dumps({"city": "x" * (16_384 - 12)}).encode()
    assert len(body) == 16_384

    assert (await patch(ada, body)).slug == "invalid-profile-patch", "read, and the city is too long"
    assert api.heard == []


async def test_S50_a_body_of_unknown_length_is_counted_as_it_comes(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"city": "'
        for _ in range(40):
            yield b"x" * 1_000
        yield b'"}'

    async with ada.session.patch(
        f"{ada.gateway_url}/api/profile", data=pieces(), headers={"X-CSRF": "1", "Content-Type": JSON}
    ) as response:
        assert response.status == 413
    assert api.heard == []


async def test_S50_ten_thousand_tiny_pieces_are_one_body(ada: OtherFrontEnd, api: ListeningApi) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for byte in b'{"city": "' + b" " * 10_000 + b'Paris"}':
            yield bytes([byte])

    async with ada.session.patch(
        f"{ada.gateway_url}/api/profile", data=pieces(), headers={"X-CSRF": "1", "Content-Type": JSON}
    ) as response:
        assert response.status == 502
    assert [json.loads(body) for body in api.heard] == [{"city": "Paris"}], "it got through, trimmed"


OTHER_TYPES = (
    None,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json-patch+json",
    "application/vnd.api+json",
    "text/json",
    "application/jsonp",
    "json",
    "*/*",
)


async def test_S50_another_type_is_refused(ada: OtherFrontEnd, api: ListeningApi) -> None:
    for content_type in OTHER_TYPES:
        answer = await patch(ada, b'{"city": "Paris"}', content_type)
        assert (answer.status, answer.slug) == (415, "unsupported-media-type"), content_type

    assert api.heard == []


async def test_S50_both_types_are_taken_with_a_charset_too(ada: OtherFrontEnd, api: ListeningApi) -> None:
    for number, content_type in enumerate(
        (JSON, "application/merge-patch+json", "application/json; charset=utf-8", "Application/JSON"), 1
    ):
        answer = await patch(ada, b'{"city": "Paris"}', content_type)
        assert answer.slug == "resource-unavailable", content_type
        assert len(api.heard) == number


COMPRESSED = {
    "gzip": ("gzip", gzip.compress(b'{"city": "Paris"}')),
    "deflate": ("deflate", zlib.compress(b'{"city": "Paris"}')),
    "a bomb": ("gzip", gzip.compress(b'{"city": "' + b"x" * 10_000_000 + b'"}')),
    "gzip that is none": ("gzip", b'{"city": "Paris"}'),
    "identity": ("identity", b'{"city": "Paris"}'),
    "made-up": ("made-up", b'{"city": "Paris"}'),
}


async def test_S50_a_compressed_body_is_refused(ada: OtherFrontEnd, api: ListeningApi) -> None:
    for what, (encoding, body) in COMPRESSED.items():
        answer = await patch(ada, body, Content_Encoding=encoding)
        assert (answer.status, answer.slug) == (415, "unsupported-media-type"), what
        assert (await ada.call("GET", "/api/session")).status == 200, "and the gateway goes on"

    assert api.heard == []


async def test_S50_a_header_that_is_no_condition_or_key_is_refused(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    for condition in ("", "x", '"', '"a" "b"', '"\u00e4"', "W/x", '"a",,"b"', "*,*"):
        answer = await patch(ada, b'{"city": "Paris"}', If_Match=condition)
        assert (answer.status, answer.slug) == (400, "bad-request"), condition
    for key in ("", "k" * 256, "a b", "schl\u00fcssel"):
        answer = await patch(ada, b'{"city": "Paris"}', Idempotency_Key=key)
        assert (answer.status, answer.slug) == (400, "bad-request"), key

    assert api.heard == []


async def test_S7_a_key_that_is_there_twice_is_refused_and_conditions_are_one_list(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    current = (await ada.call("GET", "/api/profile")).headers["ETag"]

    async def sent(name: str, *values: str) -> int:
        headers = CIMultiDict([("X-CSRF", "1"), *((name, value) for value in values)])
        async with ada.session.patch(
            f"{ada.gateway_url}/api/profile", json={"city": "Paris"}, headers=headers
        ) as response:
            return response.status

    assert await sent("Idempotency-Key", "one", "two") == 400
    assert await sent("Idempotency-Key", "one", "one") == 400
    assert await sent("If-Match", '"another"', "no tag") == 400
    assert await sent("If-Match", '"another"', '"and-another"') == 412
    assert api.heard == []
    assert await sent("If-Match", '"another"', current) == 502, "it got through"
    assert len(api.heard) == 1


async def test_S50_a_body_that_is_never_finished_is_refused_and_nothing_is_sent_on(
    ada: OtherFrontEnd, api: ListeningApi
) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"city": '
        await asyncio.sleep(60)

    async with ada.session.patch(
        f"{ada.gateway_url}/api/profile",
        data=half(),
        headers={"X-CSRF": "1", "Content-Type": JSON},
    ) as response:
        assert response.status == 408
        assert (await response.json())["type"] == "/problems/request-timeout"

    assert api.heard == []
    assert (await ada.call("GET", "/api/profile")).status == 200
