"""WebSockets to upstreams, from the browser's handshake to the end of the session, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.app_keys import METRICS, WEBSOCKETS
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.raw_handshake import handshake
from tests.stage.socket_upstream import SocketUpstream
from tests.stage.tenant import EDIT
from tests.stage.witnesses import SESSION, commands, forget_commands
from tests.stage.world import World, served

ROWS = """
[[upstream]]
name = "chat"
prefix = "/api/chat"
target = "{target}"
websocket = true

[[upstream]]
name = "vault"
prefix = "/api/vault"
target = "{target}"
websocket = true
scope = "{scope}"

[[upstream]]
name = "news"
prefix = "/api/news"
target = "{target}"
websocket = true
anonymous = true

[[upstream]]
name = "plain"
prefix = "/api/plain"
target = "{target}"
"""


@dataclass
class Chat:
    """A world with an upstream that has WebSockets."""

    world: World
    upstream: SocketUpstream

    async def open(
        self, person: OtherFrontEnd, path: str = "/api/chat/echo", **more: Any
    ) -> "aiohttp.ClientWebSocketResponse[bool]":
        """Open a socket as a page of ours does."""
        socket: aiohttp.ClientWebSocketResponse[bool] = await person.session.ws_connect(
            self.world.gateway_url + path, origin=self.world.gateway_url, autoclose=False, **more
        )
        return socket

    async def refused(self, person: OtherFrontEnd, path: str, **headers: str) -> Answer:
        """Send a handshake that opens nothing, and return the answer that no page could read."""
        cookie = [("Cookie", f"{SESSION}={person.cookie()}")] if person.cookie() else []
        named = {
            "Origin": self.world.gateway_url,
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        answer = await handshake(self.world.gateway_url, path, [*named.items(), *cookie])
        typed = {"Content-Type": answer.headers.get("content-type", ""), **answer.headers}
        return Answer(answer.status, typed, answer.after.decode())


@pytest.fixture
async def chat(make_world: Callable[..., Awaitable[World]], tmp_path: Path) -> AsyncIterator[Chat]:
    """Give a world with rows for WebSockets."""
    upstream, port = SocketUpstream(), free_port()
    rows = tmp_path / "upstreams.toml"
    rows.write_text(ROWS.format(target=f"http://127.0.0.1:{port}", scope=EDIT), encoding="utf-8")
    async with served(upstream.app(), port):
        yield Chat(await make_world(UPSTREAMS=str(rows)), upstream)


async def heard(socket: "aiohttp.ClientWebSocketResponse[bool]") -> tuple[int | None, str]:
    """Return the close that a browser hears."""
    message: Any = await asyncio.wait_for(socket.receive(), PATIENCE)
    assert message.type is aiohttp.WSMsgType.CLOSE, message
    await socket.close(code=message.data)
    return message.data, message.extra


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
