"""A front end that changes while it is served, one that is a volume of Kubernetes, and one larger than the memory."""

import asyncio
import datetime as dt
import logging
import ssl
from pathlib import Path

import aiohttp
import brotli
import pytest
from aiohttp import web

from devstack.https_certificate import load_or_make
from gateway.app import SPA, create_app
from gateway.edge.front_end_files import FrontEndFiles
from gateway.edge.held_file import LARGEST_HELD
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import PATIENT, gateway_settings, served
from tests.unit.gateway.edge.test_front_end_files import NAVIGATES, PAGE, get


async def test_what_is_changed_added_or_taken_away_meanwhile_counts_at_once(
    tmp_path: Path, valkey: str
) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for release in (first, second):
        release.mkdir()
        (release / "index.html").write_text(release.name, "utf-8")
    link = tmp_path / "current"
    link.symlink_to(first)
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey, FRONT_END=str(link)), redis_limits=PATIENT)

    async with served(app, port, "localhost"):
        assert (await get(port, "/deep"))[1] == b"1"
        (first / "new.js").write_text("new", "utf-8")
        assert (await get(port, "/new.js"))[1] == b"new"
        (first / "new.js").write_text("newer", "utf-8")
        assert (await get(port, "/new.js"))[1] == b"newer"
        (first / "new.js").unlink()
        assert (await get(port, "/new.js"))[0].status == 404
        (first / "404.html").write_text("not here", "utf-8")
        gone, page = await get(port, "/new.js", **NAVIGATES)
        assert (gone.status, page) == (404, b"not here")
        assert (await get(port, "/new.js", Sec_Fetch_Dest="script"))[
            0
        ].content_type == "application/problem+json"
        (tmp_path / "next").symlink_to(second)
        (tmp_path / "next").rename(link)
        assert (await get(port, "/deep"))[1] == b"2"
        (second / "index.html").unlink()
        assert (await get(port, "/deep", **NAVIGATES))[0].status == 404


async def test_what_was_asked_for_once_travels_in_brotlis_form_a_moment_later(
    tmp_path: Path, valkey: str
) -> None:
    (tmp_path / "index.html").write_text(PAGE * 50, "utf-8")
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey, FRONT_END=str(tmp_path)), redis_limits=PATIENT)

    async with served(app, port, "localhost"), asyncio.timeout(PATIENCE):
        while True:
            answer, body = await get(port, "/", Accept_Encoding="gzip, deflate, br, zstd")
            if answer.headers["Content-Encoding"] == "br":
                break

    assert (brotli.decompress(body).decode(), answer.headers["Cache-Control"]) == (PAGE * 50, "no-cache")


async def test_the_client_for_front_ends_is_there_unless_the_front_end_has_one_of_its_own(
    tmp_path: Path, valkey: str
) -> None:
    (tmp_path / "index.html").write_text("mine", "utf-8")
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey, FRONT_END=str(tmp_path)), redis_limits=PATIENT)

    async with served(app, port, "localhost"):
        answer, body = await get(port, "/client.js")
        (tmp_path / "client.js").write_text("own", "utf-8")
        _, own = await get(port, "/client.js")
    assert (answer.status, answer.content_type) == (200, "text/javascript")
    assert body == (SPA / "client.js").read_bytes()
    assert own == b"own"


async def test_a_volume_of_kubernetes_is_served_through_its_links(tmp_path: Path, valkey: str) -> None:
    (tmp_path / "..2026_11_27").mkdir()
    (tmp_path / "..2026_11_27" / "index.html").write_text("mounted", "utf-8")
    (tmp_path / "..data").symlink_to("..2026_11_27")
    (tmp_path / "index.html").symlink_to("..data/index.html")
    port = free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey, FRONT_END=str(tmp_path)), redis_limits=PATIENT)

    async with served(app, port, "localhost"):
        assert (await get(port, "/"))[1] == b"mounted"
        assert (await get(port, "/..data/index.html"))[0].status == 404


async def test_a_folder_that_is_larger_than_what_is_held_is_served_all_the_same(
    tmp_path: Path, valkey: str
) -> None:
    names = [f"part-{number}.js" for number in range(20)]
    (tmp_path / "index.html").write_text(PAGE, "utf-8")
    (tmp_path / "large.json").write_bytes(b"0" * (LARGEST_HELD + 1))
    for name in names:
        (tmp_path / name).write_text(f"'{name}'" * 100, "utf-8")
    files, port = FrontEndFiles(tmp_path, most_held=4_000), free_port()
    app = create_app(gateway_settings(REDIS_URL=valkey), redis_limits=PATIENT, spa=files)

    async with served(app, port, "localhost"):
        for name in names * 2:
            assert (await get(port, f"/{name}"))[1].decode() == f"'{name}'" * 100
        large, body = await get(port, "/large.json", Accept_Encoding="gzip")
        many = await asyncio.gather(*(get(port, "/part-0.js") for _ in range(20)))
    assert (large.status, len(body)) == (200, LARGEST_HELD + 1)
    assert {answer.status for answer, _ in many} == {200}
    assert files.held_bytes <= 4_000


async def test_who_leaves_in_the_middle_of_a_film_is_no_fault_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "index.html").write_text(PAGE, "utf-8")
    with (tmp_path / "film.mp4").open("wb") as film:
        film.truncate(30_000_000)
    pem = load_or_make(tmp_path / ".pem", dt.datetime.now(dt.UTC))
    settings = gateway_settings(REDIS_URL="redis://127.0.0.1:1/0", FRONT_END=str(tmp_path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    for tls in (None, context):
        port = free_port()
        runner = web.AppRunner(create_app(settings, redis_limits=PATIENT), shutdown_timeout=PATIENCE)
        await runner.setup()
        await web.TCPSite(runner, "localhost", port, ssl_context=tls).start()
        async with aiohttp.ClientSession() as session:
            url = f"http{'s' if tls else ''}://localhost:{port}/film.mp4"
            async with session.get(url, ssl=False) as answer:
                await answer.content.readany()
                answer.close()
        await runner.cleanup()  # once everybody is gone

    assert [line.message for line in caplog.records if line.levelno >= logging.ERROR] == []
