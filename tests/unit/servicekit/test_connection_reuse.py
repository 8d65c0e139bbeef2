"""Connections to other servers that end just as they are used again: a write never goes by one that may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from servicekit.authority_transport import AuthorityTransport
from servicekit.outbound import Outbound, outbound
from servicekit.outbound_error import OutboundError
from tests.stage.http_wire import HttpWire
from tests.stage.patience import PATIENCE
from tests.stage.raw_upstream import Asked, ok, raw_upstream, saying
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


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_X4_what_another_write_may_overtake_is_not_sent_twice(network: Outbound, method: str) -> None:
    server = ClosesWhenUsedAgain()
    async with served(server) as url:
        await network.send(method, url, json_body={})
        with pytest.raises(OutboundError, match="cut"):
            await network.send(method, url, json_body={})

    assert (server.answered, server.lost) == ([method], [method])


SECOND = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("unasked", [SECOND, SECOND + SECOND, SECOND[:-2], b"HTTP/1.1 200 OK\r\nContent-Le"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_S46_what_a_server_says_unasked_is_nobody_s_answer(
    network: Outbound, method: str, unasked: bytes
) -> None:
    async def answer(asked: Asked) -> None:
        number = asked.first_line.split("/")[1].split()[0]
        await asked.say(ok(number.encode()))
        if number == "1":
            await asked.say(unasked)
            said.set()

    said = asyncio.Event()
    async with raw_upstream(answer) as upstream, raw_upstream(saying(ok())) as another:
        answers = [(await network.send(method, f"{upstream.url}/1")).body]
        await asyncio.wait_for(said.wait(), PATIENCE)
        await network.send("GET", another.url)  # by then what was said has arrived
        for number in ("2", "3"):
            try:
                answers.append((await network.send(method, f"{upstream.url}/{number}")).body)
            except OutboundError as error:
                answers.append(error.reason.encode())

    assert answers[0] == b"1"
    assert answers[1] in {b"2", b"not-http", b"cut"}
    assert answers[2] == b"3"


async def test_X4_a_code_is_not_redeemed_by_a_connection_that_was_idle_for_long(network: Outbound) -> None:
    server = ClosesWhenUsedAgain()
    transport = AuthorityTransport(network, reuse_seconds=0)
    async with served(server) as url:
        await asyncio.to_thread(transport.post, url, data={"grant_type": "refresh_token"})

        answer = await asyncio.to_thread(transport.post, url, data={"grant_type": "authorization_code"})

    assert (answer.status_code, server.connections, server.lost) == (200, 2, [])
    transport.close()
