"""The client's files: the ones that were there at start, in the form that the browser takes, and nothing else."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.edge.spa_files import PAGES
from tests.unit.gateway.edge.small_client import SCRIPT, build_at, get, make_client, page_of, raw, serving


@pytest.fixture
def spa(tmp_path: Path) -> Path:
    """Give a client of five files, and one beside it that is nobody's."""
    return make_client(tmp_path)


@pytest.fixture
async def port(spa: Path, valkey: str) -> AsyncIterator[int]:
    """Serve the gateway with that client."""
    async with serving(spa, valkey) as port:
        yield port


@pytest.mark.parametrize("takes", ["gzip", "br, GZIP;q=0.5", "deflate,gzip ;q=1.0"])
async def test_a_file_travels_compressed_where_the_browser_takes_it(port: int, takes: str) -> None:
    response, body = await get(port, "/app.js", Accept_Encoding=takes)

    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).decode() == SCRIPT
    assert len(body) < len(SCRIPT) / 4
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("takes", ["", "identity", "zstd", "gzip;q=0", "deflate, gzip; q=0.0", "gzipped"])
async def test_it_travels_as_it_is_where_the_browser_does_not(port: int, takes: str) -> None:
    response, body = await get(port, "/app.js", Accept_Encoding=takes)

    assert "Content-Encoding" not in response.headers
    assert body.decode() == SCRIPT
    assert response.headers["Vary"] == "Accept-Encoding", "a cache between us must know"


async def test_both_forms_are_one_content_and_not_sent_twice(port: int) -> None:
    plain, _ = await get(port, "/app.js")
    packed, _ = await get(port, "/app.js", Accept_Encoding="gzip")

    assert plain.headers["ETag"] == packed.headers["ETag"]
    for tags in (plain.headers["ETag"], f'"x", {plain.headers["ETag"]}', "*"):
        again, body = await get(port, "/app.js", Accept_Encoding="gzip", If_None_Match=tags)
        assert (again.status, body) == (304, b""), tags
        assert again.headers["ETag"] == plain.headers["ETag"]
    other, body = await get(port, "/app.js", If_None_Match='"x"')
    assert (other.status, body.decode()) == (200, SCRIPT)


async def test_a_file_that_a_developer_changes_is_sent_anew(port: int, spa: Path) -> None:
    before, _ = await get(port, "/css/app.css")
    (spa / "css" / "app.css").write_text("main {}", encoding="utf-8")
    os.utime(spa / "css" / "app.css", ns=(1, 1))  # whatever the clock of the file system can tell apart

    after, body = await get(port, "/css/app.css", If_None_Match=before.headers["ETag"])

    assert (after.status, body) == (200, b"main {}")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_the_client(port: int, path: str) -> None:
    response, body = await get(port, path)

    assert (response.status, body.decode()) == (200, page_of(await build_at(port)))
    assert (response.content_type, response.headers["Cache-Control"]) == ("text/html", "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.js",
        "/css/../../secret.js",
        "/css/..%2f..%2fsecret.js",
        "/%2e%2e/secret.js",
        "/..\\secret.js",
        "//secret.js",
        "/css//app.css",
        "/css/",
        "/css",
        "/notes.bak",
        "/app.js/",
        "/app.js%00.css",
        "/APP.JS",
    ],
)
async def test_S50_no_address_leads_to_what_is_no_file_of_the_client(port: int, path: str) -> None:
    status, body = await asyncio.to_thread(raw, port, path)

    assert status == 404, path
    assert b"secret" not in body
    assert b"application/problem+json" in body


async def test_an_unknown_address_is_a_page_to_a_person_and_a_problem_to_a_program(port: int) -> None:
    person, page = await get(port, "/nowhere", Accept="text/html,*/*")
    program, problem = await get(port, "/nowhere", Accept="application/json")

    assert (person.status, page.decode()) == (404, page_of(await build_at(port)))
    assert (program.status, program.content_type) == (404, "application/problem+json")
    assert b"not-found" in problem
