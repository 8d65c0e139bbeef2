"""Messages of WebSockets both ways, and what each side is told at the end."""

import asyncio

import pytest

from gateway.session.sessions import SessionStore
from gateway.store.vault import Vault
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.socket_stage import Stage, stage, told
from tests.unit.gateway.store_of_tests import begun

KIB = 1024


async def test_text_and_binary_go_both_ways_as_they_are(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions))

    for text in ("", "hello", "Grüße 🎵\0", "x" * 100_000):
        await socket.send_str(text)
        assert await socket.receive_str() == text
    for data in (b"", b"\xff\0", bytes(range(256)) * 400):
        await socket.send_bytes(data)
        assert await socket.receive_bytes() == data


async def test_a_message_in_fragments_arrives_whole(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions))
    writer = socket._writer
    transport = writer.transport
    mask = b"\0\0\0\0"
    transport.write(b"\x01\x83" + mask + b"abc")
    transport.write(b"\x00\x83" + mask + b"def")
    transport.write(b"\x89\x80" + mask)  # a ping between
    transport.write(b"\x80\x83" + mask + b"ghi")

    assert await socket.receive_str() == "abcdefghi"


async def test_the_upstream_chooses_the_subprotocol_and_nobody_else(
    chat: Stage, sessions: SessionStore
) -> None:
    session = await begun(sessions)

    chosen = await chat.open("/echo", session, protocols=("v1", "v2", "v3"))
    none = await chat.open("/echo", session, protocols=("v1", "v3"))
    unasked = await chat.open("/echo", session)

    assert [socket.protocol for socket in (chosen, none, unasked)] == ["v2", None, None]
    assert [request.headers.get("Sec-WebSocket-Protocol") for request in chat.upstream.seen] == [
        "v1,v2,v3",
        "v1,v3",
        None,
    ]


async def test_extensions_are_offered_to_nobody(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions), compress=15)

    assert not socket.compress
    assert "Sec-WebSocket-Extensions" not in chat.upstream.seen[0].headers
    await socket.send_str("x" * KIB)
    assert await socket.receive_str() == "x" * KIB


@pytest.mark.parametrize("code, reason", [(1000, "done"), (1001, ""), (1008, "no"), (4711, "Grüße")])
async def test_how_the_browser_closes_the_upstream_hears(
    chat: Stage, sessions: SessionStore, code: int, reason: str
) -> None:
    socket = await chat.open("/echo", await begun(sessions))

    await socket.close(code=code, message=reason.encode())

    assert await chat.upstream.end() == (code, reason)
    assert socket.close_code == code, "the same code is said back"
    await chat.none_left()


@pytest.mark.parametrize(
    "code, heard",
    [
        *((code, code) for code in (1000, 1001, 1002, 1011, 1012, 1013, 3000, 4999)),
        # Never sent, unknown to browsers, or outside of all ranges.
        *((code, 1011) for code in (1006, 1010, 1014, 5000, 65535)),
    ],
)
async def test_how_the_upstream_closes_the_browser_hears(
    chat: Stage, sessions: SessionStore, code: int, heard: int
) -> None:
    socket = await chat.open(f"/close?code={code}&reason=why", await begun(sessions))

    assert await told(socket) == (heard, "why")
    await chat.none_left()


async def test_a_browser_that_vanishes_is_one_that_went_away(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions))
    socket._writer.transport.abort()

    assert await chat.upstream.end() == (1001, "")
    await chat.none_left()


