"""The same story in three front ends: sign in, change something behind MFA, hear another tab sign out.

Two of them are the examples, each served by a gateway as GATEWAY_FRONT_END; one has a foreign API behind it.
What a page must not do in the console, like breaking its content security policy, `page_faults` holds.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from devstack.stack import ROOT, Stack, running_stack
from gateway.app import SPA
from tests.real.journeys.front_ends import ElementAbroad, NotesPage, OurClient, ProfileElement
from tests.real.journeys.judged import every_fault
from tests.stage.ports import free_port
from tests.stage.world import served as hosted

FRONT_ENDS: Final[dict[str, Callable[[Page, Stack], OurClient]]] = {
    "ours": OurClient,
    "notes": NotesPage,
    "profile-element": ProfileElement,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stack]]:
    """Give what runs the product with an example, which it then goes on with."""
    with ExitStack() as lives:

        @cache
        def with_example(name: str) -> Stack:
            return lives.enter_context(running_stack(tmp_path_factory.mktemp(name), example=name))

        yield with_example


@pytest.fixture(params=FRONT_ENDS)
def served(request: pytest.FixtureRequest, run: Callable[[str], Stack]) -> tuple[str, Stack]:
    """Give the product with one of the front ends."""
    name: str = request.param
    stack: Stack = request.getfixturevalue("stack") if name == "ours" else run(name)
    return name, stack


async def test_the_story_is_the_same_in_every_front_end(
    served: tuple[str, Stack], context: BrowserContext
) -> None:
    name, stack = served
    pages = [await context.new_page(), await context.new_page()]
    await tells_the_story(*(FRONT_ENDS[name](page, stack) for page in pages))


@pytest.fixture
def abroad(tmp_path: Path) -> Iterator[tuple[Stack, int]]:
    """Give the product, and a port from which a front end may call it."""
    port = free_port()
    allowed = {"GATEWAY_ALLOWED_ORIGINS": f"http://localhost:{port}"}
    with running_stack(tmp_path, env_overrides=allowed) as stack:
        yield stack, port


async def test_the_element_tells_the_same_story_in_a_page_of_another_origin(
    abroad: tuple[Stack, int], context: BrowserContext
) -> None:
    stack, port = abroad
    origin = f"http://localhost:{port}"
    pages = [await context.new_page(), await context.new_page()]
    async with hosted(host_of(stack.gateway_url), port, "localhost"):
        await tells_the_story(*(ElementAbroad(page, stack, origin=origin) for page in pages))


def host_of(gateway: str) -> web.Application:
    """Return somebody's own server of the element's page, which names the gateway."""
    folder = ROOT / "examples" / "profile-element" / "page"
    files = {"client.js": SPA / "client.js"} | {path.name: path for path in folder.iterdir()}
    index = (folder / "index.html").read_text("utf-8")

    async def send(request: web.Request) -> web.StreamResponse:
        if file := files.get(request.match_info["name"]):
            return web.FileResponse(file)
        page = index.replace("<profile-element>", f'<profile-element gateway="{gateway}">')
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{name:.*}", send)
    return app


async def tells_the_story(ada: OurClient, elsewhere: OurClient) -> None:
    """Tell it in one tab, and sign out in the other."""
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


async def test_the_notes_api_opens_to_no_token_that_the_tenant_did_not_give(
    run: Callable[[str], Stack],
) -> None:
    told = run("notes").parts["notes"].child.program.environment
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
