"""Answers in one piece and in many: whatever a server says, it means the same however the network cuts it."""

import asyncio
import contextlib
import gzip
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from servicekit.http_client.answer_reader import AnswerReader

Judged = tuple[list[tuple[int, bytes, str]], bool]
"""The status, body and fault of each answer, and whether the connection may have another one."""
Message = tuple[RawResponseMessage, StreamReader]

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
PACKED = gzip.compress(b"hi", mtime=0)

ANSWERS = {
    "whole": WHOLE,
    "empty": OK + b"Content-Length: 0\r\n\r\n",
    "zeros-before-its-length": OK + b"Content-Length: 0002\r\n\r\nhi",
    "in-chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    "in-chunks-with-trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n",
    "in-chunks-and-with-a-length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi",
    "two-lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "the-same-length-twice": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "a-list-of-lengths": OK + b"Content-Length: 2, 2\r\n\r\nhi",
    "a-length-with-a-sign": OK + b"Content-Length: +2\r\n\r\nhi",
    "a-length-in-other-digits": OK + "Content-Length: ²\r\n\r\nhi".encode(),
    "a-length-with-an-underscore": OK + b"Content-Length: 0_2\r\n\r\nhi",
    "a-length-that-is-empty": OK + b"Content-Length: \r\n\r\nhi",
    "no-length": OK + b"\r\nhi",
    "too-little": OK + b"Content-Length: 3\r\n\r\nhi",
    "too-much": OK + b"Content-Length: 1\r\n\r\nhi",
    "another-answer-behind-it": WHOLE + WHOLE,
    "an-interim-answer-before-it": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE,
    "an-interim-answer-with-a-length": b"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nhi",
    "204-with-a-length": b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "204-in-chunks": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    "204-in-chunks-that-come": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "204-and-the-last": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "204-packed": b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n",
    "204-and-an-upgrade": b"HTTP/1.1 204 No Content\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "204-and-another-behind-it": b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    "204-of-an-older-version": b"HTTP/1.0 204 No Content\r\n\r\n",
    "304": b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',
    "a-head-with-a-length-alone": OK + b"Content-Length: 2\r\n\r\n",
    "a-head-of-chunks-alone": OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "a-head-alone": OK + b"\r\n",
    "an-interim-answer-alone": b"HTTP/1.1 102 Processing\r\n\r\n",
    "304-with-a-length": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    "packed": OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(PACKED), PACKED),
    "not-what-it-says-it-is-packed-with": OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
    "an-upgrade-nobody-asked-for": OK + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhi",
    "the-last": OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi",
    "of-an-older-version": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "ends-of-lines-that-are-none": OK.replace(b"\r", b"") + b"Content-Length: 2\n\nhi",
    "a-folded-field": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
    "a-field-without-a-colon": OK + b"X\r\nContent-Length: 2\r\n\r\nhi",
    "a-field-with-a-nul": OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nhi",
    "a-status-that-is-none": b"HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\nhi",
    "no-answer": b"\x16\x03\x01\x02\x00 hello\r\n\r\n",
    "a-body-that-looks-like-the-end-of-a-head": OK + b"Content-Length: 6\r\n\r\n\r\n\r\nhi",
    "an-end-of-a-head-before-the-status": b"\r\n\r\n" + WHOLE,
}


class Protocol:
    """Who is told to pause; nothing here is long enough for that."""

    connected = True

    def pause_reading(self) -> None:
        raise AssertionError("nothing of this is long")

    def resume_reading(self, *, resume_parser: bool = True) -> None:
        """Do nothing: nothing was paused."""


async def body_of(payload: StreamReader) -> tuple[bytes, str]:
    try:
        return (await payload.read() if payload.is_eof() else b"(goes on)"), ""
    except Exception as fault:  # noqa: BLE001 - what is compared
        return b"", type(fault).__name__


async def judged(pieces: list[bytes], *, has_body: bool, unpacks: bool) -> Judged:
    """Return what a reader makes of these pieces, one after the other."""
    reader, found, fault = AnswerReader(Protocol()), list[Message](), False
    reader.begin(has_body=has_body, unpacks=unpacks)
    try:
        for piece in pieces:
            found += reader.feed(piece)
    except Exception:  # noqa: BLE001 - whatever the parser makes of it
        fault = True
    here, is_between = reader.here, reader.end()
    answers = [
        (message.code, *((here, "") if here is not None else await body_of(payload)))
        for message, payload in found
    ]
    return answers, is_between and not fault


