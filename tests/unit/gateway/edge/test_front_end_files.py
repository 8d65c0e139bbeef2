"""Another front end than ours: its files as they lie, its page where its router knows the address, and nothing else."""

import asyncio
import gzip
import os
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from gateway.app import create_app
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import PATIENT, gateway_settings, served

PAGE = "<!doctype html><title>Notes</title>"
SCRIPT = "export const words = 'M\u00e4rz';\n" * 50
VIDEO = bytes(range(256)) * 8
pytestmark = pytest.mark.asyncio(loop_scope="module")
NAVIGATES = {"Sec-Fetch-Dest": "document", "Accept": "text/html,*/*"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a front end of many kinds of files, and secrets in and beside it."""
    beside = tmp_path_factory.mktemp("beside")
    (beside / "secret.txt").write_text("secret", "utf-8")
    root = beside / "dist"
    for name in ("docs", "assets", ".git", ".well-known", "Kapitel \u00fc 100%", "empty"):
        (root / name).mkdir(parents=True)
    texts = {
        "index.html": PAGE,
        "docs/index.html": "docs",
        "docs/a b.html": "blank",
        "Kapitel \u00fc 100%/Pr\u00fcfung #1?.txt": "odd",
        "assets/app.js": SCRIPT,
        "assets/app.MJS": "1",
        "assets/data.xyz": "1",
        ".env": "secret",
        ".git/config": "secret",
        ".well-known/security.txt": "Contact: us",
        ".well-known/apple-app-site-association": "{}",
    }
    for name, text in texts.items():
        (root / name).write_text(text, "utf-8")
    (root / "assets/film.mp4").write_bytes(VIDEO)
    (root / "assets/logo.png").write_bytes(VIDEO)
    (root / "assets/outside.txt").symlink_to(beside / "secret.txt")
    (root / "assets/above").symlink_to(beside)
    (root / "assets/inside.js").symlink_to(root / "assets/app.js")
    (root / "assets/hidden.txt").symlink_to(root / ".env")
    (root / "assets/loop.txt").symlink_to(root / "assets/loop.txt")
    os.mkfifo(root / "assets/pipe.txt")
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(folder: Path) -> AsyncIterator[int]:
    """Serve the gateway with that front end; nothing here asks Redis."""
    port = free_port()
    settings = gateway_settings(REDIS_URL="redis://127.0.0.1:1/0", FRONT_END=str(folder))
    app = create_app(settings, redis_limits=PATIENT)
    async with served(app, port, "localhost"):
        yield port


async def get(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    """Ask as a browser would that shows its bytes as they came."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session,
        session.request(
            method, f"http://localhost:{port}{path}", headers=named, allow_redirects=False
        ) as response,
    ):
        return response, await response.read()


async def test_every_kind_of_file_has_its_type_and_an_unknown_one_is_bytes(port: int) -> None:
    types = {
        "/": "text/html; charset=utf-8",
        "/assets/app.js": "text/javascript; charset=utf-8",
        "/assets/app.MJS": "text/javascript; charset=utf-8",
        "/assets/film.mp4": "video/mp4",
        "/assets/logo.png": "image/png",
        "/assets/data.xyz": "application/octet-stream",
        "/.well-known/security.txt": "text/plain; charset=utf-8",
        "/.well-known/apple-app-site-association": "application/json; charset=utf-8",
    }

    for path, kind in types.items():
        answer, _ = await get(port, path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind), path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_gets_smaller_travels_packed_and_not_while_the_browser_has_it(port: int) -> None:
    packed, body = await get(port, "/assets/app.js", Accept_Encoding="gzip")
    linked, plain = await get(port, "/assets/inside.js")
    again, nothing = await get(port, "/assets/app.js", If_None_Match=packed.headers["ETag"])
    picture, _ = await get(port, "/assets/logo.png", Accept_Encoding="gzip")

    assert (packed.headers["Content-Encoding"], gzip.decompress(body).decode()) == ("gzip", SCRIPT)
    assert (plain.decode(), linked.headers["ETag"]) == (SCRIPT, packed.headers["ETag"])
    assert (again.status, nothing) == (304, b"")
    assert "Content-Encoding" not in picture.headers
    for answer in (packed, linked, picture):
        assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept-Encoding", "no-cache")


@pytest.mark.parametrize(
    "asked, status, piece",
    [
        ("bytes=0-1", 206, VIDEO[:2]),
        ("bytes=100-", 206, VIDEO[100:]),
        ("bytes=-5", 206, VIDEO[-5:]),
        ("bytes=9000-", 416, b""),
    ],
)
async def test_a_player_gets_the_piece_that_it_asks_for(
    port: int, asked: str, status: int, piece: bytes
) -> None:
    answer, body = await get(port, "/assets/film.mp4", Range=asked)

    assert (answer.status, body) == (status, piece)
    assert answer.headers["Content-Range"].endswith(f"/{len(VIDEO)}")
    text, part = await get(port, "/assets/app.js", Range="bytes=0-5")
    assert (text.status, part) == (206, b"export")


