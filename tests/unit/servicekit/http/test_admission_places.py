"""Who holds a place, and until when (L1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest
from aiohttp import web

from servicekit.http.admission import Admission
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.crowd import MOST, Service, Told, asking


async def test_L1_whoever_left_the_line_is_not_worked_for(
    service: Service, client: aiohttp.ClientSession
) -> None:
    within = [asking(client, service) for _ in range(MOST)]
    await service.told.comes_to(in_work=MOST)
    gone = asking(client, service)
    await service.told.comes_to(in_work=MOST, waiting=1)
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    await asyncio.sleep(0)
    service.go_on.set()

    assert await asyncio.gather(*within) == [200] * MOST
    await service.told.comes_to(in_work=0)
    assert service.begun == MOST
    assert service.told.refused == 0, "nobody was told anything"


async def test_L1_whoever_leaves_while_worked_for_gives_the_place_back_at_the_end(
    service: Service, client: aiohttp.ClientSession
) -> None:
    within = [asking(client, service) for _ in range(MOST)]
    await service.told.comes_to(in_work=MOST)
    for one in within:
        one.cancel()
    await asyncio.wait(within)
    service.go_on.set()

    await service.told.comes_to(in_work=0)
    assert await asking(client, service) == 200


async def test_L1_who_sends_slowly_holds_no_place_meanwhile(
    service: Service, client: aiohttp.ClientSession
) -> None:
    rest = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        await rest.wait()
        yield b"b"

    async def send() -> str:
        async with client.post(f"{service.url}/read", data=body()) as answer:
            return await answer.text()

    slow = [asyncio.create_task(send()) for _ in range(3 * MOST)]
    for _ in slow:
        await service.reading.acquire()
    others = [asking(client, service) for _ in range(MOST)]
    await service.told.comes_to(in_work=MOST)
    rest.set()
    await service.told.comes_to(in_work=MOST, waiting=3 * MOST)
    service.go_on.set()

    assert await asyncio.gather(*slow) == ["2"] * 3 * MOST, "they had a place once, and are not refused"
    assert await asyncio.gather(*others) == [200] * MOST
    assert service.told.most_in_work == MOST
    await service.told.comes_to(in_work=0)


async def test_L1_who_reads_slowly_holds_no_place(service: Service) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    readers = []
    for _ in range(2 * MOST):
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(f"GET /large HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200"), "all of them, though none reads on"
        readers.append(writer)

    await service.told.comes_to(in_work=0)
    for writer in readers:
        writer.transport.abort()


async def test_L1_a_stream_gives_its_place_back_once_it_has_begun(
    service: Service, client: aiohttp.ClientSession
) -> None:
    streams = []
    for _ in range(2 * MOST):
        stream = await client.get(f"{service.url}/listen")
        assert await stream.content.readexactly(5) == b"begun"
        streams.append(stream)

    await service.told.comes_to(in_work=0)
    service.go_on.set()
    for stream in streams:
        await stream.read()
    await service.told.comes_to(in_work=0)


async def test_L1_requests_that_are_sent_together_by_one_connection_take_one_place(service: Service) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /work HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 3 * MOST)
    await service.told.comes_to(in_work=1)
    service.go_on.set()

    for _ in range(3 * MOST):
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await reader.readuntil(b"done")
    assert service.told.most_in_work == 1
    writer.close()


@pytest.mark.parametrize("granted", [False, True], ids=["before its turn", "in the moment of its turn"])
async def test_L1_whoever_is_cancelled_in_the_line_takes_no_place_along(*, granted: bool) -> None:
    told = Told()
    places = Admission("work", 1, wait=PATIENCE, counts=told)
    ended = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.Response:
        await places.take(request)
        waiting = asyncio.create_task(places.take(request))
        await told.comes_to(in_work=1, waiting=1)
        if granted:
            places.free()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        if not granted:
            assert told.waiting == 0
            places.free()
        ended.set()
        return web.Response()

    server = await asyncio.get_running_loop().create_server(web.Server(handle), "127.0.0.1", 0)
    async with (
        server,
        aiohttp.ClientSession() as client,
        client.get("http://{}:{}/".format(*server.sockets[0].getsockname())) as answer,
    ):
        assert answer.status == 200
    assert ended.is_set()
    assert (told.in_work, told.waiting) == (0, 0)
