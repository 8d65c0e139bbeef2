"""WebSockets to upstreams, from the browser's handshake to the end of the session, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from gateway.app_keys import METRICS
from tests.product.sockets import Chat, chatting, heard
from tests.stage.patience import PATIENCE
from tests.stage.trails import ReadTrail
from tests.stage.world import World


@pytest.fixture
async def chat(
    make_world: Callable[..., Awaitable[World]], tmp_path: Path, trail: ReadTrail
) -> AsyncIterator[Chat]:
    """Give a world with rows for WebSockets."""
    async with chatting(make_world, tmp_path, trail.trail) as chat:
        yield chat


async def test_a_page_talks_to_the_upstream_and_the_upstream_gets_what_a_request_has(chat: Chat) -> None:
    ada = await chat.world.signed_in()

    socket = await chat.open(ada, "/api/chat/echo/7?x=%20", protocols=("v1", "v2"))
    await socket.send_str("hello")

    assert await socket.receive_str() == "hello"
    assert socket.protocol == "v2"
    (seen,) = chat.upstream.seen
    assert seen.raw_path == "/echo/7?x=%20"
    assert seen.headers["client-request-id"]
    for name in ("Cookie", "Origin", "Authorization", "X-Forwarded-For", "Sec-WebSocket-Extensions"):
        assert name not in seen.headers
    metrics = chat.world.app[METRICS].drawn().decode()
    assert 'stepup_websockets{upstream="chat"} 1.0' in metrics
    await socket.close()


async def test_A6_a_socket_is_told_once_and_no_message_is(chat: Chat, trail: ReadTrail) -> None:
    ada = await chat.world.signed_in()
    trail.new()
    socket = await chat.open(ada, "/api/chat/echo/secret?word=1")
    await socket.send_str("secret")
    await socket.receive_str()
    await socket.close()

    (line,) = trail.new()
    assert (line["fact"], line["upstream"], line["method"]) == ("upstream-socket", "chat", "GET")
    assert "secret" not in str(line)


async def test_a_socket_has_the_token_of_its_row_once_its_person_has_confirmed(chat: Chat) -> None:
    ada = await chat.world.signed_in()

    refused = await chat.refused(ada, "/api/vault/echo")
    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert refused.body["upstream"] == "vault"
    assert chat.upstream.seen == [], "the authority refused the token"

    await ada.step_up(refused.body["redirect"] + "&return_to=/")
    socket = await chat.open(ada, "/api/vault/echo")
    assert chat.upstream.seen[0].headers["Authorization"].startswith("Bearer ey")
    await socket.close()


async def test_S18_signing_out_in_another_tab_ends_the_sockets_of_all_tabs(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    sockets = [await chat.open(ada) for _ in range(2)]

    assert (await ada.call("POST", "/auth/sign-out")).status == 200

    assert [await heard(socket) for socket in sockets] == [(3000, "signed-out")] * 2
    assert [await chat.upstream.end() for _ in range(2)] == [(1001, "")] * 2


async def test_S18_a_session_that_is_ended_elsewhere_or_by_the_authority_ends_its_sockets(chat: Chat) -> None:
    ada, elsewhere = await chat.world.signed_in(), await chat.world.signed_in()
    socket = await chat.open(ada)
    assert (await elsewhere.call("DELETE", "/api/sessions")).status == 200
    assert await heard(socket) == (3000, "ended-elsewhere")

    socket = await chat.open(elsewhere)
    await chat.world.admin("POST", "/people/ada@example.com/sign-out")
    code, _ = await heard(socket)
    assert code == 3000


async def test_a_socket_goes_on_over_a_step_up_and_ends_with_the_session_that_it_became(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    socket = await chat.open(ada)
    before = ada.cookie()
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    assert ada.cookie() != before

    await socket.send_str("on it goes")
    assert await socket.receive_str() == "on it goes"
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert await heard(socket) == (3000, "signed-out")


async def test_a_gateway_that_stops_tells_browsers_to_come_again(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    socket = await chat.open(ada)

    stopping = asyncio.ensure_future(chat.world.stop())

    assert await heard(socket) == (1012, "")
    assert await chat.upstream.end() == (1001, "")
    await asyncio.wait_for(stopping, PATIENCE)
