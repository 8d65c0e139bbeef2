"""The connections of MSAL's transport: which of them are used again, whom they trust, and what goes by them (S36)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from servicekit.authority_transport import AuthorityTransport
from servicekit.errors import AuthorityUnavailable
from servicekit.outbound import outbound
from tests.stage.certificates import Flaw, server_context
from tests.unit.servicekit.asked_server import URL, asked_server
from tests.unit.servicekit.asked_server import AskedServer as Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with asked_server() as server:
        yield server


async def test_requests_that_follow_each_other_go_by_one_connection(server: Server) -> None:
    for _ in range(3):
        await server.post()

    assert len(set(server.ports)) == 1


async def test_R14_after_an_answer_that_is_not_read_to_its_end_there_is_another_connection(
    server: Server,
) -> None:
    server.body = b" " * 3_000_000
    with pytest.raises(AuthorityUnavailable, match="too-large"):
        await server.post()
    server.body = b'{"a":1}'

    assert (await server.post()).status_code == 200
    assert len(set(server.ports)) == 2


async def test_many_that_come_at_once_after_a_pause_close_no_connection_of_another(server: Server) -> None:
    server.transport = AuthorityTransport(server.network, reuse_seconds=0)

    async def burst() -> list[int]:
        return [answer.status_code for answer in await asyncio.gather(*(server.post() for _ in range(20)))]

    for _ in range(2):
        assert await burst() == [200] * 20
    assert len(set(server.ports)) == 40


async def test_S36_a_form_leaves_out_what_has_no_value_and_keeps_the_rest(server: Server) -> None:
    data = {"client_info": 1, "scope": "a b+c/é", "assertion": b"x.y-z_", "claims": None, "secret": "&=%"}

    await asyncio.to_thread(server.transport.post, URL, data=data)

    form = "client_info=1&scope=a+b%2Bc%2F%C3%A9&assertion=x.y-z_&secret=%26%3D%25"
    assert server.bodies == [form.encode()]
    assert server.seen[0]["content-type"] == "application/x-www-form-urlencoded"


async def test_S36_whom_nobody_vouches_for_is_told_nothing(server: Server, tmp_path: Path) -> None:
    context, bundle = server_context(tmp_path, Flaw())
    app = web.Application()
    app.router.add_post("/token", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        async with outbound() as network, outbound(None, bundle) as trusting:
            of_the_machine, of_the_bundle = AuthorityTransport(network), AuthorityTransport(trusting)
            with pytest.raises(AuthorityUnavailable, match="certificate refused"):
                await asyncio.to_thread(of_the_machine.post, url, data={"code": "secret"})
            assert server.bodies == []
            answers = [await asyncio.to_thread(of_the_bundle.post, url, data={"n": n}) for n in range(2)]
    finally:
        await runner.cleanup()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert server.bodies == [b"n=0", b"n=1"]
    assert len(set(server.ports)) == 1
