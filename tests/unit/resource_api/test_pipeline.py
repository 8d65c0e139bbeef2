"""There is one way for every request, and none around it (S48, S49)."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from resource_api.app import create_app
from resource_api.errors import InvalidToken
from resource_api.pipeline import handler_of
from servicekit.http.only_way import install
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.resource_api.stage import Answer, listening, settings_for

NOWHERE = "stepuplocal.ciamlogin.com=http://127.0.0.1:1,graph.microsoft.com=http://127.0.0.1:1"
# What every answer has, whoever makes it.
CONSTANT = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def forgotten(_request: web.Request) -> web.Response:
    """Answer whoever gets to a route that somebody forgot to give a row."""
    return web.Response(text="here")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Run the API alone, with one route more than it has rows."""
    app = create_app(settings_for(NOWHERE, ca_bundle=ONE_CERTIFICATE))
    app.router.add_get("/forgotten", forgotten)
    app.router.add_get("/health/forgotten/{id}", forgotten)
    async with listening(app) as url:
        yield url


async def asked(url: str, method: str, target: str) -> Answer:
    """Send a request whose target goes out letter for letter."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, URL(url + target, encoded=True)) as response,
    ):
        for name, value in CONSTANT.items():
            assert response.headers.getall(name) == [value]
        for name in ("Date", "client-request-id"):
            assert len(response.headers.getall(name)) == 1
        assert "Server" not in response.headers
        return Answer(response.status, response.headers, await response.text())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/live?x=1", "/health/%6cive"])
async def test_S48_an_open_route_is_open_in_whatever_spelling_the_router_reads(
    url: str, method: str, path: str
) -> None:
    answer = await asked(url, method, path)

    assert answer.status == 200
    assert answer.text == (
        "" if method == "HEAD" else f'{{"status": "{"ready" if "y" in path else "live"}"}}'
    )


@pytest.mark.parametrize("path", ["/forgotten", "/forgotten?x=1", "/%66orgotten", "/health/forgotten/7"])
async def test_S48_a_route_without_a_policy_is_closed(url: str, path: str) -> None:
    answer = await asked(url, "GET", path)

    assert (answer.status, answer.slug) == (500, "internal-error")
    with pytest.raises(LookupError, match=r"^a route without a policy$"):
        await handler_of(None)(make_mocked_request("GET", path))


@pytest.mark.parametrize("path", ["/profile", "/profile?x=1", "/profile?", "/%70rofile"])
async def test_S48_no_spelling_of_a_guarded_path_gets_around_its_policy(url: str, path: str) -> None:
    answer = await asked(url, "PATCH", path)

    assert (answer.status, answer.slug) == (InvalidToken.status, InvalidToken.slug)


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/nowhere", 404),
        ("PATCH", "/Profile", 404),
        ("PATCH", "//profile", 404),
        ("PATCH", "/profile/", 404),
        ("GET", "/health/nowhere", 404),
        ("POST", "/health/live", 405),
        ("GET", "/profile", 405),
        ("PATCH", "/./profile", 404),
    ],
)
async def test_what_has_no_route_is_the_routers_to_refuse(
    url: str, method: str, path: str, status: int
) -> None:
    answer = await asked(url, method, path)

    assert answer.status == status
    assert ("Allow" in answer.headers) is (status == 405)


def test_a_middleware_that_nobody_would_ask_is_refused() -> None:
    @web.middleware
    async def middleware(request: web.Request, handler: object) -> web.StreamResponse:
        raise NotImplementedError

    with pytest.raises(ValueError, match="middleware"):
        install(web.Application(middlewares=[middleware]), forgotten)
