"""Upstreams that fail: what the person is told, what is recorded, and that nobody else notices."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.product.test_metrics import counted, drawn
from tests.product.upstream_rows import READ_SCOPE, Make, Rows, rows
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.raw_upstream import Answer, Asked, head, ok, raw_upstream, saying
from tests.stage.trails import ReadTrail

WRITING = {"methods": ["GET", "POST"], "scope": READ_SCOPE}


@pytest.fixture
async def notes(make_world: Make, tmp_path: Path, trail: ReadTrail) -> AsyncIterator[Rows]:
    """Give a row that a test answers for, the same with little time, one where nobody is, and one of TLS to no TLS."""
    async with rows(
        make_world,
        tmp_path,
        {"name": "notes", "prefix": "/api/notes", **WRITING},
        {"name": "hasty", "prefix": "/api/hasty", "timeout": 0.3, **WRITING},
        {"name": "nobody", "prefix": "/api/nobody", "target": f"http://127.0.0.1:{free_port()}", **WRITING},
        {"name": "well", "prefix": "/api/well", **WRITING},
        trail=trail.trail,
    ) as notes:
        yield notes


async def hangs(asked: Asked) -> None:
    await asked.left()


async def resets(asked: Asked) -> None:
    asked.reset()


NO_ANSWERS: dict[str, Answer] = {
    "reset": resets,
    "closed": saying(then_close=True),
    "half of a head": saying(b"HTTP/1.1 200 OK\r\nContent-Le", then_close=True),
    "0.9": saying(b"<p>here</p>\r\n\r\n", then_close=True),
    "101": saying(head("Upgrade: foo", "Connection: upgrade", status=101)),
    "chunks with a length": saying(
        head("Content-Length: 4", "Transfer-Encoding: chunked") + b"4\r\nhere\r\n0\r\n\r\n"
    ),
    "10,000 fields": saying(head(*(f"X-{n}: 1" for n in range(10_000)), "Content-Length: 4") + b"here"),
}


async def test_an_upstream_that_gives_no_answer_is_told_of_with_what_became_of_a_write(notes: Rows) -> None:
    for answer in NO_ANSWERS.values():
        notes.upstream.answer = answer
        read = await notes.ada.call("GET", "/api/notes/secret?word")
        wrote = await notes.ada.call("POST", "/api/notes/secret?word")

        assert (read.status, read.slug, read.body["upstream"]) == (502, "resource-unavailable", "notes")
        assert "outcome" not in read.body
        assert (wrote.status, wrote.body["outcome"]) == (502, "unknown")
        assert "Retry-After" in wrote.headers


async def test_who_is_not_there_was_sent_nothing_and_who_is_late_may_have_done_it(notes: Rows) -> None:
    notes.upstream.answer = hangs
    nobody = await notes.ada.call("POST", "/api/nobody", {})
    late = await notes.ada.call("GET", "/api/hasty")
    late_write = await notes.ada.call("POST", "/api/hasty")

    assert (nobody.status, nobody.body["outcome"], nobody.body["upstream"]) == (502, "not-sent", "nobody")
    assert (late.status, late.slug, "outcome" in late.body) == (504, "resource-unavailable", False)
    assert (late_write.status, late_write.body["outcome"]) == (504, "unknown")


async def test_S46_a_server_that_proves_itself_by_nothing_is_sent_nothing(
    make_world: Make, tmp_path: Path
) -> None:
    async with raw_upstream(saying(ok())) as plain:
        row = {"name": "tls", "prefix": "/api/tls", "target": plain.url.replace("http:", "https:"), **WRITING}
        async with rows(make_world, tmp_path, row) as notes:
            answer = await notes.ada.call("POST", "/api/tls", {"very": "private"})

            assert (answer.status, answer.body["outcome"], plain.asked) == (502, "not-sent", [])


async def test_A6_an_unsafe_request_is_one_fact_and_its_path_and_body_are_none(
    notes: Rows, trail: ReadTrail
) -> None:
    for answer in (
        saying(ok()),
        saying(head("Content-Length: 0", status=409)),
        saying(head("Content-Length: 0", status=500)),
        resets,
    ):
        notes.upstream.answer = answer
        await notes.ada.call("POST", "/api/notes/secret?word", {"very": "private"})
    await notes.ada.call("POST", "/api/nobody/secret", {"very": "private"})
    await notes.ada.call("GET", "/api/notes/secret?word")

    facts = [fact for fact in trail.new() if fact["fact"] == "upstream-request"]
    assert [(fact["upstream"], fact["method"], fact["outcome"]) for fact in facts] == [
        ("notes", "POST", "success"),
        ("notes", "POST", "refused"),
        ("notes", "POST", "unknown"),
        ("notes", "POST", "unknown"),
        ("nobody", "POST", "failed"),
    ]
    assert {fact["event"] for fact in facts} == {"sensitive_update"}
    assert all(fact["person"] for fact in facts)
    told = str(facts)
    assert not [word for word in ("secret", "word", "private") if word in told]


async def test_requests_are_counted_by_row_and_how_they_ended(notes: Rows) -> None:
    notes.upstream.answer = saying(ok())
    await notes.ada.call("GET", "/api/notes")
    notes.upstream.answer = saying(head("Content-Length: 9") + b"four", then_close=True)
    reader, writer = await notes.send("GET /api/notes HTTP/1.1")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    await notes.ada.call("POST", "/api/nobody")

    requests = counted(drawn(notes.world), "stepup_upstream_requests_total")
    answers = counted(drawn(notes.world), "stepup_upstream_answers_total")
    assert requests[("answered", "notes")] == 2
    assert requests[("failed", "nobody")] == 1
    assert (answers[("whole", "notes")], answers[("broken-off", "notes")]) == (1, 1)
    assert counted(drawn(notes.world), "stepup_upstream_exchanges")[("notes",)] == 0
    assert counted(drawn(notes.world), "stepup_breaker_open")[("well",)] == 0


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    "said", [head("Content-Length: 9") + b"four", head("Transfer-Encoding: chunked") + b"4\r\nfour\r\n"]
)
async def test_S49_an_answer_that_breaks_off_never_looks_whole(
    notes: Rows, said: bytes, version: str
) -> None:
    read = asyncio.Event()

    async def answer(asked: Asked) -> None:
        await asked.say(said)
        await read.wait()
        asked.writer.close()

    notes.upstream.answer = answer
    reader, writer = await notes.send(f"GET /api/notes HTTP/{version}")
    assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"four"), PATIENCE)
    read.set()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()


async def test_L10_one_hanging_upstream_slows_neither_another_nor_anything_of_ours(notes: Rows) -> None:
    async def answer(asked: Asked) -> None:
        await (hangs(asked) if "/hangs" in asked.first_line else asked.say(ok()))

    notes.upstream.answer = answer
    stuck = [await notes.send("GET /api/notes/hangs HTTP/1.1") for _ in range(40)]
    await notes.asked(40)

    began = time.monotonic()
    assert (await notes.ada.call("GET", "/api/well")).status == 200
    assert (await notes.ada.call("GET", "/api/notes/well")).status == 200, "nor others of its own"
    assert (await notes.ada.call("GET", "/api/sessions")).status == 200
    assert (await notes.ada.call("GET", "/api/profile")).status == 200
    assert time.monotonic() - began < 5
    for _, writer in stuck:
        writer.close()


async def test_L10_one_person_does_not_take_all_places_of_a_row(notes: Rows) -> None:
    notes.upstream.answer = hangs
    stuck = [await notes.send("GET /api/notes/hangs HTTP/1.1") for _ in range(64)]
    await notes.asked(64)

    one_more = await notes.ada.call("GET", "/api/notes/hangs")
    assert (one_more.status, one_more.slug) == (429, "too-many-requests")
    notes.upstream.answer = saying(ok())
    assert (await notes.ada.call("GET", "/api/well")).status == 200, "of another row"
    for _, writer in stuck:
        writer.close()
    async with asyncio.timeout(PATIENCE):
        while (await notes.ada.call("GET", "/api/notes")).status != 200:  # noqa: ASYNC110 - they have left soon
            await asyncio.sleep(0.01)
