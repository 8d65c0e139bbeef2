"""How much of what one client sends is read before others have their turn, on the product's loop and on asyncio's."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from typing import cast

import pytest
import uvloop
from aiohttp import web

from servicekit.few_a_turn import FewATurn
from servicekit.http.current_app import CurrentApp
from servicekit.http.limited_handler import MOST_AT_ONCE, LimitedHandler
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.http.site import GET, HALF, sites, until

LOOPS = pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class Noted(LimitedHandler):
    """A connection that tells how much it read in which turn of the loop."""

    turn = 0
    read_in: Counter[int]

    def _read(self, data: bytes) -> None:
        self.read_in[self.turn] += len(data)
        super()._read(data)


async def read_of(sent: bytes) -> tuple[bytes, Counter[int]]:
    """Send to a server that reads all of it; return its answer, and what it read in each turn."""
    loop, read_in = asyncio.get_running_loop(), Counter[int]()

    async def answer(request: web.BaseRequest) -> web.Response:
        body = await request.read()
        return web.Response(text=f"{len(body)} of {set(body)}")

    manager = web.Server(CurrentApp(answer))  # type: ignore[arg-type]
    Noted.turn, Noted.read_in = 0, read_in

    def turn() -> None:
        Noted.turn += 1
        loop.call_soon(turn)

    server = await loop.create_server(lambda: Noted(manager, loop=loop), "127.0.0.1", 0)
    turn()
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    async with asyncio.timeout(PATIENCE):
        writer.write(sent)
        said = (await reader.read()).rpartition(b"\r\n")[2]
    writer.close()
    server.close()
    await manager.shutdown()
    return said, read_in


@LOOPS
def test_S50_S52_a_little_is_read_of_one_client_in_a_turn_however_much_has_come(
    loop_factory: LoopFactory,
) -> None:
    chunks = b"1\r\nx\r\n" * 150_000

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        said, read_in = runner.run(read_of(HEAD + chunks + b"0\r\n\r\n"))

    assert said == b"150000 of {120}"
    assert max(read_in.values()) <= MOST_AT_ONCE
    assert sum(read_in.values()) == len(HEAD) + len(chunks) + len(b"0\r\n\r\n")


@LOOPS
def test_what_comes_in_large_pieces_is_read_to_the_byte_and_in_order(loop_factory: LoopFactory) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate((1, 16_383, 16_384, 16_385, 300_000, 7))]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        said, _ = runner.run(read_of(HEAD + body + b"0\r\n\r\n"))

    assert said == f"{sum(map(len, pieces))} of {set(itertools.chain(*pieces))}".encode()


@LOOPS
def test_what_was_not_read_yet_is_dropped_with_its_connection(loop_factory: LoopFactory) -> None:
    async def lose() -> Counter[int]:
        loop, read_in = asyncio.get_running_loop(), Counter[int]()

        async def answer(request: web.BaseRequest) -> web.Response:
            return web.Response(body=await request.read())

        manager = web.Server(CurrentApp(answer))  # type: ignore[arg-type]
        Noted.turn, Noted.read_in = 0, read_in
        server = await loop.create_server(lambda: Noted(manager, loop=loop), "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(PATIENCE):
            await until(lambda: bool(manager.connections))
            (handler,) = manager.connections
            handler.data_received(HEAD + b"1\r\nx\r\n" * 50_000)
            cast("Noted", handler).abandon()
            await until(lambda: not manager.connections)
        writer.close()
        server.close()
        await manager.shutdown()
        return read_in

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert 0 < sum(runner.run(lose()).values()) < 100_000


@LOOPS
def test_L12_half_a_head_that_comes_with_its_connection_has_its_time(loop_factory: LoopFactory) -> None:
    async def trickle() -> bytes:
        async with sites() as serve:
            server = await serve(most=4, head_seconds=0.1)
            client = await server.client()
            client.writer.write(HALF)
            return await asyncio.wait_for(client.reader.read(), PATIENCE)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(trickle()).split()[1] == b"408"


@LOOPS
def test_S49_what_is_read_in_a_later_turn_is_judged_as_well(loop_factory: LoopFactory) -> None:
    body = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + bytes(40_000)

    async def ask() -> bytes:
        async with sites() as serve:
            client = await (await serve(most=4)).client()
            assert " 200 " in await client.answer(body + b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            return await asyncio.wait_for(client.reader.read(), PATIENCE)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(ask()).split()[1] == b"400"


@LOOPS
def test_L6_the_first_requests_of_a_crowd_are_read_a_few_a_turn_and_who_was_here_before_waits_for_none_of_them(
    loop_factory: LoopFactory,
) -> None:
    crowd, most = 40, 3
    read_in, heard = Counter[int](), list[str]()

    class Reading(Noted):
        def _read(self, data: bytes) -> None:
            if self._request_count == 0:
                read_in[Noted.turn] += 1
            heard.append("before" if self._request_count else "crowd")
            super()._read(data)

    async def come() -> list[bytes]:
        loop = asyncio.get_running_loop()

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(text="here")

        manager, line = web.Server(CurrentApp(answer)), FewATurn(most)  # type: ignore[arg-type]
        Noted.turn, Noted.read_in = 0, Counter()

        def turn() -> None:
            Noted.turn += 1
            loop.call_soon(turn)

        def handler() -> Reading:
            made = Reading(manager, loop=loop)
            made.newcomers = line
            return made

        server = await loop.create_server(handler, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        async with asyncio.timeout(PATIENCE):
            before_reader, before = await asyncio.open_connection(*address)
            before.write(GET)
            await before_reader.readuntil(b"here")
            heard.clear()
            clients = [await asyncio.open_connection(*address) for _ in range(crowd)]
            await until(lambda: len(manager.connections) == crowd + 1)
            turn()
            # All that is in the line lies there before the loop turns once: no network decides who comes when.
            handlers = [one for one in cast("list[Reading]", manager.connections) if not one._request_count]
            for one in handlers:
                one.data_received(GET)
            (here,) = {*cast("list[Reading]", manager.connections)} - {*handlers}
            here.data_received(GET)
            answers = [await reader.readuntil(b"here") for reader, _ in clients]
            await before_reader.readuntil(b"here")
        for writer in (before, *(writer for _, writer in clients)):
            writer.close()
        server.close()
        await manager.shutdown()
        return answers

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        answers = runner.run(come())

    assert len(answers) == crowd
    assert sum(read_in.values()) == crowd + 1
    assert max(read_in.values()) <= most
    assert heard[: most + 1] == ["crowd"] * most + ["before"], heard


@LOOPS
def test_what_waits_to_be_read_is_no_silence_and_is_dropped_with_its_connection(
    loop_factory: LoopFactory,
) -> None:
    async def lose() -> tuple[bool, bool, int]:
        loop, later = asyncio.get_running_loop(), list[Callable[[], None]]()

        class Full(FewATurn):
            def begin(self, work: Callable[[], None]) -> bool:
                later.append(work)
                return False

        async def answer(_: web.BaseRequest) -> web.Response:
            return web.Response(text="here")

        manager = web.Server(CurrentApp(answer))  # type: ignore[arg-type]
        Noted.turn, Noted.read_in = 0, Counter()

        def handler() -> Noted:
            made = Noted(manager, loop=loop)
            made.newcomers, made.network = Full(1), "here"
            return made

        server = await loop.create_server(handler, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(PATIENCE):
            writer.write(GET)
            await until(lambda: bool(later))
            (waiting,) = cast("list[Noted]", manager.connections)
            is_unused, is_timed = waiting.is_unused, waiting._late_head is not None
            waiting.abandon()
            await until(lambda: not manager.connections)
            later[0]()
        writer.close()
        server.close()
        await manager.shutdown()
        return is_unused, is_timed, sum(Noted.read_in.values())

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(lose()) == (False, False, 0)
