"""Any request waits over a step-up, whoever made the API behind it: as it came, once, and for its person alone."""

import asyncio
import gzip
import hashlib
from pathlib import Path

import aiohttp
import pytest

from gateway.proxy.parked_requests import LARGEST_PARKED, PARKED_SECONDS
from tests.stage.notes_upstream import SCOPE, Notes, rows_file
from tests.stage.notes_world import Sent, ask, park
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.world import World

NOISE = hashlib.shake_128(b"noise").digest(LARGEST_PARKED)
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG\xff\0\r\n--b--\r\n'
)
CHALLENGE = 'Bearer error="insufficient_claims", claims="e30="'


# Made once, on the module's event loop: making a world for each takes longer than all that these tests do.
pytestmark = pytest.mark.asyncio(loop_scope="module")

SENT = {
    "json": Sent(body=b'{"title": "Note G"}', headers={"Content-Type": "application/json"}),
    "form": Sent(
        path="/api/notes?x=%20&y=+&z", body=FORM, headers={"Content-Type": "multipart/form-data; boundary=b"}
    ),
    "binary": Sent(
        "PUT", "/api/notes/a%C3%BC/7;v=1", NOISE, {"Content-Type": "image/png", "If-Match": '"a", W/"b"'}
    ),
    "empty": Sent("DELETE", "/api/notes/7", b"", {"If-Match": "*", "Prefer": "return=minimal"}),
    "bomb": Sent(
        "PATCH",
        "/api/notes/7",
        gzip.compress(b"\0" * 5_000_000, mtime=0),
        {"Content-Type": "application/merge-patch+json", "Content-Encoding": "gzip"},
    ),
    "feeds": Sent(path="/api/notes/", body=b"\n\n", headers={"Idempotency-Key": "mine"}),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
async def test_a_request_waits_and_is_sent_as_it_came_once(
    writer: OtherFrontEnd, notes: Notes, sent: Sent
) -> None:
    refused = await ask(writer, sent.method, sent.path, sent.body, sent.headers)

    assert (refused.status, refused.slug) == (403, "step-up-required"), refused.text
    assert (refused.body["upstream"], refused.body["scope"]) == ("notes", SCOPE)
    assert refused.body["parked"].keys() == {"id", "expires_at"}
    waiting = f"/api/parked/{refused.body['parked']['id']}"
    await writer.step_up(f"{refused.body['redirect']}&return_to=/check")
    assert notes.asked == [], "nothing is sent by itself"
    shown = (await writer.call("GET", waiting)).body
    assert (shown["upstream"], shown["method"], shown["path"]) == ("notes", sent.method, sent.path)
    assert shown["content_type"] == sent.headers.get("Content-Type")
    assert shown["expires_at"] == refused.body["parked"]["expires_at"]

    answer = await ask(writer, "POST", waiting)

    assert (answer.status, answer.body) == (201, {"id": 7})
    assert (answer.headers["Location"], answer.headers["ETag"]) == ("/api/notes/7", '"1"')
    (asked,) = notes.asked
    assert (asked.method, asked.target) == (sent.method, "/v1" + sent.path.removeprefix("/api/notes"))
    # The API's own server opens what says that it is packed: here it still is.
    assert asked.body == (gzip.decompress(sent.body) if "Content-Encoding" in sent.headers else sent.body)
    assert {name: asked.headers[name] for name in sent.headers} == dict(sent.headers)
    assert asked.headers["Authorization"].startswith("Bearer ")
    assert not {"Cookie", "X-CSRF"} & asked.headers.keys()
    again = await ask(writer, "POST", waiting)
    assert (again.status, again.slug) == (404, "not-found")
    assert len(notes.asked) == 1


async def test_what_is_larger_is_told_that_it_does_not_wait_and_is_sent_again_by_its_person(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    refused = await ask(writer, "PUT", "/api/notes/7", NOISE + b"!")

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert "parked" not in refused.body
    assert "too large" in refused.body["detail"]
    await writer.step_up(f"{refused.body['redirect']}&return_to=/check")
    assert (await ask(writer, "PUT", "/api/notes/7", NOISE + b"!")).status == 201
    assert notes.asked[0].body == NOISE + b"!"


async def test_nothing_waits_of_reading_or_where_the_row_does_not_say_so(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    for method in ("GET", "POST"):
        refused = await ask(writer, method, "/api/hasty/1", b"")
        assert (refused.status, refused.slug, refused.body["upstream"]) == (403, "step-up-required", "hasty")
        assert "parked" not in refused.body
    assert (notes.asked, notes.read) == ([], [])


async def test_S55_another_session_and_another_person_find_none(
    notes_world: World, writer: OtherFrontEnd, notes: Notes
) -> None:
    waiting = await park(writer)
    elsewhere, grace = await notes_world.signed_in(), await notes_world.front_end()
    await grace.sign_in(GRACE)
    stranger = await notes_world.front_end()

    for method in ("GET", "POST", "DELETE"):
        for person in (elsewhere, grace):
            assert (await person.call(method, waiting)).slug == "not-found"
        assert (await stranger.call(method, waiting)).slug == "sign-in-required"
        for odd in ("x", "a" * 23, "%00" * 8, "A" * 22, "..%2Fnotes"):
            assert (await ask(writer, method, f"/api/parked/{odd}")).status == 404
    assert notes.asked == []
    assert (await ask(writer, "POST", waiting)).status == 201


@pytest.mark.parametrize(
    "status, headers, waits_on",
    [
        (200, {}, False),
        (303, {"Location": "/v1/8"}, False),
        (409, {}, False),
        (422, {}, False),
        (401, {}, True),
        (429, {}, True),
        (503, {"Retry_After": "1"}, True),
        (500, {}, False),
        (503, {}, False),
    ],
)
async def test_R18_it_waits_on_only_where_its_api_took_nothing_for_now(
    writer: OtherFrontEnd, notes: Notes, status: int, headers: dict[str, str], *, waits_on: bool
) -> None:
    waiting = await park(writer)
    notes.say(status, **headers)

    answer = await ask(writer, "POST", waiting)

    assert (answer.status, answer.body) == (status, {"id": 7}), "what the API answers, whatever that is"
    assert (await writer.call("GET", waiting)).status == (200 if waits_on else 404)
    notes.say(201)
    assert (await ask(writer, "POST", waiting)).status == (201 if waits_on else 404)
    assert len(notes.asked) == (2 if waits_on else 1)


async def test_R18_after_an_answer_that_was_lost_it_is_gone_and_nobody_sends_it_again(
    writer: OtherFrontEnd, notes: Notes
) -> None:
    waiting = await park(writer)
    notes.say(None)

    lost = await ask(writer, "POST", waiting)

    assert (lost.status, lost.slug) == (502, "resource-unavailable")
    assert (lost.body["outcome"], lost.body["upstream"]) == ("unknown", "notes")
    notes.say(201)
    assert (await ask(writer, "POST", waiting)).slug == "not-found"
    assert len(notes.asked) == 1


async def test_R18_an_api_that_is_not_there_leaves_it_waiting(writer: OtherFrontEnd) -> None:
    waiting = await park(writer, Sent(path="/api/nobody"))

    failed = await ask(writer, "POST", waiting)

    assert (failed.status, failed.slug) == (502, "resource-unavailable")
    assert failed.body["outcome"] == "not-sent"
    assert (await writer.call("GET", waiting)).status == 200


async def test_L14_one_that_meets_step_up_once_more_keeps_its_id(
    notes_world: World, writer: OtherFrontEnd, notes: Notes
) -> None:
    waiting = await park(writer, Sent(body=NOISE))
    notes_world.forward(PARKED_SECONDS - 10)
    notes.say(401, WWW_Authenticate=CHALLENGE)

    again = await ask(writer, "POST", waiting)

    assert (again.status, again.slug) == (403, "step-up-required")
    assert f"/api/parked/{again.body['parked']['id']}" == waiting
    notes_world.forward(20)
    assert (await writer.call("GET", waiting)).body["expires_at"] == again.body["parked"]["expires_at"]
    notes.say(201)
    await writer.step_up(f"{again.body['redirect']}&return_to=/check")
    assert [(await ask(writer, "POST", waiting)).status for _ in range(2)] == [201, 404]
    assert [asked.body for asked in notes.asked] == [NOISE, NOISE]


async def test_L14_confirmations_at_once_send_it_once(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer)

    answers = await asyncio.gather(*(ask(writer, "POST", waiting) for _ in range(3)))

    assert sorted(answer.status for answer in answers) == [201, 404, 404]
    assert len(notes.asked) == 1


@pytest.mark.parametrize("meets", [201, 401])
async def test_L14_a_step_up_in_another_tab_meanwhile_neither_loses_nor_repeats_it(
    notes_world: World, writer: OtherFrontEnd, notes: Notes, meets: int
) -> None:
    waiting = await park(writer)
    old = {"Cookie": f"__Host-Http-session={writer.cookie()}"}
    notes.say(meets, **({"WWW_Authenticate": CHALLENGE} if meets == 401 else {}))
    notes.waits = asyncio.Event()
    async with aiohttp.ClientSession() as browser:
        tab = OtherFrontEnd(browser, notes_world.gateway_url, notes_world.tenant_url)
        confirming = asyncio.create_task(ask(tab, "POST", waiting, headers=old))
        await notes.reached.wait()
        await writer.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
        notes.waits.set()
        met = await confirming
    notes.say(201)

    if meets == 201:
        assert met.status == 201
        assert (await ask(writer, "POST", waiting)).slug == "not-found", "it went along, and is done with"
    else:
        assert (met.slug, met.body["reason"]) == ("sign-in-required", "rotated")
        assert (await ask(writer, "POST", waiting)).status == 201
    assert len(notes.asked) == (1 if meets == 201 else 2)


async def test_what_is_dropped_is_gone_and_is_sent_by_nobody(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer)

    assert (await writer.call("DELETE", waiting)).status == 204

    for method in ("GET", "POST", "DELETE"):
        assert (await ask(writer, method, waiting)).slug == "not-found"
    assert notes.asked == []


async def test_an_edit_of_the_profile_is_found_here_too(writer: OtherFrontEnd) -> None:
    refused = await writer.call("PATCH", "/api/profile", {"city": "Turin"})
    waiting = f"/api/parked/{refused.body['parked_edit']['id']}"
    await writer.step_up(f"{refused.body['redirect']}&return_to=/check")

    shown = (await writer.call("GET", waiting)).body
    assert (shown["upstream"], shown["method"], shown["path"]) == ("profile", "PATCH", "/api/profile")
    assert shown["changes"] == [{"field": "city", "from": "London", "to": "Turin"}]
    saved = await writer.call("POST", waiting)
    assert (saved.status, saved.body["city"]) == (200, "Turin")
    assert saved.headers["ETag"]
    assert (await writer.call("GET", waiting)).status == 404


async def test_a_request_to_another_api_is_no_parked_edit(writer: OtherFrontEnd, notes: Notes) -> None:
    waiting = await park(writer)
    edit = waiting.replace("parked", "parked-edits")

    for method in ("GET", "POST", "DELETE"):
        assert (await writer.call(method, edit)).slug == "not-found"
    assert notes.asked == []
    assert (await writer.call("GET", waiting)).status == 200


async def test_a_row_that_is_gone_meanwhile_leaves_nothing_that_could_be_sent(
    notes_world: World, writer: OtherFrontEnd, notes: Notes, tmp_path: Path
) -> None:
    waiting = await park(writer)
    other = await notes_world.new_gateway(UPSTREAMS=rows_file(tmp_path, notes, name="jottings"))
    there = OtherFrontEnd(writer.session, other.gateway_url, notes_world.tenant_url)
    cookie = {"Cookie": f"__Host-Http-session={writer.cookie()}"}

    answer = await ask(there, "POST", waiting, headers=cookie)

    assert answer.slug == "not-found"
    assert notes.asked == []