async def by_one_parser(pieces: list[bytes], *, has_body: bool, unpacks: bool) -> Judged:
    """Return what aiohttp's parser makes of them, which reads all of it by itself."""
    parser = AnswerReader(Protocol())._made(has_body=has_body, unpacks=unpacks)
    found: list[Message] = []
    is_between = False
    try:
        for piece in pieces:
            found += parser.feed_data(piece)[0]
        is_between = parser.feed_eof() is None
    except Exception:  # noqa: BLE001, S110 - the same
        pass
    return [(message.code, *(await body_of(payload))) for message, payload in found], is_between


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


@pytest.mark.parametrize("unpacks", [True, False], ids=["unpacked", "as-it-is"])
@pytest.mark.parametrize("has_body", [True, False], ids=["GET", "HEAD"])
def test_an_answer_is_what_the_parser_makes_of_it_however_the_network_cuts_it(
    *, has_body: bool, unpacks: bool
) -> None:
    async def story() -> None:
        for name, sent in ANSWERS.items():
            single = [sent[at : at + 1] for at in range(len(sent))]
            cuts = [[sent[:at], sent[at:]] for at in range(1, len(sent), 7)]
            for pieces in ([sent], single, *cuts):
                read = await judged(pieces, has_body=has_body, unpacks=unpacks)
                assert read == await by_one_parser(pieces, has_body=has_body, unpacks=unpacks), (name, pieces)

    run(story)


def test_a_whole_answer_is_here_at_once_and_the_next_one_as_well() -> None:
    async def story() -> None:
        reader = AnswerReader(Protocol())
        for number in range(3):
            reader.begin(has_body=True, unpacks=True)
            ((message, payload),) = reader.feed(WHOLE.replace(b"hi", b"%02d" % number))
            assert (message.code, message.headers["Content-Type"]) == (200, "text/plain")
            assert reader.here == b"%02d" % number
            assert payload is EMPTY_PAYLOAD, "there is no stream"
            assert reader.end()
            assert reader.here is None, "nothing of it stays with an idle connection"

    run(story)


@pytest.mark.parametrize(
    "answer, has_body",
    [("204", True), ("304", True), ("304-with-a-length", True), ("a-head-with-a-length-alone", False)],
)
def test_an_answer_that_has_no_body_is_here_with_its_head(answer: str, *, has_body: bool) -> None:
    async def story() -> None:
        reader = AnswerReader(Protocol())
        for _ in range(3):
            reader.begin(has_body=has_body, unpacks=True)
            ((_, payload),) = reader.feed(ANSWERS[answer])
            assert reader.here == b""
            assert payload is EMPTY_PAYLOAD, "there is no stream"
            assert reader.end()

    run(story)


@pytest.mark.parametrize("more", [b"x", b"\r\n", WHOLE, ANSWERS["204"]])
@pytest.mark.parametrize("answer", ["whole", "204"])
def test_what_follows_a_whole_answer_in_a_piece_of_its_own_is_no_answer(answer: str, more: bytes) -> None:
    async def story() -> None:
        reader = AnswerReader(Protocol())
        reader.begin(has_body=True, unpacks=False)
        assert len(reader.feed(ANSWERS[answer])) == 1

        with pytest.raises(BadHttpMessage):
            reader.feed(more)

    run(story)


def test_after_an_answer_that_was_no_such_thing_a_whole_one_is_read_as_ever() -> None:
    async def story() -> None:
        reader = AnswerReader(Protocol())
        for sent in ANSWERS.values():
            reader.begin(has_body=True, unpacks=True)
            with contextlib.suppress(Exception):  # the next one is what is looked at
                reader.feed(sent)
            reader.end()
            reader.begin(has_body=True, unpacks=True)
            ((message, _),) = reader.feed(WHOLE)
            assert (message.code, reader.here, reader.end()) == (200, b"hi", True)

    run(story)
