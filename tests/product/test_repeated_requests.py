"""The same request with the same key, to any API: sent once, told so, and never mistaken for another one."""

import asyncio

import pytest

from tests.stage.notes_upstream import Notes
from tests.stage.notes_world import Sent, ask, park
from tests.stage.other_front_end import Answer, OtherFrontEnd

KEY = {"Idempotency-Key": "mine"}
LARGE = b"x" * 200_000
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"

# Made once, on the module's event loop: making a world for each takes longer than all that these tests do.
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def post(
    person: OtherFrontEnd, body: bytes = b"hello", path: str = "/api/notes", **headers: str
) -> Answer:
    """Send a request under the key."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await ask(person, "POST", path, body, {**KEY, **named})


@pytest.mark.parametrize("body", [b"hello", b"", LARGE], ids=["small", "empty", "large"])
async def test_the_same_again_is_told_that_it_is_done_and_not_sent(
    writer: OtherFrontEnd, notes: Notes, body: bytes
) -> None:
    await writer.step_up(STEP_UP)

    first, again = await post(writer, body), await post(writer, body)

    assert (first.status, first.text) == (201, '{"id": 7}')
    assert "Idempotency-Replayed" not in first.headers
    assert (again.status, again.text, again.headers["Idempotency-Replayed"]) == (201, "", "true")
    assert (again.headers["Location"], again.headers["ETag"]) == ("/api/notes/7", '"1"')
    (asked,) = notes.asked
    assert (asked.body, asked.headers["Idempotency-Key"]) == (body, "mine")
    other = await post(writer, body[:-1] + b"!")
    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert len(notes.asked) == 1


@pytest.mark.parametrize("change", ["path", "query", "If-Match", "method"])
async def test_another_request_under_the_key_is_refused(
    writer: OtherFrontEnd, notes: Notes, change: str
) -> None:
    await writer.step_up(STEP_UP)
    await post(writer)

    path = {"path": "/api/notes/8", "query": "/api/notes?x"}.get(change, "/api/notes")
    headers = {**KEY, **({"If-Match": '"1"'} if change == "If-Match" else {})}
    other = await ask(writer, "PUT" if change == "method" else "POST", path, b"hello", headers)

    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert len(notes.asked) == 1


async def test_never_two_at_once(writer: OtherFrontEnd, notes: Notes) -> None:
    await writer.step_up(STEP_UP)
    notes.waits = asyncio.Event()
    first = asyncio.create_task(post(writer))
    await notes.reached.wait()

    second = await post(writer)

    assert (second.status, second.slug) == (409, "edit-in-progress")
    assert second.headers["Retry-After"] == "1"
    notes.waits.set()
    assert (await first).status == 201
    assert len(notes.asked) == 1


@pytest.mark.parametrize("status", [None, 500, 503])
async def test_what_nobody_knows_is_sent_again_with_its_key(
    writer: OtherFrontEnd, notes: Notes, status: int | None
) -> None:
    await writer.step_up(STEP_UP)
    notes.say(status)
    lost = await post(writer)
    notes.say(200, ETag='"2"')

    other, again, third = await post(writer, b"other"), await post(writer), await post(writer)

    assert lost.status == (status or 502)
    assert other.slug == "idempotency-key-reused"
    assert (again.status, "Idempotency-Replayed" in again.headers) == (200, False)
    assert (third.status, third.headers["ETag"]) == (204, '"2"')
    assert [asked.headers["Idempotency-Key"] for asked in notes.asked] == ["mine", "mine"]


async def test_what_was_refused_is_mended_under_the_same_key(writer: OtherFrontEnd, notes: Notes) -> None:
    await writer.step_up(STEP_UP)
    notes.say(422)
    assert (await post(writer)).status == 422
    notes.say(201)

    assert (await post(writer, b"better")).status == 201
    assert (await post(writer, b"better")).headers["Idempotency-Replayed"] == "true"


async def test_L14_a_parked_request_keeps_its_key_and_is_sent_once_whichever_way(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    one = await park(writer, Sent(headers=KEY))
    assert (await ask(writer, "POST", one)).status == 201
    assert (await post(writer)).headers["Idempotency-Replayed"] == "true", "sent again by itself"
    assert len(notes.asked) == 1


async def test_L14_one_that_was_sent_by_itself_meanwhile_is_not_sent_when_it_is_confirmed(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    waiting = await park(writer, Sent(headers=KEY))
    assert (await post(writer)).status == 201

    confirmed = await ask(writer, "POST", waiting)

    assert (confirmed.status, confirmed.headers["Idempotency-Replayed"]) == (201, "true")
    assert len(notes.asked) == 1
    assert (await writer.call("GET", waiting)).status == 404


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "\u00fc"])
async def test_a_key_of_no_usable_form_is_refused_and_nothing_is_sent(
    writer: OtherFrontEnd, notes: Notes, key: str
) -> None:
    await writer.step_up(STEP_UP)

    refused = await post(writer, Idempotency_Key=key)

    assert (refused.status, refused.slug) == (400, "bad-request")
    assert notes.asked == []


async def test_a_read_has_no_key_and_is_always_made(writer: OtherFrontEnd, notes: Notes) -> None:
    for _ in range(2):
        answer = await ask(writer, "GET", "/api/notes/7", b"", KEY)
        assert (answer.status, answer.body) == (200, {"title": "Sketch"})

    assert len(notes.read) == 2
