"""The client's files: the ones that were there at start, in the form that the browser takes, and nothing else."""

import asyncio
import gzip
import os
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from gateway.app import create_app
from gateway.edge.spa_files import PAGES
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import PATIENT, gateway_settings, served

SCRIPT = "export const words = 'M\u00e4rz';\n" * 50
PAGE = "<!doctype html><title>Stepup</title>"


@pytest.fixture
def spa(tmp_path: Path) -> Path:
    """Give a client of four files, and one beside it that is nobody's."""
    (tmp_path / "secret.js").write_text("secret", encoding="utf-8")
    root = tmp_path / "spa"
    (root / "css").mkdir(parents=True)
    (root / "index.html").write_text(PAGE, encoding="utf-8")
    (root / "app.js").write_text(SCRIPT, encoding="utf-8")
    (root / "css" / "app.css").write_text("body {}", encoding="utf-8")
    (root / "notes.bak").write_text("secret", encoding="utf-8")
    return root


@pytest.fixture
async def port(spa: Path, valkey: str) -> AsyncIterator[int]:
    """Serve the gateway with that client."""
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey), spa=spa, redis_limits=PATIENT)
    async with served(app, port, "localhost"):
        yield port


async def get(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    """Ask as a browser would that shows its bytes as they came."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as session,
        session.request(method, f"http://localhost:{port}{path}", headers=named) as response,
    ):
        return response, await response.read()


@pytest.mark.parametrize("takes", ["gzip", "br, GZIP;q=0.5", "deflate,gzip ;q=1.0"])
async def test_a_file_travels_compressed_where_the_browser_takes_it(port: int, takes: str) -> None:
    response, body = await get(port, "/app.js", Accept_Encoding=takes)

    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body).decode() == SCRIPT
    assert len(body) < len(SCRIPT) / 4
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("takes", ["", "identity", "br", "gzip;q=0", "deflate, gzip; q=0.0", "gzipped"])
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

    assert (response.status, body.decode()) == (200, PAGE)
    assert response.content_type == "text/html"


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
    status, body = await asyncio.to_thread(_raw, port, path)

    assert status == 404, path
    assert b"secret" not in body
    assert b"application/problem+json" in body


def _raw(port: int, path: str) -> tuple[int, bytes]:
    """Ask for a path that no client library would leave as it is."""
    with closing(socket.create_connection(("localhost", port), timeout=PATIENCE)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


async def test_an_unknown_address_is_a_page_to_a_person_and_a_problem_to_a_program(port: int) -> None:
    person, page = await get(port, "/nowhere", Accept="text/html,*/*")
    program, problem = await get(port, "/nowhere", Accept="application/json")

    assert (person.status, page.decode()) == (404, PAGE)
    assert (program.status, program.content_type) == (404, "application/problem+json")
    assert b"not-found" in problem
