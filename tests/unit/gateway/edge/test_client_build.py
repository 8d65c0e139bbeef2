"""The client's files below their build: kept for good by browsers, and never anything else under that name."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import brotli
import pytest

from tests.stage.patience import PATIENCE
from tests.unit.gateway.edge.small_client import PAGE, SCRIPT, build_at, get, make_client, raw, serving

KEPT_FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def spa(tmp_path: Path) -> Path:
    """Give a client of five files, and one beside it that is nobody's."""
    return make_client(tmp_path)


@pytest.fixture
async def port(spa: Path, valkey: str) -> AsyncIterator[int]:
    """Serve the gateway with that client."""
    async with serving(spa, valkey) as port:
        yield port


async def test_a_file_of_the_build_is_kept_for_good_and_says_so_in_every_form(port: int) -> None:
    build = await build_at(port)

    for path, kind in (("app.js", "text/javascript"), ("css/app.css", "text/css")):
        for headers in ({}, {"Accept_Encoding": "gzip"}, {"Accept_Encoding": "br"}):
            answer, _ = await get(port, f"/assets/{build}/{path}", **headers)
            assert (answer.status, answer.content_type) == (200, kind)
            assert answer.headers["Cache-Control"] == KEPT_FOR_GOOD
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    again, body = await get(port, f"/assets/{build}/app.js", If_None_Match="*")
    assert (again.status, body, again.headers["Cache-Control"]) == (304, b"", KEPT_FOR_GOOD)
    head, body = await get(port, f"/assets/{build}/app.js", "HEAD")
    assert (head.headers["Content-Length"], body) == (str(len(SCRIPT.encode())), b"")


async def test_the_address_without_a_build_is_answered_and_asked_again(port: int) -> None:
    build = await build_at(port)

    assert (await get(port, "/index.html"))[1].decode() == PAGE, "as it lies, with these addresses"
    for path in ("app.js", "css/app.css"):
        plain, body = await get(port, f"/{path}")
        of_build, same = await get(port, f"/assets/{build}/{path}")
        assert (plain.headers["Cache-Control"], body) == ("no-cache", same)
        assert plain.headers["ETag"] == of_build.headers["ETag"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets",
        "/assets/",
        "/assets/BUILD",
        "/assets/BUILD/",
        "/assets/BUILD/gone.js",
        "/assets/BUILD/index.html",
        "/assets/BUILD/notes.bak",
        "/assets/BUILD/../app.js",
        "/assets/BUILD/../BUILD/app.js",
        "/assets/BUILD/./app.js",
        "/assets/BUILD/css/../app.js",
        "/assets/BUILD/css/..%2fapp.js",
        "/assets/BUILD/%2e%2e/secret.js",
        "/assets/BUILD/..%5csecret.js",
        "/assets/BUILD/../../secret.js",
        "/assets/BUILD//app.js",
        "/assets//BUILD/app.js",
        "//assets/BUILD/app.js",
        "/assets/BUILD/app.js/",
        "/assets/BUILD/app%2ejs",
        "/assets/BUILD/%61pp.js",
        "/assets/BUILD/APP.JS",
        "/ASSETS/BUILD/app.js",
        "/Assets/BUILD/app.js",
        "/assets/%62UILD/app.js",
        "/assets/BUILD/app.js%00",
        "/assets/BUILD/app.js;x=1",
        "/assets/BUILD/assets/BUILD/app.js",
        "/assets/BUILD0/app.js",
        "/assets/current/app.js",
        "/assets/-/not-loaded.js",
    ],
)
async def test_S50_no_address_below_a_build_leads_to_what_is_no_file_of_it(port: int, path: str) -> None:
    build = await build_at(port)

    status, answer = await asyncio.to_thread(raw, port, path.replace("BUILD", build))

    assert (status, b"secret" in answer) == (404, False)
    assert b"no-store" in answer
    assert b"immutable" not in answer


@pytest.mark.parametrize("build", ["0" * 32, "f" * 32, "A" * 32, "0" * 31, "0" * 33, "latest", "%30" * 32])
async def test_an_unknown_build_has_no_files_here_and_nothing_of_it_is_kept(port: int, build: str) -> None:
    for path in ("app.js", "css/app.css", "gone.js"):
        answer, body = await get(port, f"/assets/{build}/{path}")
        assert (answer.status, answer.headers["Cache-Control"]) == (404, "no-store"), path
        assert SCRIPT.encode() not in body


async def test_a_page_of_an_unknown_build_gets_what_loads_it_again_and_keeps_that_for_nobody(
    port: int,
) -> None:
    answer, body = await get(port, f"/assets/{'0' * 32}/not-loaded.js")

    assert (answer.status, body) == (200, b"again()")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_change_is_another_build_and_pages_of_the_one_before_get_what_they_were_made_with(
    port: int, spa: Path
) -> None:
    before = await build_at(port)
    (spa / "app.js").write_text("changed", encoding="utf-8")
    (spa / "new.js").write_text("new", encoding="utf-8")

    after = await build_at(port)

    assert before != after
    for build, of_app, of_new in ((before, SCRIPT, 404), (after, "changed", 200)):
        answer, body = await get(port, f"/assets/{build}/app.js")
        assert (answer.headers["Cache-Control"], body.decode()) == (KEPT_FOR_GOOD, of_app)
        assert (await get(port, f"/assets/{build}/new.js"))[0].status == of_new
    (spa / "new.js").unlink()
    (spa / "app.js").write_text(SCRIPT, encoding="utf-8")
    assert await build_at(port) == before, "the same contents are the same build"


async def test_a_build_is_known_by_whoever_serves_the_same_files(spa: Path, port: int, valkey: str) -> None:
    (spa / "app.js").write_text("changed by a deployment", encoding="utf-8")
    async with serving(spa, valkey) as other:
        build = await build_at(other)

        answer, body = await get(port, f"/assets/{build}/app.js")

    assert (answer.status, body) == (200, b"changed by a deployment")


async def test_files_that_vanish_while_they_are_exchanged_leave_the_last_whole_build(
    port: int, spa: Path
) -> None:
    build = await build_at(port)
    (spa / "index.html").rename(spa / "index.old")

    assert await build_at(port) == build
    (spa / "index.old").rename(spa / "index.html")
    (spa / "app.js").write_text("changed", encoding="utf-8")
    assert await build_at(port) != build


async def test_no_more_builds_are_held_than_a_developer_needs(port: int, spa: Path) -> None:
    builds = []
    for number in range(10):
        (spa / "app.js").write_text(f"change {number}", encoding="utf-8")
        builds.append(await build_at(port))

    known = [(await get(port, f"/assets/{build}/app.js"))[0].status for build in builds]

    assert known == [404, 404] + [200] * 8


async def test_once_the_page_was_asked_for_everything_is_compressed_better(port: int) -> None:
    build = await build_at(port)

    async def coding() -> str | None:
        return (await get(port, f"/assets/{build}/app.js", Accept_Encoding="gzip, deflate, br, zstd"))[
            0
        ].headers.get("Content-Encoding")

    async with asyncio.timeout(PATIENCE):
        while await coding() != "br":
            continue
    _, body = await get(port, f"/assets/{build}/app.js", Accept_Encoding="br")
    assert brotli.decompress(body).decode() == SCRIPT
