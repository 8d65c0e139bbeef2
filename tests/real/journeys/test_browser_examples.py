"""The same story in three front ends: sign in, change something behind MFA, hear another tab sign out.

Two of them are the examples, each served by a gateway as GATEWAY_FRONT_END; one has a foreign API behind it.
What a page must not do in the console, like breaking its content security policy, `page_faults` holds.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Final

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Page, expect

from devstack.stack import Stack, running_stack
from tests.real.journeys.front_ends import NotesPage, OurClient, ProfileElement
from tests.real.journeys.judged import every_fault

FRONT_ENDS: Final[dict[str, Callable[[Page, Stack], OurClient]]] = {
    "ours": OurClient,
    "notes": NotesPage,
    "profile-element": ProfileElement,
}


@pytest.fixture(scope="module", params=FRONT_ENDS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Stack]]:
    """Give the product with one of the front ends."""
    name: str = request.param
    example = None if name == "ours" else name
    with running_stack(tmp_path_factory.mktemp("served"), example=example) as stack:
        yield name, stack


async def test_the_story_is_the_same_in_every_front_end(
    served: tuple[str, Stack], context: BrowserContext
) -> None:
    name, stack = served
    ada = FRONT_ENDS[name](await context.new_page(), stack)
    await ada.opens()
    await ada.sees_nobody()
    await looks_right(ada)
    await ada.presses("Sign in")
    await ada.types_password()
    await ada.begins()
    await looks_right(ada)

    await ada.changes_it()
    await looks_right(ada)
    assert await ada.codes() == [], "nobody is sent away before being told why"
    await ada.goes_to_confirm()
    await ada.types_code()
    await ada.sees_what_waits()
    await looks_right(ada)
    await ada.sends_it()
    await ada.sees_own(ada.becomes)
    await ada.page.reload()
    await ada.sees_own(ada.becomes)

    elsewhere = FRONT_ENDS[name](await context.new_page(), stack)
    await elsewhere.opens()
    await elsewhere.sees_own(ada.becomes)
    await elsewhere.leaves()
    await ada.sees_nobody()
    await expect(ada.page.get_by_text(ada.becomes)).to_have_count(0)


async def looks_right(ada: OurClient) -> None:
    """Judge what an example shows; our client's screens are judged one by one elsewhere."""
    if type(ada) is not OurClient:
        assert await every_fault(ada.page) == []


def unsigned(claims: dict[str, object]) -> str:
    """Return a token that nobody signed."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("served", ["notes"], indirect=True)
async def test_the_notes_api_opens_to_no_token_that_the_tenant_did_not_give(
    served: tuple[str, Stack],
) -> None:
    _, stack = served
    told = stack.parts["notes"].child.program.environment
    claims = {
        "aud": "d4e8a2b6-91c3-4f57-8b0e-6a2c5d7f9e13",
        "iss": told["NOTES_ISSUER"],
        "exp": 4_000_000_000,
        "oid": "ada",
        "scp": "Notes.ReadWrite",
        "acrs": ["c1"],
    }
    for header in ("", "Bearer", "Bearer x", "Basic YTpi", f"Bearer {unsigned(claims)}"):
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{told['NOTES_PORT']}") as session,
            session.get("/notes", headers={"Authorization": header}) as answer,
        ):
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
