r"""Where a flow may return to (S9).

The oracles are three readers of addresses that disagree: Python's, the browsers' rules written out, and a real
browser. What the gateway accepts must stay on its origin for all of them.
"""

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from playwright.async_api import Page

from gateway.flows.flow_record import local_path
from tests.stage.world import World

BASE = "http://localhost:3000/auth/callback"
ORIGIN = "http://localhost:3000"

KEPT = [
    "/",
    "/edit",
    "/edit#city",
    "/edit?field=city",
    "/check?id=abc_DEF-123",
    "/sign-in-details",
    "/sessions",
    "/edit?next=//evil.example",
    "/edit?next=https://evil.example/",
    "/edit#//evil.example",
    "/@evil.example",
    "/evil.example",
    "/:80/evil",
    "/edit;city",
    "/edit?a=%2f%2fevil.example",
    "/a:b@evil.example",
    "/authentic",
    "/apis",
    "/" + "e" * 511,
    "/files/a%20b",
    "/files/caf%C3%A9",
    "/files/100%25",
    "/files/a+b&c=d",
    "/files/a%3Fb%23c",
    "/files/a%2Eb",
    "/edit?q=a%20b&r=%E2%82%AC#%C3%A4",
]

EVIL = [
    # Another authority
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/edit",
    "//evil.example@localhost:3000/",
    "//localhost:3000@evil.example/",
    "//[::1]/",
    "//%65vil.example",
    "//0x7f000001/",
    "//evil。example/",
    # Backslashes, which browsers read as slashes
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\\\\evil.example",
    "/edit\\..\\..\\evil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%5c%5cevil.example",
    # Characters that browsers take out
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    "/\x0b/evil.example",
    "/\x0c/evil.example",
    "/\x1f/evil.example",
    "/ /evil.example",
    "/\x7f/evil.example",
    "\ufeff//evil.example",
    "/\ufeff/evil.example",
    "/\u200b/evil.example",
    "/\u00a0/evil.example",
    "/\u2028/evil.example",
    "/\t\\evil.example",
    # The same, encoded
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0d%0a/evil.example",
    "/%00/evil.example",
    "/%2fevil.example",
    "/%2f%2fevil.example",
    "/%2F%2Fevil.example",
    "/%252f%252fevil.example",
    "/%2e%2e//evil.example",
    "/%E2%80%8B/evil.example",
    "/%61uth/sign-in",
    "/%61pi",
    "/auth%2fsign-in",
    "/edit/%2e%2e/api",
    "/%2e",
    "/edit%2f%2fevil.example",
    "/edit%5cevil.example",
    "/a%25%32%66evil.example",
    "/a%255cevil.example",
    "/%20/evil.example",
    "/%C2%A0/evil.example",
    "/%EF%BC%8Fevil.example",
    "/%E2%81%84evil.example",
    "/%ff/edit",
    "/%C3",
    "/edit%C2%85",
    "/edit%E2%80%AEfdp.exe",
    # Look-alikes of the slash
    "\uff0f\uff0fevil.example",
    "/\uff0fevil.example",
    "/\u2044evil.example",
    "/\u2215evil.example",
    "/\u29f8evil.example",
    "/\uff3cevil.example",
    # Dots that a reader resolves
    "/..//evil.example",
    "/.//evil.example",
    "/../evil.example",
    "/./evil.example",
    "/edit/..//evil.example",
    "/edit/../../evil.example",
    "/edit/..",
    "/.",
    # Two slashes further on
    "/edit//evil.example",
    "/edit/;@evil.example//",
    "/edit;//",
    # Schemes
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "http://localhost:3000/edit",
    "HTTPS://EVIL.EXAMPLE",
    "ht\ntps://evil.example",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "/javascript:alert(1)//",
    "data:text/html,<script>",
    "blob:http://localhost:3000/1",
    "file:///etc/passwd",
    "view-source:http://evil.example",
    "mailto:ada@example.com",
    # Not a path at all
    "",
    "edit",
    "?edit",
    "#edit",
    "@evil.example",
    "evil.example",
    "..",
    ".",
    "*",
    # A header of one's own
    "/edit\r\nSet-Cookie: __Host-Http-session=x",
    "/edit\nLocation: //evil.example",
    "/edit%0d%0aSet-Cookie:%20a=b",
    # No text
    "/\ud83d",
    "/edit\uffff",
    "/edit\U0010ffff",
    # Too long
    "/" + "\u00e9" * 86,
    "/" + "e" * 512,
    "/" + "e" * 10_000,
    "/edit?" + "q" * 10_000,
    # Endpoints: another flow, an answer that is no page, a loop
    "/auth/sign-in",
    "/auth/step-up?challenge=x",
    "/auth/frontchannel-logout?sid=1",
    "/auth",
    "/auth/",
    "/api/session",
    "/api",
    "/api?x",
    "/api#x",
    "/health/live",
    "/health",
    "/metrics",
    "/problem",
    "/problem?type=made-up",
    "/problem#x",
]


