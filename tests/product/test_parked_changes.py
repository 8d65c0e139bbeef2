"""What a parked merge patch would change, for its person to read: compared with what is there, or not said at all."""

import asyncio
import json

import pytest
from aiohttp import web

from tests.stage.notes_upstream import Notes
from tests.stage.notes_world import Sent, ask, park
from tests.stage.other_front_end import OtherFrontEnd

# Made once, on the module's event loop: making a world for each takes longer than all that these tests do.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def patch(body: object, content_type: str = "application/merge-patch+json", **changed: str) -> Sent:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Sent(
        **{"method": "PATCH", "path": "/api/notes/7?x=%20", **changed},
        body=text,
        headers={"Content-Type": content_type},
    )


@pytest.mark.parametrize("content_type", ["application/merge-patch+json", "application/json; charset=utf-8"])
async def test_a_person_sees_what_changes_from_what_and_to_what(
    writer: OtherFrontEnd, notes: Notes, content_type: str
) -> None:
    notes.resource = b'{"title": "Sketch", "tags": ["a"], "place": {"page": 1, "book": "B"}, "done": false}'
    body = {"title": "Note G", "tags": ["a"], "place": {"page": 2, "book": None}, "done": 0, "new": {"a": 1}}

    shown = (await writer.call("GET", await park(writer, patch(body, content_type)))).body

    assert shown["changes"] == [
        {"field": "title", "from": "Sketch", "to": "Note G"},
        {"field": "place/page", "from": 1, "to": 2},
        {"field": "place/book", "from": "B", "to": None},
        {"field": "done", "from": False, "to": 0},
        {"field": "new", "from": None, "to": {"a": 1}},
    ]
    (read,) = notes.read
    assert (read.method, read.target) == ("GET", "/v1/7?x=%20"), "what follows the prefix follows it there"
    assert "Authorization" not in read.headers, "by the rules of the row that is read"
    assert notes.asked == []


NO_PATCHES = [
    patch({"a": 1}, method="POST", content_type="application/json"),
    patch({"a": 1}, method="PUT", content_type="application/json"),
    patch([{"op": "remove", "path": "/a"}], content_type="application/json-patch+json"),
    patch([1]),
    patch(b"null"),
    patch(b""),
    patch(b'{"a":1,"a":2}'),
    patch(b'{"a":'),
    patch(b"\xff"),
    patch(b'{"a":' * 200 + b"1" + b"}" * 200),
    patch(b"a=1", content_type="application/x-www-form-urlencoded"),
]


async def test_of_what_is_no_merge_patch_no_changes_are_shown_and_nothing_is_read(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    for sent in NO_PATCHES:
        refused = await ask(writer, sent.method, sent.path, sent.body, sent.headers)
        shown = (await writer.call("GET", f"/api/parked/{refused.body['parked']['id']}")).body
        assert "changes" not in shown
        assert shown["method"] == sent.method

    assert notes.read == []


LARGE = json.dumps({"a": "x" * 300_000}).encode()
UNREADABLE = {
    "missing": web.Response(status=404),
    "broken": web.Response(status=500),
    "refused": web.Response(status=403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'}),
    "elsewhere": web.Response(status=302, headers={"Location": "/v1/8"}),
    "partial": web.Response(status=206, body=b'{"a": 1}', content_type="application/json"),
    "page": web.Response(body=b"<p>", content_type="text/html"),
    "packed": web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "no object": web.Response(body=b"[1]", content_type="application/json"),
    "no json": web.Response(body=b'{"a": ', content_type="application/json"),
    "too large": web.Response(body=LARGE, content_type="application/json"),
    "deep": web.Response(body=b'{"a":' * 90 + b"1" + b"}" * 90, content_type="application/json"),
}


async def test_a_resource_that_cannot_be_read_hides_no_request(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer, patch({"a": 1}))
    for number, resource in enumerate(UNREADABLE.values(), 1):
        notes.resource = resource
        shown = await writer.call("GET", waiting)
        assert (shown.status, shown.body["path"]) == (200, "/api/notes/7?x=%20")
        assert "changes" not in shown.body
        assert len(notes.read) == number

    notes.resource = b'{"a": 0}'
    assert (await writer.call("GET", waiting)).body["changes"] == [{"field": "a", "from": 0, "to": 1}]


async def test_a_row_that_names_nothing_to_read_shows_no_changes(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer, patch({"a": 1}, method="POST", path="/api/nobody/7"))

    assert "changes" not in (await writer.call("GET", waiting)).body
    assert notes.read == []


async def test_who_asks_at_once_sees_the_same(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer, patch({"title": "Note G"}))

    answers = await asyncio.gather(*(writer.call("GET", waiting) for _ in range(3)))

    assert [answer.body["changes"] for answer in answers] == [
        [{"field": "title", "from": "Sketch", "to": "Note G"}]
    ] * 3
    assert (await ask(writer, "POST", waiting)).status == 201
    assert json.loads(notes.asked[0].body) == {"title": "Note G"}
