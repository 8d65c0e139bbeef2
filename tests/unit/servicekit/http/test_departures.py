"""Callers who leave, and answers that are broken off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from servicekit.http.departures import CallerLeft, Ended, Ending, break_off, until, while_caller_stays
from servicekit.http.quiet_server import QuietRunner
from tests.stage.patience import PATIENCE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def asked(handler: Handler, request: bytes = GET) -> AsyncIterator[asyncio.StreamReader]:
    """Serve with `handler`, ask it, and leave at the end of the block."""
    app = web.Application()
    app.router.add_route("*", "/", handler)
    runner = QuietRunner(app, service="gateway", drain_seconds=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
        writer.write(request)
        yield reader
        writer.close()
        await asyncio.sleep(0)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("request_bytes", [GET, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"])
async def test_a_caller_who_leaves_ends_what_neither_reads_nor_writes(request_bytes: bytes) -> None:
    waits, left = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            with while_caller_stays(request):
                waits.set()
                await asyncio.sleep(PATIENCE)
        except CallerLeft:
            left.set()
        return web.Response()

    async with asked(handler, request_bytes):
        await asyncio.wait_for(waits.wait(), PATIENCE)
        assert not left.is_set()

    await asyncio.wait_for(left.wait(), PATIENCE)


async def test_a_caller_who_stays_changes_nothing_and_time_outs_of_the_block_are_its_own() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        with contextlib.suppress(TimeoutError), while_caller_stays(request):
            async with asyncio.timeout(0):
                await asyncio.sleep(PATIENCE)
        with while_caller_stays(request):
            return web.Response(text="here")

    async with asked(handler) as reader:
        assert (await asyncio.wait_for(reader.readuntil(b"here"), PATIENCE)).startswith(b"HTTP/1.1 200")


async def test_what_is_over_is_not_begun_and_the_inner_ending_is_not_the_caller_s() -> None:
    over = Ending()
    over.tell()
    with pytest.raises(Ended), until(over):
        raise AssertionError

    ending = Ending()

    async def end() -> None:
        with until(Ending()), until(ending):
            ending.tell()
            await asyncio.sleep(PATIENCE)

    with pytest.raises(Ended) as caught:
        await end()
    assert caught.value.ending is ending


async def test_a_cancellation_by_somebody_else_stays_one_and_leaves_nothing_behind() -> None:
    ending, begun = Ending(), asyncio.Event()

    async def waits() -> None:
        with until(ending):
            begun.set()
            await asyncio.Event().wait()

    for also_over in (False, True):
        begun.clear()
        task = asyncio.create_task(waits())
        await begun.wait()
        task.cancel()
        if also_over:
            ending.tell()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not ending.listeners


async def test_a_block_that_is_through_before_it_is_left_is_not_left_and_its_task_goes_on() -> None:
    ending = Ending()
    with until(ending):
        ending.tell()
        ending.tell()
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_block_that_fails_while_it_is_left_fails_as_it_did() -> None:
    ending = Ending()
    with pytest.raises(ZeroDivisionError), until(ending):  # noqa: PT012 - raised while the block is cancelled
        ending.tell()
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0, "the next block of the task is not left by this one"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_an_answer_that_is_broken_off_is_a_reset(version: bytes) -> None:
    read = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        await read.wait()
        break_off(request)
        break_off(request)
        return response

    async with asked(handler, GET.replace(b"1.1", version)) as reader:
        await asyncio.wait_for(reader.readuntil(b"half"), PATIENCE)
        read.set()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), PATIENCE)
