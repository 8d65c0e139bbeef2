"""Connections to other servers that end just as they are used again: a write never goes by one that may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from servicekit.authority_transport import AuthorityTransport
from servicekit.outbound import REUSE_SECONDS, Outbound, OutboundError, outbound
from tests.stage.http_wire import HttpWire
from tests.stage.trust import ONE_CERTIFICATE

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class ClosesWhenUsedAgain:
    """A server whose connections take one request; a second meets their end, as it does by chance elsewhere."""

    def __init__(self) -> None:
        self.connections = 0
        self.answered: list[str] = []
        self.lost: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.answered.append((await HttpWire().request(reader)).method)
            writer.write(OK)
            await writer.drain()
            self.lost.append((await HttpWire().request(reader)).method)
        except asyncio.IncompleteReadError:
            pass  # the other side went first
        finally:
            writer.close()


@asynccontextmanager
async def served(server: ClosesWhenUsedAgain) -> AsyncIterator[str]:
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@pytest.fixture
async def network() -> AsyncIterator[Outbound]:
    async with outbound(ca_bundle=ONE_CERTIFICATE) as network:
        yield network


async def test_X4_a_write_does_not_go_by_the_connection_of_a_read(network: Outbound) -> None:
    server = ClosesWhenUsedAgain()
    async with served(server) as url:
        await network.send("GET", url)

        assert (await network.send("PATCH", url, json_body={})).status == 200

    assert (server.answered, server.lost) == (["GET", "PATCH"], [])


async def test_X4_a_write_does_not_go_by_a_connection_that_was_idle_for_a_second(network: Outbound) -> None:
    server = ClosesWhenUsedAgain()
    async with served(server) as url:
        await network.send("PATCH", url, json_body={})
        with pytest.raises(OutboundError, match="cut"):
            await network.send("PATCH", url, json_body={})
        await network.send("PATCH", url, json_body={})
        # What the rule is about: there is no event in a second that passes.
        await asyncio.sleep(1.2)

        assert (await network.send("PATCH", url, json_body={})).status == 200

    assert server.lost == ["PATCH"], "this server would lose it at once"


async def test_X4_a_read_that_meets_the_end_is_sent_again(network: Outbound) -> None:
    server = ClosesWhenUsedAgain()
    async with served(server) as url:
        answers = [(await network.send("GET", url)).status for _ in range(3)]

    assert answers == [200, 200, 200]
    assert server.lost


async def test_X4_a_code_is_not_redeemed_by_a_connection_that_was_idle_for_long() -> None:
    server = ClosesWhenUsedAgain()
    now = [0.0]
    transport = AuthorityTransport(now=lambda: now[0])
    async with served(server) as url:
        await asyncio.to_thread(transport.post, url, data={"grant_type": "refresh_token"})
        now[0] += REUSE_SECONDS + 1

        answer = await asyncio.to_thread(transport.post, url, data={"grant_type": "authorization_code"})

    assert (answer.status_code, server.connections, server.lost) == (200, 2, [])
    transport.close()
