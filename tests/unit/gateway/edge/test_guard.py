"""Who may send what kind of request (S10, S23, S25, S48)."""

from collections.abc import Awaitable, Callable, Iterable

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from gateway.edge.guard import (
    ROUTE_TABLE,
    Guard,
    RequestKind,
    Route,
    kind_of,
)
from gateway.errors import CrossOriginRefused, MisdirectedRequest
from servicekit.http.routes import RouteTable
from tests.stage.controls import judged_by

HOST = "app.example"
PUBLIC = f"https://{HOST}"
OURS = {"Sec-Fetch-Site": "same-origin"}
CSRF = {"X-CSRF": "1"}

Client = TestClient[web.Request, web.Application]
Gate = Callable[..., Awaitable["Guarded"]]


async def reached(_request: web.Request) -> web.Response:
    return web.Response(text="reached")


class Guarded:
    """An application with one route of each kind, and one without a row; what the guard raises is answered in short."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @staticmethod
    def app(public_url: str, others: Iterable[str] = ()) -> web.Application:
        @web.middleware
        async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except (CrossOriginRefused, MisdirectedRequest) as refused:
                return web.Response(status=refused.status, text=refused.detail)

        app = web.Application(middlewares=[answering, judged_by(Guard(public_url, others))])
        app[ROUTE_TABLE] = RouteTable()
        app[ROUTE_TABLE].add(app, [Route("GET", f"/{kind.value}", reached, kind) for kind in RequestKind])
        app.router.add_get("/without-a-row", reached)
        return app

    async def ask(
        self, kind: RequestKind, headers: dict[str, str] | None = None, *, host: str = HOST
    ) -> tuple[int, str]:
        """Ask for the route of a kind; return the status and the text."""
        answer = await self._client.get(
            f"/{kind.value}", headers={"Host": host, **(headers or {})}, allow_redirects=False
        )
        return answer.status, await answer.text()

    async def lets_through(
        self, kind: RequestKind, headers: dict[str, str] | None = None, *, host: str = HOST
    ) -> bool:
        """Tell whether the handler is reached."""
        return await self.ask(kind, headers, host=host) == (200, "reached")


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(Guarded.app(PUBLIC))


@pytest.fixture
def guarded(client: Client) -> Guarded:
    return Guarded(client)


def test_the_kinds_of_request_are_called_by_what_they_are() -> None:
    assert {kind.value for kind in RequestKind} == {
        "json",
        "events",
        "navigation",
        "callback",
        "framed",
        "backchannel",
        "public",
    }


@pytest.mark.parametrize(
    "headers",
    [
        CSRF,
        CSRF | OURS,
        CSRF | OURS | {"Origin": PUBLIC},
        CSRF | {"Origin": PUBLIC},
        CSRF | OURS | {"Origin": "https://a-proxy-changed.it"},
    ],
    ids=str,
)
async def test_S23_our_own_pages_and_programs_may_send_json_and_open_streams(
    guarded: Guarded, headers: dict[str, str]
) -> None:
    assert await guarded.lets_through(RequestKind.JSON, headers)
    assert await guarded.lets_through(RequestKind.EVENTS, headers)


@pytest.mark.parametrize("headers", [{}, {"X-CSRF": "0"}, {"X-CSRF": "11"}, {"Origin": PUBLIC}], ids=str)
async def test_S23_without_the_header_nothing_is_json_of_ours(
    guarded: Guarded, headers: dict[str, str]
) -> None:
    refusal = (403, "Send the header X-CSRF: 1.")

    assert await guarded.ask(RequestKind.JSON, headers) == refusal
    assert await guarded.ask(RequestKind.JSON, headers | OURS) == refusal
    assert await guarded.ask(RequestKind.EVENTS, headers) == refusal


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": f"{PUBLIC}.evil.example"},
        {"Origin": f"http://{HOST}"},
    ],
    ids=str,
)
async def test_S23_other_pages_are_refused_whatever_header_they_send(
    guarded: Guarded, headers: dict[str, str]
) -> None:
    refusal = (403, "Only pages of https://app.example may call this.")

    assert await guarded.ask(RequestKind.JSON, headers | CSRF) == refusal
    assert await guarded.ask(RequestKind.EVENTS, headers | CSRF) == refusal


async def test_S23_a_stream_needs_no_header_where_the_browser_says_that_the_page_is_ours(
    guarded: Guarded,
) -> None:
    assert await guarded.lets_through(RequestKind.EVENTS, OURS)
    assert not await guarded.lets_through(RequestKind.EVENTS, {"Sec-Fetch-Site": "same-site"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"},
    ],
    ids=str,
)
async def test_S10_a_person_may_navigate_from_our_pages_and_type_the_address(
    guarded: Guarded, headers: dict[str, str]
) -> None:
    assert await guarded.lets_through(RequestKind.NAVIGATION, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": ""},
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Dest": "document"},
    ],
    ids=str,
)
async def test_S10_a_frame_an_image_and_a_prefetch_begin_nothing(
    guarded: Guarded, headers: dict[str, str]
) -> None:
    assert await guarded.ask(RequestKind.NAVIGATION, headers) == (403, "This address is for navigation.")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "friendly"])
async def test_S10_a_person_who_follows_a_foreign_link_comes_to_our_first_page(
    client: Client, site: str
) -> None:
    answer = await client.get(
        "/navigation", headers={"Host": HOST, "Sec-Fetch-Site": site}, allow_redirects=False
    )

    assert (answer.status, answer.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    "kind", [RequestKind.CALLBACK, RequestKind.FRAMED, RequestKind.BACKCHANNEL, RequestKind.PUBLIC]
)
async def test_what_the_authority_sends_and_what_is_public_may_come_from_anywhere(
    guarded: Guarded, kind: RequestKind
) -> None:
    stranger = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe", "Origin": "https://evil.example"}

    assert await guarded.lets_through(kind, stranger)


@pytest.mark.parametrize(
    "kind, is_held_to_it",
    [
        (RequestKind.JSON, True),
        (RequestKind.EVENTS, True),
        (RequestKind.NAVIGATION, True),
        (RequestKind.CALLBACK, True),
        (RequestKind.FRAMED, False),
        (RequestKind.BACKCHANNEL, False),
        (RequestKind.PUBLIC, False),
    ],
)
@pytest.mark.parametrize(
    "host", ["evil.example", f"{HOST}.evil.example", "localhost", "127.0.0.1:3000", "[", ""]
)
async def test_S25_a_request_for_another_host_is_not_for_us(
    guarded: Guarded, kind: RequestKind, host: str, *, is_held_to_it: bool
) -> None:
    status, _ = await guarded.ask(kind, CSRF, host=host)

    assert status == (421 if is_held_to_it else 200)


@pytest.mark.parametrize("host", [HOST, f"{HOST}:443", "APP.example", f"{HOST}:8080"])
async def test_S25_our_host_counts_with_any_port_and_in_any_case(guarded: Guarded, host: str) -> None:
    assert await guarded.lets_through(RequestKind.JSON, CSRF, host=host)


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"])
async def test_S25_on_a_laptop_one_name_of_it_is_as_good_as_another(
    aiohttp_client: AiohttpClient, host: str
) -> None:
    guarded = Guarded(await aiohttp_client(Guarded.app("http://localhost:3000")))

    assert await guarded.lets_through(RequestKind.JSON, CSRF, host=host)
    assert not await guarded.lets_through(RequestKind.JSON, CSRF, host=HOST)


async def test_S48_a_route_without_a_row_is_closed(client: Client) -> None:
    answer = await client.get("/without-a-row", headers={"Host": HOST, **CSRF, **OURS})

    assert answer.status == 403


async def test_where_there_is_no_route_the_router_answers(client: Client) -> None:
    assert (await client.get("/nowhere")).status == 404
    assert (await client.post("/json")).status == 405


async def test_a_head_of_a_navigation_or_a_stream_is_none(client: Client) -> None:
    for kind in RequestKind:
        answer = await client.head(f"/{kind.value}", headers={"Host": HOST, **CSRF})
        assert answer.status == (405 if kind in {RequestKind.NAVIGATION, RequestKind.EVENTS} else 200), kind


def test_only_what_is_read_has_a_head() -> None:
    assert Route("GET", "/", reached, RequestKind.JSON).answers_head
    assert not Route("POST", "/", reached, RequestKind.JSON).answers_head


async def test_a_route_says_its_kind_and_what_it_needs_of_a_session(aiohttp_client: AiohttpClient) -> None:
    answers: list[object] = []

    async def tell(request: web.Request) -> web.Response:
        row = request.app[ROUTE_TABLE].row_of(request)
        answers.append((kind_of(request), tuple(row.records(request)) if row else ()))
        return web.Response()

    app = web.Application()
    app[ROUTE_TABLE] = RouteTable()
    app[ROUTE_TABLE].add(
        app,
        [
            Route("GET", "/needs", tell, RequestKind.JSON, records=lambda request: ("note", request.path)),
            Route("GET", "/needs-nothing", tell, RequestKind.PUBLIC),
        ],
    )
    app.router.add_get("/without-a-row", tell)
    client = await aiohttp_client(app)
    for path in ("/needs", "/needs-nothing", "/without-a-row"):
        assert (await client.get(path)).status == 200

    assert answers == [(RequestKind.JSON, ("note", "/needs")), (RequestKind.PUBLIC, ()), (None, ())]
