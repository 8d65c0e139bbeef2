"""Whose pages are ours: the named origins to the letter, and nobody who looks like them (S24)."""

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from gateway.edge.guard import RequestKind
from gateway.edge.origins import OurOrigins
from tests.unit.gateway.edge.test_guard import CSRF, HOST, PUBLIC, Client, Guarded

APP = "https://front.example"
ORIGINS = OurOrigins(PUBLIC, [APP, "https://front.example:8443"])
STRANGERS = [
    "null",
    "*",
    "",
    "https://evil.example",
    "https://front.example.evil.example",
    "https://evilfront.example",
    "https://front.example.",
    "https://FRONT.example",
    "HTTPS://front.example",
    "http://front.example",
    "https://front.example:443",
    "https://front.example:8444",
    "https://front.example/",
    " https://front.example",
    "https://front.example, https://evil.example",
    "https://user@front.example",
    "https://fr\u00f6nt.example",
    "wss://front.example",
]


def asked(**headers: str) -> web.Request:
    """Return a request with these headers."""
    return make_mocked_request("GET", "/", CIMultiDict(headers))


@pytest.mark.parametrize("origin", STRANGERS)
def test_S24_whoever_looks_like_a_named_origin_is_a_stranger(origin: str) -> None:
    assert ORIGINS.other_of(asked(Origin=origin)) is None


def test_S24_the_named_origins_are_ours_and_the_gateways_own_is_no_other() -> None:
    assert ORIGINS.other_of(asked(Origin=APP)) == APP
    assert ORIGINS.other_of(asked(Origin=f"{APP}:8443")) == f"{APP}:8443"
    assert ORIGINS.other_of(asked(Origin=PUBLIC)) is None
    assert ORIGINS.other_of(asked()) is None


def test_S24_an_origin_that_comes_twice_is_nobodys() -> None:
    twice = make_mocked_request("GET", "/", CIMultiDict([("Origin", APP), ("Origin", APP)]))

    assert ORIGINS.other_of(twice) is None


@pytest.mark.parametrize("rest", ["", "/", "/notes/7?x#y", "?x", "#y", "//evil.example"])
def test_S9_an_address_of_a_named_origin_begins_with_it(rest: str) -> None:
    assert ORIGINS.other_at(APP + rest) == APP


@pytest.mark.parametrize(
    "address",
    [*STRANGERS[:7], *STRANGERS[8:12], "//front.example/", "/https://front.example", f"{APP}\\@evil.example",
     f"{APP}@evil.example", f"{APP}:80@evil.example/", f"{APP}.evil.example/", f"{APP}%2eevil.example",
     f"{APP}\t/x", f"x{APP}/", "https:/front.example/", "https:front.example", "javascript://front.example/"],
)  # fmt: skip
def test_S9_no_other_address_does(address: str) -> None:
    assert ORIGINS.other_at(address) is None


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    """Give a gateway with a named origin."""
    return await aiohttp_client(Guarded.app(PUBLIC, [APP]))


@pytest.fixture
def guarded(client: Client) -> Guarded:
    return Guarded(client)


BESIDE = {"Sec-Fetch-Site": "same-site", "Origin": APP}


async def test_S24_pages_of_a_named_origin_call_as_ours_do(guarded: Guarded) -> None:
    assert await guarded.lets_through(RequestKind.JSON, CSRF | BESIDE)
    assert await guarded.lets_through(RequestKind.JSON, CSRF | {"Origin": APP})
    assert await guarded.lets_through(RequestKind.EVENTS, BESIDE)
    assert not await guarded.lets_through(RequestKind.JSON, BESIDE)
    assert not await guarded.lets_through(RequestKind.EVENTS, {"Origin": APP})


@pytest.mark.parametrize("origin", STRANGERS)
async def test_S24_pages_of_others_are_refused_whatever_they_say(guarded: Guarded, origin: str) -> None:
    for headers in ({"Origin": origin}, {"Origin": origin, "Sec-Fetch-Site": "same-site"}):
        if origin.isascii() and origin == origin.strip():  # HTTP itself drops blanks around a value
            assert not await guarded.lets_through(RequestKind.JSON, CSRF | headers), headers
            assert not await guarded.lets_through(RequestKind.EVENTS, CSRF | headers), headers


@pytest.mark.parametrize("site", ["cross-site", "none", "", "friendly"])
async def test_S23_what_a_browser_calls_another_site_is_one_whatever_its_origin(
    guarded: Guarded, site: str
) -> None:
    headers = CSRF | {"Origin": APP, "Sec-Fetch-Site": site}

    assert not await guarded.lets_through(RequestKind.JSON, headers)
    assert not await guarded.lets_through(RequestKind.EVENTS, headers)


@pytest.mark.parametrize(
    "query, headers, begins",
    [
        ("", {"Referer": f"{APP}/"}, True),
        ("", {"Referer": f"{APP}/notes?x"}, True),
        (f"?return_to={APP}/notes", {}, True),
        (f"?return_to={APP}/notes", {"Referer": "https://evil.example/"}, False),
        ("?return_to=/edit", {}, False),
        ("", {}, False),
        ("", {"Referer": f"{APP}.evil.example/"}, False),
        (f"?return_to={APP}/&return_to=/", {}, False),
    ],
)
async def test_S10_a_person_may_navigate_from_a_named_origin(
    client: Client,
    query: str,
    headers: dict[str, str],
    begins: bool,  # noqa: FBT001 - a row of the table
) -> None:
    common = {"Host": HOST, "Sec-Fetch-Dest": "document"}
    beside = await client.get(
        f"/navigation{query}",
        headers=common | {"Sec-Fetch-Site": "same-site"} | headers,
        allow_redirects=False,
    )
    across = await client.get(
        f"/navigation{query}",
        headers=common | {"Sec-Fetch-Site": "cross-site"} | headers,
        allow_redirects=False,
    )

    assert beside.status == (200 if begins else 303)
    assert across.status == 303
