"""The proxy that other tests lean on, before a server that says everything back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.patience import PATIENCE


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, FaultProxy.before("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def said_back(proxy: FaultProxy, words: bytes = b"hello", *, within: float) -> bytes:
    """Say something and return what came back until the time is over or the connection is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    heard = b""
    try:
        async with asyncio.timeout(within):
            writer.write(words)
            while len(heard) < len(words) and (piece := await reader.read(100)):
                heard += piece
    except TimeoutError:
        heard += b"..."
    except OSError:
        heard += b"!"
    finally:
        writer.transport.abort()
    return heard


@pytest.mark.parametrize(
    "faults, heard",
    [
        (Faults(), {b"hello"}),
        (Faults(refuse=True), {b"", b"!"}),
        (Faults(silent=True), {b"..."}),
        (Faults(delay=0.05), {b"hello"}),
        (Faults(delay=300), {b"..."}),
        (Faults(cut_after=2), {b"he", b"he!", b"!"}),
        (Faults(swallow_after=2), {b"he..."}),
        (Faults(bytes_per_second=200), {b"hello"}),
        (Faults(bytes_per_second=1), {b"h...", b"he..."}),
    ],
    ids=lambda value: str(value) if isinstance(value, Faults) else None,
)
async def test_each_fault_does_what_it_says_and_can_be_healed(
    proxy: FaultProxy, faults: Faults, heard: set[bytes]
) -> None:
    proxy.faults = faults
    # Whoever is kept waiting listens for a moment; what has to come is waited for.
    waits = any(word.endswith(b"...") for word in heard)
    assert await said_back(proxy, within=1 if waits else PATIENCE) in heard

    proxy.heal()
    assert await said_back(proxy, within=PATIENCE) == b"hello"
    assert proxy.connections == 2


async def test_open_connections_can_be_cut(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"x")
    assert await reader.read(1) == b"x"
    assert proxy.open_connections == 1

    proxy.reset_all()

    with contextlib.suppress(ConnectionResetError):
        assert await reader.read(1) == b""
    writer.close()
