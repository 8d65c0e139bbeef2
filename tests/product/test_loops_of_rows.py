"""Confirmations in vain are counted by resource: one makes no loop of another, and hides none (S30)."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.product.upstream_rows import Make, Rows, rows
from tests.stage import other_apis
from tests.stage.other_apis import BILLS, NOTES
from tests.stage.raw_upstream import Answer, Asked, head, ok

REFUSED = head(
    "Content-Length: 2",
    'WWW-Authenticate: Bearer error="insufficient_user_authentication", acr_values="c1"',
    status=401,
)


@pytest.fixture
async def two(make_world: Make, tmp_path: Path) -> AsyncIterator[Rows]:
    """Give two rows of two APIs; what a path begins with says which one was asked."""
    files = other_apis.write(tmp_path)
    folder = tmp_path / "rows"
    folder.mkdir()
    given = [{"name": one.name, "prefix": f"/api/{one.name}", "scope": one.scope} for one in (NOTES, BILLS)]
    async with rows(make_world, folder, *given, tenant_file=files.tenant_file) as two:
        yield two


def refusing(is_refused: Callable[[Asked], bool]) -> Answer:
    """Return the answer of an upstream that wants more proof for some requests."""

    async def answer(asked: Asked) -> None:
        await asked.say(REFUSED + b"no" if is_refused(asked) else ok())

    return answer


async def asked(two: Rows, name: str) -> tuple[int, str]:
    """Ask one of the two; return the status, and where to confirm."""
    answer = await two.ada.call("GET", f"/api/{name}/{name}")
    if answer.status in {403, 429}:
        assert answer.slug == {403: "step-up-required", 429: "step-up-loop"}[answer.status]
    return answer.status, answer.body.get("redirect", "") if answer.status == 403 else ""


async def confirm(two: Rows, name: str) -> None:
    status, redirect = await asked(two, name)
    assert status == 403
    assert redirect.endswith(f"&action={name}")
    assert await two.ada.step_up(f"{redirect}&return_to=/{name}") == f"/{name}"
    two.world.forward(15)


async def access(two: Rows, name: str) -> str:
    return str((await two.ada.call("GET", "/api/session")).body["access"][name])


async def test_S30_an_api_that_never_takes_a_token_is_a_loop_though_another_one_works_all_the_time(
    two: Rows,
) -> None:
    two.upstream.answer = refusing(lambda request: "/notes" in request.first_line)
    await confirm(two, "bills")
    for _ in range(3):
        await confirm(two, "notes")
        assert await access(two, "notes") == "granted"
        assert (await asked(two, "bills"))[0] == 200
        assert (await two.ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200

    assert (await asked(two, "notes"))[0] == 429
    assert (await asked(two, "bills"))[0] == 200
    assert (await two.ada.call("PATCH", "/api/profile", {"city": "Paris"})).status == 200
    two.world.forward(301)
    assert (await asked(two, "notes"))[0] == 403, "after five minutes a person may try again"


async def test_S30_two_apis_that_never_take_a_token_are_two_loops(two: Rows) -> None:
    two.upstream.answer = refusing(lambda _request: True)
    for _ in range(3):
        for name in ("notes", "bills"):
            await confirm(two, name)

    assert [(await asked(two, name))[0] for name in ("notes", "bills")] == [429, 429]


async def test_S30_an_api_that_takes_the_token_after_each_confirmation_is_no_loop(two: Rows) -> None:
    for _ in range(5):
        two.upstream.answer = refusing(lambda _request: True)
        await confirm(two, "notes")
        two.upstream.answer = refusing(lambda _request: False)
        assert (await asked(two, "notes"))[0] == 200


async def test_access_says_what_a_refusal_told_until_the_api_takes_a_token(two: Rows) -> None:
    assert await access(two, "notes") == "untried"
    two.upstream.answer = refusing(lambda _request: True)
    await asked(two, "notes")
    two.world.forward(30)
    assert await access(two, "notes") == "step-up"

    two.upstream.answer = refusing(lambda _request: False)
    assert (await asked(two, "notes"))[0] == 200, "the policy behind it was changed"
    assert await access(two, "notes") == "granted"
