"""A page's WebSocket to an upstream, in a real browser."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page

from devstack.stack import Stack, running_stack
from tests.real.journeys.person import Person
from tests.stage.browser import PageFaults
from tests.stage.ports import free_port, free_ports
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.world import served

_ROW: Final = (
    '[[upstream]]\nname = "chat"\nprefix = "/api/chat"\ntarget = "http://127.0.0.1:{}"\nwebsocket = true\n'
)
_OPEN: Final = """([url, sent]) => new Promise((resolve) => {
  const socket = new WebSocket(url, ['v1', 'v2']);
  window.ended = new Promise((end) => {
    socket.onclose = ({ code, reason, wasClean }) => end([code, reason, wasClean]);
  });
  window.ended.then(() => resolve(['closed']));
  socket.onopen = () => socket.send(sent);
  socket.onmessage = ({ data }) => resolve([socket.protocol, socket.extensions, data]);
})"""


@pytest.fixture(scope="module")
def upstream_port() -> int:
    """Say where the upstream listens."""
    return free_port()


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory, upstream_port: int) -> Iterator[Stack]:
    """The product with an upstream that has WebSockets; `stack` is this one here."""
    folder = tmp_path_factory.mktemp("sockets")
    rows = folder / "upstreams.toml"
    rows.write_text(_ROW.format(upstream_port), encoding="utf-8")
    with running_stack(folder, ports=free_ports(), env_overrides={"GATEWAY_UPSTREAMS": str(rows)}) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def upstream(upstream_port: int) -> AsyncIterator[SocketUpstream]:
    """Give the upstream."""
    upstream = SocketUpstream()
    async with served(upstream.app(), upstream_port):
        yield upstream


def address(stack: Stack, path: str = "/echo") -> str:
    """Return where a page opens its socket."""
    return f"{stack.gateway_url.replace('http', 'ws', 1)}/api/chat{path}"


async def opened(page: Page, url: str, sent: str = "hello") -> list[Any]:
    """Open a socket in the page; return what came first."""
    came: list[Any] = await page.evaluate(_OPEN, [url, sent])
    return came


async def test_a_page_talks_and_hears_that_another_tab_signed_out(
    page: Page, stack: Stack, upstream: SocketUpstream
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    assert await opened(page, address(stack)) == ["v2", "", "hello"]

    other = Person(await page.context.new_page(), stack)
    await other.opens()
    await other.sees("profile")
    await other.signs_out()

    assert await page.evaluate("window.ended") == [3000, "signed-out", True]
    assert await upstream.end() == (1001, "")


async def test_a_page_hears_why_a_socket_ended(page: Page, stack: Stack, upstream: SocketUpstream) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()
    heard = {}
    for path in ("/close?code=4001&reason=bye", "/close?code=1014", "/vanish"):
        await opened(page, address(stack, path))
        heard[path] = await page.evaluate("window.ended")
    await opened(page, address(stack), "x" * 3_000_000)

    assert list(heard.values()) == [[4001, "bye", True], [1011, "", True], [1011, "", True]]
    code, *_ = await page.evaluate("window.ended")
    assert code == 1009, "also while it still sends"
    assert len(upstream.seen) == 4


async def test_S23_a_page_of_another_site_or_port_opens_none(
    page: Page, stack: Stack, upstream: SocketUpstream, upstream_port: int, page_faults: PageFaults
) -> None:
    page_faults.expect("WebSocket connection to .* failed")
    ada = Person(page, stack)
    await ada.has_signed_in()
    for host in ("127.0.0.1", "localhost"):
        foreign = await page.context.new_page()
        blank = "<title>x</title><link rel=icon href=data:,>"
        upstream.answers.append(web.Response(text=blank, content_type="text/html"))
        await foreign.goto(f"http://{host}:{upstream_port}/")

        assert await opened(foreign, address(stack)) == ["closed"], "its cookie is sent from another port"
        assert await foreign.evaluate("window.ended") == [1006, "", False]
    assert len(upstream.seen) == 2