async def test_an_upstream_that_vanishes_is_a_fault_on_our_side(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/vanish", await begun(sessions))

    assert await told(socket) == (1011, "")
    await chat.none_left()


async def test_a_message_beyond_the_limit_ends_the_socket_and_one_at_the_limit_does_not(
    vault: Vault, sessions: SessionStore, clock: MovableClock
) -> None:
    async with stage(vault, sessions, clock, max_body=1000) as chat:
        session = await begun(sessions)
        socket = await chat.open("/echo", session)
        await socket.send_bytes(b"x" * 1000)
        assert len(await socket.receive_bytes()) == 1000

        await socket.send_bytes(b"x" * 1001)
        assert await told(socket) == (1009, "")
        assert await chat.upstream.end() == (1001, "")

        said = await chat.open("/say?size=1001", session)
        assert await told(said) == (1009, "")
        assert await chat.upstream.end() == (1009, "")


async def test_a_browser_that_still_sends_hears_that_its_message_is_too_large(
    chat: Stage, sessions: SessionStore
) -> None:
    socket = await chat.open("/echo", await begun(sessions))
    connection = socket.get_extra_info("socket").dup()
    connection.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, b"\x82\xff" + (9_000_000).to_bytes(8, "big") + bytes(9_000_000))

    assert await told(socket) == (1009, ""), "a reset would have taken it away"
    connection.close()
    await chat.none_left()


async def test_who_reads_slowly_holds_the_other_side_up_and_not_our_memory(
    chat: Stage, sessions: SessionStore
) -> None:
    socket = await chat.open("/flood", await begun(sessions))
    socket._conn.protocol.pause_reading()  # type: ignore[union-attr]
    sent = -1
    while sent != chat.upstream.sent:
        sent = chat.upstream.sent
        await asyncio.sleep(0.3)

    assert sent * 10_000 < 20_000_000, "buffers of the system included"
    await socket.close()


MASK = b"\0\0\0\0"
BROKEN = {
    "a reserved bit": (b"\xc1\x80" + MASK, 1002),
    "an unknown opcode": (b"\x83\x80" + MASK, 1002),
    "an unknown control frame": (b"\x8b\x80" + MASK, 1002),
    "a ping in fragments": (b"\x09\x80" + MASK, 1002),
    "a ping that is too long": (b"\x89\xfe\x00\x7e" + MASK + bytes(126), 1002),
    "a fragment of nothing": (b"\x80\x83" + MASK + b"abc", 1002),
    "a message within another": (b"\x01\x83" + MASK + b"abc" + b"\x81\x83" + MASK + b"def", 1002),
    "a close of one byte": (b"\x88\x81" + MASK + b"x", 1002),
    "a close with a code that nobody has": (b"\x88\x82" + MASK + (1004).to_bytes(2, "big"), 1002),
    "a close whose reason is no text": (b"\x88\x83" + MASK + (1000).to_bytes(2, "big") + b"\xff", 1007),
    "a length beyond all numbers": (b"\x82\xff" + b"\xff" * 8 + MASK, 1009),
    "fragments that are too much together": (b"\x02\xfe\xff\xff" + MASK + bytes(65_535), 1009),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_is_no_message_ends_the_socket_and_reaches_nobody(
    chat: Stage, sessions: SessionStore, what: str
) -> None:
    frame, code = BROKEN[what]
    if "together" in what:
        frame += b"".join(b"\x00" + frame[1:] for _ in range(3))
    socket = await chat.open("/echo", await begun(sessions))
    socket._writer.transport.write(frame)

    assert await told(socket) == (code, "")
    assert await chat.upstream.end() == (1001, "")
    await chat.none_left()


async def test_text_that_is_none_is_the_upstreams_to_refuse(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions))
    socket._writer.transport.write(b"\x81\x82" + MASK + b"\xc3\x28")

    assert await told(socket) == (1007, "")


async def test_ten_thousand_small_messages_arrive_in_their_order(chat: Stage, sessions: SessionStore) -> None:
    socket = await chat.open("/echo", await begun(sessions))

    async def send() -> None:
        for number in range(10_000):
            await socket.send_str(str(number))

    sending = asyncio.create_task(send())
    assert [await socket.receive_str() for _ in range(10_000)] == [str(number) for number in range(10_000)]
    await sending