def as_browsers_read(base: str, text: str) -> str:
    """Return the origin that WHATWG's URL rules give: trim, drop tabs and line ends, backslash is slash."""
    trimmed = re.sub(r"^[\x00-\x20]+|[\x00-\x20]+$", "", text)
    address = re.sub(r"[\t\n\r]", "", trimmed)
    head, mark, tail = re.match(r"([^?#]*)([?#]?)(.*)", address, re.DOTALL).groups()  # type: ignore[union-attr] # matches all
    parts = urlsplit(urljoin(base, head.replace("\\", "/") + mark + tail))
    return f"{parts.scheme}://{parts.netloc}"


def as_python_reads(base: str, text: str) -> str:
    """Return the origin that Python's rules give."""
    parts = urlsplit(urljoin(base, text))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize("text", KEPT)
def test_S9_a_path_of_our_own_pages_is_kept(text: str) -> None:
    assert local_path(text) == text


@pytest.mark.parametrize("text", EVIL)
def test_S9_anything_else_becomes_the_first_page(text: str) -> None:
    assert local_path(text) == "/"


def test_S9_no_return_path_means_the_first_page() -> None:
    assert local_path(None) == "/"


# Mostly pieces that mean something to some reader of addresses, in any order.
_PIECES = st.sampled_from(
    [
        *"/\\.:@?#%;&=\t\n\r \x00\x7f",
        "//",
        "/\\",
        "..",
        "evil.example",
        "edit",
        "https:",
        "%2f",
        "%5c",
        "\u3002",
    ]
)
_TEXTS = st.one_of(
    st.lists(_PIECES, max_size=12).map("".join),
    st.lists(st.one_of(_PIECES, st.characters()), max_size=12).map(lambda pieces: "/" + "".join(pieces)),
    st.text(max_size=30).map(lambda text: "/" + text),
)


@given(_TEXTS)
@example("/:@evil.example")
def test_S9_whatever_is_accepted_stays_on_our_origin_for_every_reader(text: str) -> None:
    path_back = local_path(text)

    assert path_back == "/" or unquote(path_back) == unquote(text)
    assert as_python_reads(BASE, path_back) == ORIGIN
    assert as_browsers_read(BASE, path_back) == ORIGIN
    assert path_back.isascii()
    assert path_back.isprintable()
    assert " " not in path_back
    assert urlsplit(path_back).path.split("/")[1] not in {"auth", "api", "health", "metrics", "problem"}


def test_S9_the_written_out_rules_would_notice_an_escape() -> None:
    for text in ("/\\evil.example", "/\t/evil.example", " //evil.example", "\\\\evil.example"):
        assert as_browsers_read(BASE, text) == "http://evil.example"


async def test_S9_a_real_browser_stays_on_our_origin_for_every_path_that_is_kept(page: Page) -> None:
    origins = "([base, texts]) => texts.map(text => new URL(text, base).origin)"
    paths = [
        text for text in [*KEPT, *(text for text in EVIL if "\ud83d" not in text)] if local_path(text) == text
    ]
    assert paths == KEPT

    assert set(await page.evaluate(origins, [BASE, paths])) == {ORIGIN}
    assert await page.evaluate(origins, [BASE, ["/\\evil.example"]]) == ["http://evil.example"], (
        "it would notice"
    )


@pytest.mark.parametrize(
    "evil", ["//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"]
)
async def test_S9_sign_in_returns_to_the_first_page_instead_of_a_stranger(world: World, evil: str) -> None:
    ada = await world.front_end()

    assert await ada.sign_in(path=f"/auth/sign-in?return_to={quote(evil, safe='')}") == "/"


async def test_S9_step_up_and_a_refusal_return_to_our_own_pages_too(world: World) -> None:
    ada, stranger = await world.signed_in(), await world.front_end()
    evil = quote("//evil.example", safe="")

    assert await ada.step_up(f"/auth/step-up?action=profile.edit&return_to={evil}") == "/"
    page = await stranger.leave(f"/auth/sign-in?return_to={evil}")
    cancelled = await stranger.visitor.follow(page, "Cancel")
    where = urlsplit(await stranger.come_back(cancelled))
    assert (where.netloc, where.path) == ("", "/problem")
    assert "evil" not in where.query
