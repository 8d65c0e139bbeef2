"""Handshakes that open nothing: what the browser gets, and what the upstream never sees."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from gateway.app_keys import WEBSOCKETS
from tests.product.sockets import Chat, chatting
from tests.stage.patience import PATIENCE
from tests.stage.witnesses import commands, forget_commands
from tests.stage.world import World


@pytest.fixture
async def chat(make_world: Callable[..., Awaitable[World]], tmp_path: Path) -> AsyncIterator[Chat]:
    """Give a world with rows for WebSockets."""
    async with chatting(make_world, tmp_path) as chat:
        yield chat


async def test_an_upstream_that_asks_for_more_at_the_handshake_is_understood(chat: Chat) -> None:
    ada = await chat.world.confirmed()
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="c1"'
    chat.upstream.answers.append(web.Response(status=401, headers={"WWW-Authenticate": challenge}))

    refused = await chat.refused(ada, "/api/vault/echo")

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert refused.body["redirect"].startswith("/auth/step-up?challenge=")


async def test_a_token_that_is_not_taken_is_replaced_once(chat: Chat) -> None:
    ada = await chat.world.confirmed()
    invalid = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    chat.upstream.answers += [web.Response(status=401, headers=invalid) for _ in range(3)]

    refused = await chat.refused(ada, "/api/vault/echo")

    assert refused.status == 401
    first, second = (request.headers["Authorization"] for request in chat.upstream.seen)
    assert first != second
    assert refused.headers.get("www-authenticate") is None


async def test_other_refusals_pass_as_they_are(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    chat.upstream.answers += [
        web.json_response(
            {"error": "no such room"}, status=404, headers={"Set-Cookie": "x=1", "Server": "x"}
        ),
        web.Response(status=302, headers={"Location": "/echo/elsewhere"}),
        web.Response(status=200, text="no socket here"),
    ]

    missing, moved, plain = [await chat.refused(ada, "/api/chat/echo") for _ in range(3)]

    assert (missing.status, json.loads(missing.text)) == (404, {"error": "no such room"})
    assert "set-cookie" not in missing.headers
    assert (moved.status, moved.headers["location"]) == (302, "/api/chat/echo/elsewhere")
    assert (plain.status, plain.text) == (200, "no socket here")
    assert all(answer.headers["cache-control"] == "no-store" for answer in (missing, moved, plain))


async def test_an_upstream_that_fails_is_a_502_by_its_name(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    chat.upstream.answers.append(
        web.Response(status=101, headers={"Upgrade": "h2c", "Connection": "Upgrade"})
    )

    refused = await chat.refused(ada, "/api/chat/echo")

    assert (refused.status, refused.slug) == (502, "resource-unavailable")
    assert refused.body["upstream"] == "chat"
    assert "outcome" not in refused.body, "a handshake changes nothing"


async def test_S23_another_sites_page_opens_none_and_nothing_is_read_for_it(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    await forget_commands(chat.world.redis)
    foreign = [
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://evil.localhost"},
        {"Origin": chat.world.gateway_url, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "X-CSRF": "1"},
    ]

    for headers in foreign:
        refused = await chat.refused(ada, "/api/chat/echo", **headers)
        assert (refused.status, refused.slug) == (403, "cross-origin-refused"), headers

    assert await commands(chat.world.redis) == 0
    assert chat.upstream.seen == []


async def test_what_is_no_handshake_is_an_ordinary_request_of_the_row(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    h2c = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQAoAAA"}

    assert (await chat.refused(ada, "/api/chat/echo", **h2c)).status == 403
    chat.upstream.answers.append(web.Response(text="plain"))
    answer = await chat.refused(ada, "/api/chat/echo", **h2c, X_CSRF="1")

    assert (answer.status, answer.text) == (200, "plain")
    assert not {"Upgrade", "HTTP2-Settings"} & set(chat.upstream.seen[0].headers)


async def test_a_row_without_websockets_takes_no_handshake(chat: Chat) -> None:
    ada = await chat.world.signed_in()

    assert (await chat.refused(ada, "/api/plain/echo")).status == 403
    chat.upstream.answers.append(web.Response(text="plain"))
    assert (await chat.refused(ada, "/api/plain/echo", X_CSRF="1")).text == "plain"
    assert "Upgrade" not in chat.upstream.seen[0].headers


async def test_a_bad_handshake_or_path_is_told_before_the_upstream_is_asked(chat: Chat) -> None:
    ada = await chat.world.signed_in()

    for path, headers in [
        ("/api/chat/echo", {"Sec-WebSocket-Version": "12"}),
        ("/api/chat/echo", {"Content-Length": "3"}),
        ("/api/chat/%2e%2e/echo", {}),
    ]:
        refused = await chat.refused(ada, path, **headers)
        assert (refused.status, refused.slug) == (400, "bad-request"), (path, headers)
    assert chat.upstream.seen == []


async def test_who_is_signed_out_opens_none_but_where_the_row_is_for_everybody(chat: Chat) -> None:
    stranger = await chat.world.front_end()

    refused = await chat.refused(stranger, "/api/chat/echo")
    assert (refused.status, refused.slug) == (401, "sign-in-required")
    socket = await chat.open(stranger, "/api/news/echo")
    await socket.send_str("hello")
    assert await socket.receive_str() == "hello"
    await socket.close()


async def test_L12_a_browser_that_leaves_while_the_upstream_is_waited_for_leaves_nothing(chat: Chat) -> None:
    ada = await chat.world.signed_in()
    waiting = asyncio.create_task(chat.open(ada, "/api/chat/slow"))
    await chat.upstream.reached.wait()

    waiting.cancel()

    async with asyncio.timeout(PATIENCE):
        while chat.world.app[WEBSOCKETS].count():  # noqa: ASYNC110 - the product tells nobody
            await asyncio.sleep(0.01)
    chat.upstream.released.set()
