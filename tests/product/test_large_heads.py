"""What browsers drag along: cookies of siblings and of other ports, and addresses without end."""

from urllib.parse import quote

import pytest

from servicekit.http.request_heads import LARGEST_HEAD, LONGEST_TARGET
from tests.stage.raw_http import RawAnswer, ask_raw
from tests.stage.witnesses import SESSION
from tests.stage.world import World

PAGE = ("Accept", "text/html,application/xhtml+xml")
CSRF = ("X-CSRF", "1")
SECURED = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


def siblings(size: int, *, ours: str = "") -> list[tuple[str, str]]:
    """Return the fields of a browser that has cookies of `size` bytes beside ours."""
    each = [f"c{number}={'x' * 1_000}" for number in range(size // 1_000)]
    return [("Cookie", "; ".join([*each, *([ours] if ours else [])]))]


def is_plain_page(answer: RawAnswer, status: int) -> bool:
    """Tell whether an answer is a page that stands by itself, protected like every other."""
    assert all(name in answer.headers for name in SECURED), answer.headers
    assert b"<script" not in answer.body
    assert b"style" not in answer.body
    kind = answer.headers["content-type"]
    return (answer.status, kind) == (status, "text/html; charset=utf-8") and b"<h1>" in answer.body


async def test_X8_cookies_of_siblings_keep_nobody_out(world: World) -> None:
    ada = await world.signed_in()

    for size in (9_000, 15_000):
        fields = siblings(size, ours=f"{SESSION}={ada.cookie()}")
        answer = await ask_raw(world.gateway_url, "GET", "/api/session", [CSRF, *fields])
        assert (answer.status, b'"authenticated": true' in answer.body) == (200, True)
        assert (await ask_raw(world.gateway_url, "GET", "/", [PAGE, *fields])).status == 200


async def test_X8_cookies_in_a_field_each_are_counted_together(world: World) -> None:
    few, many = ([("Cookie", f"c{n}=" + "x" * 40) for n in range(count)] for count in (200, 400))

    assert (await ask_raw(world.gateway_url, "GET", "/api/session", [CSRF, *few])).status == 200
    assert (await ask_raw(world.gateway_url, "GET", "/api/session", [CSRF, *many])).status == 431


@pytest.mark.parametrize("size", [LARGEST_HEAD + 1_000, 20_000, 40_000, 60_000])
async def test_X8_a_person_with_too_many_cookies_reads_what_to_do(world: World, size: int) -> None:
    fields = siblings(size)
    host = world.gateway_url.removeprefix("http://").encode()

    for path in ("/", "/edit", "/no-such-page", "/auth/sign-in?return_to=/edit"):
        answer = await ask_raw(world.gateway_url, "GET", path, [PAGE, *fields])
        assert is_plain_page(answer, 431), path
        assert b"Delete the cookies of " + host in answer.body
    german = await ask_raw(
        world.gateway_url, "GET", "/", [PAGE, ("Accept-Language", "de-AT,de;q=0.9"), *fields]
    )
    assert b'<html lang="de">' in german.body
    assert "Löschen Sie die Cookies von".encode() in german.body


async def test_X8_a_person_who_comes_back_with_too_many_cookies_reads_what_to_do(world: World) -> None:
    fields = [
        *siblings(20_000),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Length", "0"),
    ]

    assert is_plain_page(await ask_raw(world.gateway_url, "POST", "/auth/callback", fields), 431)


@pytest.mark.parametrize("size", [LARGEST_HEAD + 1_000, 40_000, 60_000])
async def test_X8_a_program_with_too_large_a_head_gets_a_problem(world: World, size: int) -> None:
    for url, path in ((world.gateway_url, "/api/profile"), (world.api_url, "/profile")):
        fields = siblings(max(size, 33_000) if url == world.api_url else size)
        answer = await ask_raw(url, "GET" if path.startswith("/api") else "PATCH", path, [CSRF, *fields])
        assert answer.status == 431
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert b"/problems/request-header-fields-too-large" in answer.body


async def test_X8_what_is_too_much_even_to_be_read_is_told_all_the_same(world: World) -> None:
    answer = await ask_raw(world.gateway_url, "GET", "/", [PAGE, ("Cookie", "a=" + "x" * 4 * LARGEST_HEAD)])

    assert (answer.status, b"/problems/request-header-fields-too-large" in answer.body) == (431, True)


@pytest.mark.parametrize("length", [LONGEST_TARGET + 1, 30_000])
async def test_X8_an_address_without_end_is_told_apart(world: World, length: int) -> None:
    path = "/auth/sign-in?return_to=" + quote("/" + "e" * length)

    assert is_plain_page(await ask_raw(world.gateway_url, "GET", path, [PAGE]), 414)
    assert is_plain_page(await ask_raw(world.gateway_url, "GET", path, []), 414), "a route for navigation"
    for url in (world.gateway_url, world.api_url):
        answer = await ask_raw(url, "GET", "/api/session?" + "x" * length, [CSRF])
        assert (answer.status, b"/problems/uri-too-long" in answer.body) == (414, True)


async def test_X8_an_address_longer_than_anything_read_is_told_apart_too(world: World) -> None:
    answer = await ask_raw(world.gateway_url, "GET", "/api/session?" + "x" * 50_000, [CSRF])

    assert (answer.status, b"/problems/uri-too-long" in answer.body) == (414, True)


async def test_X8_a_long_return_path_that_fits_is_no_fault(world: World) -> None:
    path = "/auth/sign-in?return_to=/" + "e" * 7_000

    answer = await ask_raw(world.gateway_url, "GET", path, [PAGE])

    assert (answer.status, answer.headers["location"].startswith(world.tenant_url)) == (303, True)
