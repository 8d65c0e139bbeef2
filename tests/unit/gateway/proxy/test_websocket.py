"""WebSockets: who has one, how many, and when one ends."""

import asyncio
import contextlib
from contextlib import AsyncExitStack

import aiohttp
import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.proxy.websocket import SocketPlaces
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.vault import Successor, Vault
from servicekit.socket_call import SocketLimits
from tests.stage.patience import PATIENCE
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.socket_stage import Stage, stage, told
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW, ada, begun

KIB = 1024


async def test_S18_a_session_that_ends_ends_its_sockets_and_no_others(
    chat: Stage, sessions: SessionStore
) -> None:
    ended, other = await begun(sessions), await begun(sessions, oid="grace", sub="grace")
    sockets = [await chat.open("/echo", ended) for _ in range(2)]
    stays = await chat.open("/echo", other)

    await sessions.end(ended, "signed-out")

    assert [await told(socket) for socket in sockets] == [(3000, "signed-out")] * 2
    assert [await chat.upstream.end() for _ in range(2)] == [(1001, "")] * 2
    await stays.send_str("still here")
    assert await stays.receive_str() == "still here"
    assert chat.counts.open == {"chat": 1}


async def test_a_session_that_nobody_uses_ends_its_sockets_whatever_is_said_on_them(
    chat: Stage, sessions: SessionStore, clock: MovableClock
) -> None:
    socket = await chat.open("/echo", await begun(sessions))
    for step in range(1, 4):
        clock.now = NOW + IDLE * step / 4
        await socket.send_str("busy")
        assert await socket.receive_str() == "busy"

    clock.now = NOW + IDLE
    assert await told(socket) == (3000, "expired")


async def test_a_session_that_is_used_all_the_time_ends_its_sockets_at_its_last_moment(
    chat: Stage, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    socket = await chat.open("/echo", session)
    step = IDLE / 8  # a look that is under way meanwhile takes less than eight of them
    while clock.now + step < NOW + ABSOLUTE:
        clock.now += step
        await sessions.slide(session)
    await socket.send_str("busy")
    assert await socket.receive_str() == "busy"

    clock.now = NOW + ABSOLUTE
    assert await told(socket) == (3000, "expired")


async def test_a_step_up_gives_the_session_another_id_and_the_socket_goes_on(
    chat: Stage, sessions: SessionStore
) -> None:
    before = await begun(sessions)
    socket = await chat.open("/echo", before)
    ids = [before]
    for _ in range(2):
        cookie = SessionCookie.new(family=ids[-1].ref.family)
        fresh = await sessions.start(ada(), {}, cookie=cookie, successor=Successor(ids[-1].ref, b"0"))
        assert fresh
        ids.append(fresh)
        await socket.send_str("on it goes")
        assert await socket.receive_str() == "on it goes"

    await sessions.end(ids[-1], "ended-elsewhere")

    assert await told(socket) == (3000, "ended-elsewhere")


async def test_a_redis_that_is_away_ends_no_socket_and_is_asked_again(
    chat: Stage, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions)
    socket = await chat.open("/echo", session)
    away = way_to_redis.cut(lambda _: True, times=None)
    await away.reached(5)
    await socket.send_str("still here")
    assert await socket.receive_str() == "still here"

    way_to_redis.heal()
    ended = asyncio.Event()
    async with asyncio.timeout(PATIENCE):
        while not ended.is_set():  # it failed a moment ago, so it is left alone for another one
            with contextlib.suppress(SessionStoreUnavailable):
                await sessions.end(session, "signed-out")
                ended.set()
            await asyncio.sleep(0.05)
    assert await told(socket) == (3000, "signed-out")


async def test_the_end_of_the_process_ends_every_socket_and_tells_browsers_to_come_again(
    chat: Stage, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    socket = await chat.open("/echo", session)

    chat.sockets.stop()

    assert await told(socket) == (1012, "")
    assert await chat.upstream.end() == (1001, "")
    assert await told(await chat.open("/echo", session)) == (1012, ""), "one that comes late as well"


async def test_a_side_that_answers_nothing_is_given_up(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    limits = SocketLimits(heartbeat=0.2, close=0.2)
    async with stage(vault, sessions, clock, limits=limits) as chat:
        dead = await chat.open("/echo", await begun(sessions), autoping=False)
        assert await chat.upstream.end() == (1001, "")
        await chat.none_left()
        await dead.close()


async def test_an_upstream_that_never_ends_its_half_holds_nothing_up(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    async with stage(vault, sessions, clock, limits=SocketLimits(close=0.2)) as chat:
        socket = await chat.open("/flood", await begun(sessions))
        await socket.close(code=1000)
        await chat.none_left()


async def test_A8_so_many_sockets_has_a_session_a_person_and_a_process(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    places = SocketPlaces(of_session=2, of_person=3, of_process=4)
    async with stage(vault, sessions, clock, places=places) as chat, AsyncExitStack() as people:
        first, second, grace = (
            await begun(sessions),
            await begun(sessions),
            await begun(sessions, oid="grace", sub="grace"),
        )

        async def opened(session: LiveSession) -> int:
            try:
                socket = await chat.open("/echo", session)
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status
            people.push_async_callback(socket.close)
            return 101

        assert [await opened(one) for one in (first, first, first)] == [101, 101, 429]
        assert [await opened(one) for one in (second, second)] == [101, 429]
        assert [await opened(one) for one in (grace, grace)] == [101, 429]

        await people.aclose()
        await chat.none_left()
        assert await opened(first) == 101, "places are given back"
        assert chat.counts.open == {"chat": 1}


async def test_who_has_no_session_opens_none_unless_the_row_is_for_everybody(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    async with stage(vault, sessions, clock) as chat:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await chat.open("/echo")
        assert refused.value.status == 401
        assert chat.upstream.seen == []
    async with stage(vault, sessions, clock, anonymous=True, places=SocketPlaces(of_person=1)) as chat:
        socket = await chat.open("/echo")
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await chat.open("/echo")
        assert refused.value.status == 429
        await socket.close()
