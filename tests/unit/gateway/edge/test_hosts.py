"""A page under another name of the same computer: brought to the public one, because cookies belong to one name."""

import pytest
from aiohttp.pytest_plugin import AiohttpClient

from gateway.edge.guard import RequestKind
from gateway.edge.hosts import Likeness, compare_hosts
from tests.unit.gateway.edge.test_guard import CSRF, HOST, OURS, PUBLIC, Client, Guarded

SPELLINGS = [
    "127.0.0.1:3000",
    "[::1]:3000",
    "localhost.:3000",
    "LOCALHOST.",
    "127.0.0.1",
    "127.0.0.2:8080",
    "0.0.0.0:3000",
    "[::]:3000",
    "[::ffff:127.0.0.1]:3000",
    "app.localhost:3000",
]
PAGES = [
    {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "cross-site"},
    {"Accept": "text/html,application/xhtml+xml"},
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_X6_who_navigates_to_another_name_of_this_computer_is_brought_to_the_public_one(
    aiohttp_client: AiohttpClient, host: str
) -> None:
    client = await aiohttp_client(Guarded.app("http://localhost:3000"))

    for headers in PAGES:
        for kind in (RequestKind.PUBLIC, RequestKind.NAVIGATION):
            answer = await client.get(
                f"/{kind.value}?a=%20b&c", headers={"Host": host, **headers}, allow_redirects=False
            )
            assert answer.status == 307
            assert answer.headers["Location"] == f"http://localhost:3000/{kind.value}?a=%20b&c"


@pytest.mark.parametrize("public", ["http://127.0.0.1:3000", "http://[::1]:3000"])
async def test_X6_the_public_name_may_be_any_of_them(aiohttp_client: AiohttpClient, public: str) -> None:
    client = await aiohttp_client(Guarded.app(public))

    answer = await client.get(
        "/public", headers={"Host": "localhost:3000", "Accept": "text/html"}, allow_redirects=False
    )

    assert answer.headers["Location"] == f"{public}/public"


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(Guarded.app(PUBLIC))


async def test_X6_the_dot_of_the_root_is_taken_off(client: Client) -> None:
    answer = await client.get(
        "/public", headers={"Host": f"{HOST}.", "Accept": "text/html"}, allow_redirects=False
    )

    assert (answer.status, answer.headers["Location"]) == (307, f"{PUBLIC}/public")


@pytest.mark.parametrize("host", [HOST, HOST.upper(), f"{HOST}:443", f"{HOST}:80", f"{HOST}:8443"])
async def test_X6_letters_and_ports_make_no_other_name(client: Client, host: str) -> None:
    answer = await client.get("/public", headers={"Host": host, **PAGES[0]}, allow_redirects=False)

    assert (answer.status, await answer.text()) == (200, "reached")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3.4"]
)
async def test_X6_nobody_is_brought_from_a_strangers_name(aiohttp_client: AiohttpClient, host: str) -> None:
    guarded = Guarded(await aiohttp_client(Guarded.app("http://localhost:3000")))

    assert await guarded.lets_through(RequestKind.PUBLIC, PAGES[0], host=host)
    assert await guarded.ask(RequestKind.NAVIGATION, PAGES[0], host=host) == (421, "")


@pytest.mark.parametrize("host", SPELLINGS)
async def test_X6_a_pages_own_calls_to_another_name_are_told_the_public_one(
    aiohttp_client: AiohttpClient, host: str
) -> None:
    guarded = Guarded(await aiohttp_client(Guarded.app("http://localhost:3000")))

    for kind in (RequestKind.JSON, RequestKind.EVENTS, RequestKind.CALLBACK):
        status, detail = await guarded.ask(kind, CSRF | OURS, host=host)
        assert status == 421
        assert detail == "Open http://localhost:3000 instead: a browser sends the cookies of one name only."


async def test_X6_who_says_nothing_navigates_where_nothing_else_is_done(
    aiohttp_client: AiohttpClient,
) -> None:
    guarded = Guarded(await aiohttp_client(Guarded.app("http://localhost:3000")))

    assert (await guarded.ask(RequestKind.NAVIGATION, host="127.0.0.1:3000"))[0] == 307
    assert await guarded.lets_through(RequestKind.PUBLIC, host="127.0.0.1:3000")


async def test_X6_what_a_page_loads_and_is_public_has_any_name(aiohttp_client: AiohttpClient) -> None:
    guarded = Guarded(await aiohttp_client(Guarded.app("http://localhost:3000")))

    script = {"Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "same-origin"}
    assert await guarded.lets_through(RequestKind.PUBLIC, script, host="127.0.0.1:3000")


@pytest.mark.parametrize(
    "odd",
    [
        "//[",
        "//",
        "",
        "//a:99999999999",
        "//a:x",
        "//[::1",
        "//evil@a",
        "//evil:a@a",
        "//a/",
        "//a?b",
        "//a#b",
    ],
)
def test_A8_a_host_that_cannot_be_read_is_like_no_other(odd: str) -> None:
    assert compare_hosts(odd, "http://a") is Likeness.ANOTHER
    assert compare_hosts("http://a", odd) is Likeness.ANOTHER
    assert compare_hosts(odd, "http://localhost:3000") is Likeness.ANOTHER


def test_either_of_two_hosts_may_have_the_dot_of_the_root() -> None:
    assert compare_hosts("//a.", "//a") is Likeness.SPELLING
    assert compare_hosts("//a", "//a.") is Likeness.SPELLING
    assert compare_hosts("//a.", "//a.") is Likeness.SAME
