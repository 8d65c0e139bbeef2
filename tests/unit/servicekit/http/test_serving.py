"""Listening, serving and ending, in one process."""

import socket
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web

from servicekit.http.listening import cannot_listen, listening_socket
from servicekit.http.serving import serving


async def answer(_request: web.Request) -> web.Response:
    return web.Response(text="here")


def runner_of(ended: list[str], name: str) -> web.AppRunner:
    """Return a runner of an application that notes its end."""

    async def note(_app: web.Application) -> None:
        ended.append(name)

    app = web.Application()
    app.router.add_get("/", answer)
    app.on_cleanup.append(note)
    return web.AppRunner(app, access_log=None)


async def text_at(port: int) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as response:
        return await response.text()


@pytest.fixture
def listeners() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give two listening sockets, as a process makes them before it has a loop."""
    with listening_socket("127.0.0.1", 0) as first, listening_socket("127.0.0.1", 0) as second:
        yield first, second


async def test_every_site_is_served_while_the_block_runs_and_the_first_ends_last(
    listeners: tuple[socket.socket, socket.socket],
) -> None:
    ended: list[str] = []
    first, second = listeners
    ports = [listener.getsockname()[1] for listener in (first, second)]

    async with serving((runner_of(ended, "first"), first), (runner_of(ended, "second"), second)):
        assert [await text_at(port) for port in ports] == ["here", "here"]
        assert ended == []

    assert ended == ["second", "first"]
    for port in ports:
        with pytest.raises(aiohttp.ClientConnectorError):
            await text_at(port)


async def test_what_started_ends_where_the_next_cannot_start(
    listeners: tuple[socket.socket, socket.socket],
) -> None:
    ended: list[str] = []

    async def fail(_app: web.Application) -> None:
        raise RuntimeError("cannot start")

    broken = web.Application()
    broken.on_startup.append(fail)
    sites = zip((runner_of(ended, "first"), web.AppRunner(broken)), listeners, strict=True)
    with pytest.raises(RuntimeError, match="cannot start"):
        async with serving(*sites):
            pytest.fail("nothing is served")

    assert ended == ["first"]


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its kind is the system's, its sentence is judged below
            listening_socket("127.0.0.1", port)

    assert cannot_listen("gateway", "127.0.0.1", port, caught.value) == (
        f"The gateway cannot listen on 127.0.0.1:{port}: Address already in use."
    )


def test_a_name_that_nobody_has_is_told_in_one_sentence() -> None:
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the same
        listening_socket("nobody.invalid", 3000)

    sentence = cannot_listen("resource API", "nobody.invalid", 3000, caught.value)
    assert sentence.startswith("The resource API cannot listen on nobody.invalid:3000: ")
    assert "None" not in sentence


@pytest.mark.parametrize("host, family", [("127.0.0.1", socket.AF_INET), ("localhost", socket.AF_INET)])
def test_a_name_is_listened_to_by_ipv4(host: str, family: socket.AddressFamily) -> None:
    with listening_socket(host, 0) as listener:
        assert listener.family == family


@pytest.mark.skipif(not socket.has_ipv6, reason="this computer has no IPv6")
def test_an_address_of_ipv6_is_listened_to() -> None:
    with listening_socket("::1", 0) as listener:
        assert listener.getsockname()[0] == "::1"
