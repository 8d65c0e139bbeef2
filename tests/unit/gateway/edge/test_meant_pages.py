"""Addresses that people type lead where they mean; all others do not exist."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import ClientSession

from gateway.app import create_app
from gateway.edge.spa_files import PAGES
from tests.stage.ports import free_port
from tests.stage.world import CLIENT, PATIENT, gateway_settings, served

Serve = Callable[..., Awaitable[Callable[..., Awaitable[tuple[int, str]]]]]
ELSEWHERE = "https://login.example.com/change-password?app=1"


@pytest.fixture
async def serve(valkey: str) -> AsyncIterator[Serve]:
    """Give what serves a gateway and returns what asks it for an address, without following."""
    async with ClientSession() as session:
        lives = []

        async def start(**settings: str) -> Callable[..., Awaitable[tuple[int, str]]]:
            port = free_port()
            app = create_app(gateway_settings(REDIS_URL=valkey, **settings), spa=CLIENT, redis_limits=PATIENT)
            lives.append(served(app, port, "localhost"))
            await lives[-1].__aenter__()

            async def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
                url = f"http://localhost:{port}{path}"
                async with session.request(method, url, headers=headers, allow_redirects=False) as answer:
                    return answer.status, answer.headers.get("Location", "")

            return ask

        yield start
        for life in lives:
            await life.__aexit__(None, None, None)


MEANT = {
    "/profile": "/",
    "/profile/": "/",
    "/me": "/",
    "/account": "/",
    "/settings": "/",
    "/edit/": "/edit",
    "/edit/?field=city": "/edit?field=city",
    "/check/": "/check",
    "/sessions/": "/sessions",
    "/sign-in-details/": "/sign-in-details",
    "/profile/edit": "/edit",
    "/login": "/auth/sign-in",
    "/signin": "/auth/sign-in",
    "/sign-in": "/auth/sign-in",
    "/login?return_to=/edit": "/auth/sign-in?return_to=/edit",
    "/register": "/auth/sign-up",
    "/sign-up/": "/auth/sign-up",
    "/logout": "/",
    "/signout": "/",
    "/.well-known/change-password": "/",
}


async def test_D9_an_address_that_people_type_leads_where_they_mean(serve: Serve) -> None:
    ask = await serve()

    for path, page in MEANT.items():
        for method in ("GET", "HEAD"):
            assert await ask(path, method) == (302, page), path


async def test_D9_letters_make_no_difference_to_people(serve: Serve) -> None:
    ask = await serve()

    for path, page in {
        "/Edit": "/edit",
        "/SESSIONS/": "/sessions",
        "/Profile": "/",
        "/Login": "/auth/sign-in",
    }.items():
        assert await ask(path, Accept="text/html") == (302, page)
        assert (await ask(path))[0] == 404, "a program is told what it asked"


async def test_D9_what_nobody_knows_does_not_exist(serve: Serve) -> None:
    ask = await serve()

    for path in (
        "/no-such-page",
        "/profiles",
        "/edit/x",
        "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200",
        "/.well-known/security.txt",
        "/admin",
        "//edit",
    ):
        assert (await ask(path, Accept="text/html"))[0] == 404, path
    assert (await ask("/logout", "POST"))[0] == 405, "nobody is signed out by it"


async def test_D9_every_page_is_still_itself(serve: Serve) -> None:
    ask = await serve()

    for page in PAGES:
        assert await ask(page) == (200, "")


async def test_D9_password_managers_are_led_where_a_setting_says(serve: Serve) -> None:
    ask = await serve(CHANGE_PASSWORD_URL=ELSEWHERE)

    assert await ask("/.well-known/change-password") == (302, ELSEWHERE)