async def test_a_player_that_has_another_film_gets_the_whole_one(port: int) -> None:
    tag = (await get(port, "/assets/film.mp4"))[0].headers["ETag"]

    same, piece = await get(port, "/assets/film.mp4", Range="bytes=5-6", If_Range=tag)
    assert (same.status, piece) == (206, VIDEO[5:7])
    for headers in ({"If_Range": '"another"'}, {"If_Range": f"W/{tag}"}, {"Range": "bytes=0-1,5-6"}):
        whole, body = await get(port, "/assets/film.mp4", **{"Range": "bytes=5-6", **headers})
        assert (whole.status, body, whole.headers["ETag"]) == (200, VIDEO, tag), headers
        assert whole.headers["Content-Type"] == "video/mp4"


async def test_a_file_that_did_not_change_is_not_sent_again_from_the_disk_either(port: int) -> None:
    first, _ = await get(port, "/assets/film.mp4")
    again, body = await get(port, "/assets/film.mp4", If_None_Match=first.headers["ETag"])
    head, nothing = await get(port, "/assets/film.mp4", method="HEAD")

    assert (again.status, body) == (304, b"")
    assert (head.headers["Content-Length"], nothing) == (str(len(VIDEO)), b"")


@pytest.mark.parametrize(
    "name",
    [
        "docs/a b.html",
        "Kapitel \u00fc 100%/Pr\u00fcfung #1?.txt",
        "Kapitel u\u0308 100%/Pru\u0308fung #1?.txt",
    ],
)
async def test_a_name_with_blanks_accents_and_signs_is_found_however_its_accents_are_written(
    port: int, name: str
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(f"http://localhost:{port}/{quote(name)}", encoded=True)) as answer,
    ):
        assert (answer.status, await answer.text()) == (200, "blank" if "a b" in name else "odd")


async def test_a_folder_has_the_page_in_it_and_is_led_to_by_its_name(port: int) -> None:
    _, page = await get(port, "/docs/")
    led, _ = await get(port, "/docs?x=%20")
    _, named = await get(port, "/docs/index.html")

    assert page == named == b"docs"
    assert (led.status, led.headers["Location"]) == (302, "/docs/?x=%20")


@pytest.mark.parametrize(
    "path",
    ["/notes", "/notes/7", "/notes/7/", "/problem?type=x", "/edit", "/login", "/a%20b", "/%C3%BC", "/empty/"],
)
async def test_an_address_without_a_file_is_the_front_ends_own_router_to_answer(port: int, path: str) -> None:
    navigated, page = await get(port, path, **NAVIGATES)
    by_hand, same = await get(port, path)

    assert (navigated.status, page.decode()) == (200, PAGE)
    assert (by_hand.status, same) == (200, page)
    assert navigated.headers["Vary"] == "Accept-Encoding, Accept, Sec-Fetch-Dest"
    assert (await get(port, path, Sec_Fetch_Dest="empty"))[0].status == 404
    assert (await get(port, path, Accept="application/json"))[0].status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets/missing.css",
        "/notes/v1.2",
        "/api",
        "/api/nothing",
        "/auth/nothing",
        "/health",
        "/health/nothing",
        "/metrics",
        "/API/nothing",
        "/.well-known/nothing",
    ],
)
async def test_no_page_stands_for_a_file_that_is_missing_or_for_an_address_of_the_gateway(
    port: int, path: str
) -> None:
    for headers in (NAVIGATES, {}, {"Sec-Fetch-Dest": "script"}):
        answer, body = await get(port, path, **headers)
        assert (answer.status, answer.content_type) == (404, "application/problem+json"), (path, headers)
        assert PAGE.encode() not in body


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/assets//app.js",
        "/assets/app.js/",
        "/assets/app.js%00.png",
        "/assets/app.js%0a",
        "/ASSETS/APP.JS",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/assets/outside.txt",
        "/assets/above/secret.txt",
        "/assets/hidden.txt",
        "/assets/loop.txt",
        "/assets/pipe.txt",
        "/%ff",
        "/" + "a" * 300 + ".txt",
        "/./.env",
    ],
)
async def test_S50_no_address_leads_out_of_the_folder_or_to_what_is_hidden_in_it(
    port: int, path: str
) -> None:
    status, body = await asyncio.to_thread(_raw, port, path)

    assert status == 404, path
    assert b"secret" not in body
    assert b"application/problem+json" in body


def _raw(port: int, path: str) -> tuple[int, bytes]:
    """Navigate to a path that no client library would leave as it is."""
    with closing(socket.create_connection(("localhost", port), timeout=PATIENCE)) as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("POST", "/notes", "GET,HEAD"),
        ("GET", "/auth/sign-out", "POST"),
        ("DELETE", "/api/session", "GET,HEAD"),
    ],
)
async def test_S26_no_page_stands_for_another_method(port: int, method: str, path: str, allowed: str) -> None:
    answer, _ = await get(port, path, method=method, X_CSRF="1", **NAVIGATES)

    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


async def test_its_policy_lets_its_own_fonts_and_media_in_and_nobody_elses_scripts(port: int) -> None:
    answer, _ = await get(port, "/")

    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"font-src 'self'", "media-src 'self'", "manifest-src 'self'", "worker-src 'self'"} <= {*policy}
    assert {"default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} <= {
        *policy
    }
