r"""Where a flow may return to (S9).

The oracles are three readers of addresses that disagree: Python's, the browsers' rules written out, and a real
browser. What the gateway accepts must stay on its origin for all of them.
"""

import json
import re
from itertools import product
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from playwright.async_api import Page

from gateway.flows.flow_record import local_path
from tests.stage.world import World
from tests.unit.spa.files import SPA

BASE = "http://localhost:3000/auth/callback"
ORIGIN = "http://localhost:3000"

# Shared with the client's own rule: tests/unit/spa/addresses.test.mjs.
ADDRESSES = json.loads((Path(__file__).parents[1] / "stage/return_addresses.json").read_text("utf-8"))
KEPT = [*ADDRESSES["kept"], "/" + "e" * 511]
TOO_LONG = ["/" + "\u00e9" * 86, "/" + "e" * 512, "/" + "e" * 10_000, "/edit?" + "q" * 10_000]
EVIL = [*(text for kind in ADDRESSES["refused"].values() for text in kind), *TOO_LONG]


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


# Everything that a parser minds, in every order, as long as it takes to hide two slashes behind dots.
_SHORT = [
    "".join(pieces) for n in range(1, 6) for pieces in product(["/", "\\", ".", "%2e", "\t", ";e"], repeat=n)
]
_READ_BY_THE_CLIENT = """async ([source, client, origin, texts]) => {
    const inline = (text) => `data:text/javascript,${encodeURIComponent(text)}`;
    const {localPath} = await import(inline(source.replace("'./client.js'", JSON.stringify(inline(client)))));
    const twice = (path) => [path, new URL(path, origin).href.slice(origin.length)].map((one) => new URL(one, origin));
    return texts.map((text) => [text, localPath(text, origin)])
        .filter(([, path]) => twice(path).some((url) => url.origin !== origin || url.href !== origin + path))
}"""


async def test_A8_S9_the_client_follows_no_path_that_a_real_browser_reads_otherwise_the_second_time(
    page: Page,
) -> None:
    source, client = ((SPA / name).read_text("utf-8") for name in ("addresses.js", "client.js"))
    texts = [*(text for text in [*KEPT, *EVIL] if "\ud83d" not in text), *_SHORT]

    assert await page.evaluate(_READ_BY_THE_CLIENT, [source, client, ORIGIN, texts]) == []

    lenient = "export const localPath = (path, origin) => new URL(path, origin).pathname;"
    assert await page.evaluate(_READ_BY_THE_CLIENT, [lenient, client, ORIGIN, ["/.//e"]]) == [
        ["/.//e", "//e"]
    ], "it would notice"


def test_A8_S9_the_gateway_keeps_nothing_in_which_dots_could_hide_a_second_slash() -> None:
    assert [text for text in _SHORT if re.search(r"/[/.]", unquote(local_path(text)))] == []


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
