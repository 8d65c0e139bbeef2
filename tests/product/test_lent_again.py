"""A token that an upstream has taken is lent again without a question, and for no longer than that holds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app_keys import SESSIONS, STEP_UPS
from gateway.store.vault import WRITES
from gateway.tokens.token_records import TOKEN
from tests.product.test_tokens import broker_of, live
from tests.product.upstream_rows import READ_SCOPE, Make, Rows, rows
from tests.stage.raw_upstream import head, ok, saying

REFRESH = "token.refresh_token"
TIMES = 4


@pytest.fixture
async def notes(make_world: Make, tmp_path: Path) -> AsyncIterator[Rows]:
    """Give a row whose token is there from the sign-in on, and one whose confirmations age."""
    async with rows(
        make_world,
        tmp_path,
        {"name": "notes", "prefix": "/api/notes", "scope": READ_SCOPE},
        {"name": "ages", "prefix": "/api/ages", "scope": READ_SCOPE, "max_age": 60},
        SESSION_IDLE_SECONDS="28800",
    ) as notes:
        yield notes


def resource_of(notes: Rows) -> str:
    """Return the key of the resource whose token the row is lent."""
    return notes.world.app[STEP_UPS].rules["notes"].resource.key


async def lent(notes: Rows, times: int = TIMES, path: str = "/api/notes") -> list[str]:
    """Ask so often; return the tokens that the upstream was sent."""
    before = len(notes.upstream.asked)
    for _ in range(times):
        answer = await notes.ada.call("GET", path)
        assert answer.status == 200, answer.text
    await broker_of(notes.world).settle(5)
    return [asked.fields["authorization"] for asked in notes.upstream.asked[before:]]


async def test_W1_however_often_a_token_was_lent_it_is_renewed_in_the_last_part_of_its_life(
    notes: Rows,
) -> None:
    first, asked = await lent(notes), await notes.world.asked(REFRESH)
    assert len(set(first)) == 1

    session = await live(notes.world, notes.ada)
    token = await session.records.get(TOKEN, resource_of(notes))
    assert token
    assert token.renew_at
    notes.world.forward(token.renew_at - notes.world.clock.now - 1)
    assert set(await lent(notes)) == set(first)
    assert await notes.world.asked(REFRESH) == asked

    notes.world.forward(2)
    await lent(notes, 1)
    assert await notes.world.asked(REFRESH) == asked + 1, "beside its use"
    assert not set(await lent(notes)) & set(first)
    assert await notes.world.asked(REFRESH) == asked + 1


async def test_S46_a_confirmation_that_grows_too_old_ends_what_was_lent(notes: Rows) -> None:
    await notes.ada.step_up("/auth/step-up?action=ages&return_to=/")
    notes.world.forward(55)
    await lent(notes, path="/api/ages")

    notes.world.forward(6)
    answer = await notes.ada.call("GET", "/api/ages")

    assert (answer.status, answer.slug) == (403, "step-up-required")
    assert len(await lent(notes)) == TIMES, "a row whose confirmations do not age goes on"


async def test_R23_after_a_confirmation_requests_write_to_the_session_once(notes: Rows) -> None:
    await notes.ada.step_up("/auth/step-up?action=ages&return_to=/")
    await lent(notes, 1, path="/api/ages")
    (before,) = (await live(notes.world, notes.ada)).records.raw([WRITES])

    await lent(notes, path="/api/ages")
    for _ in range(TIMES):
        assert (await notes.ada.call("GET", "/api/profile")).status == 200

    assert (await live(notes.world, notes.ada)).records.raw([WRITES]) == (before,)


async def test_W1_a_token_that_was_refused_is_lent_no_more(notes: Rows) -> None:
    (first,) = set(await lent(notes))

    async def refusing(asked: object) -> None:
        is_first = asked.fields["authorization"] == first  # type: ignore[attr-defined]
        refusal = head('WWW-Authenticate: Bearer error="invalid_token"', "Content-Length: 0", status=401)
        await saying(refusal if is_first else ok())(asked)  # type: ignore[arg-type]

    notes.upstream.answer = refusing
    after = await lent(notes)

    assert after.count(first) == 1
    assert len(set(after)) == 2


async def test_W1_a_token_that_another_process_dropped_is_lent_no_more(notes: Rows) -> None:
    await lent(notes)
    asked = await notes.world.asked(REFRESH)
    elsewhere = await live(notes.world, notes.ada)
    await elsewhere.records.remove(TOKEN.field(resource_of(notes)))

    await lent(notes)

    assert await notes.world.asked(REFRESH) == asked + 1


async def test_S40_a_session_that_was_ended_elsewhere_is_lent_nothing(notes: Rows) -> None:
    await lent(notes)
    session = await live(notes.world, notes.ada)
    await notes.world.app[SESSIONS].end(session, "signed-out")

    answer = await notes.ada.call("GET", "/api/notes")

    assert (answer.status, answer.slug) == (401, "sign-in-required")
    assert len(notes.upstream.asked) == TIMES
