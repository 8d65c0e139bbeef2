"""What a head is refused for behind the parser, with each of aiohttp's two (S49, A8).

The same rows go to the programs in tests/real/processes/test_raw_requests.py, and to proxies in tests/real/proxies.
"""

import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy, RawRequestMessage

from servicekit.http.compiled_parser import has_compiled_parser
from servicekit.http.request_faults import RequestFault, fault_in
from tests.stage.raw_corpus import ANSWERED, HOST, NOT_FOUND, REFUSED

PARSERS = [HttpRequestParserPy, HttpRequestParser] if has_compiled_parser() else [HttpRequestParserPy]


async def parsed(kind: type[HttpRequestParserPy], request: bytes) -> list[RawRequestMessage]:
    loop = asyncio.get_running_loop()
    parser = kind(BaseProtocol(loop), loop, 2**16, max_line_size=8_190, max_field_size=8_190)
    messages, _, _ = parser.feed_data(request.replace(HOST, b"localhost"))
    return [message for message, _ in messages]


async def refusals(request: bytes) -> list[bool]:
    """Return for each parser whether it refuses a request, or we do behind it."""
    found = []
    for kind in PARSERS:
        try:
            messages = await parsed(kind, request)
        except HttpProcessingError:
            found.append(True)
        else:
            found.append(any(fault_in(message) for message in messages))
    return found


@pytest.mark.parametrize("name", REFUSED)
async def test_A8_S49_whatever_is_ambiguous_is_refused_whichever_parser_reads(name: str) -> None:
    assert all(await refusals(REFUSED[name]))


@pytest.mark.parametrize("name", (ANSWERED | NOT_FOUND))
async def test_S49_whatever_is_plain_is_let_through_whichever_parser_reads(name: str) -> None:
    assert not any(await refusals((ANSWERED | NOT_FOUND)[name]))


@pytest.mark.parametrize(
    "request_bytes, reason",
    [
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", "the version is neither 1.0 nor 1.1"),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "a transfer coding in HTTP/1.0"),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "a transfer coding that is not chunked alone",
        ),
        (b"GET / HTTP/1.1\r\nHost: evil@localhost\r\n\r\n", "a Host that is no host"),
        (b"GET /#canary HTTP/1.1\r\nHost: localhost\r\n\r\n", "a target that is none"),
        (b"GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "a target of another host than Host"),
    ],
)
async def test_S49_a_refusal_says_why_in_words_of_ours_alone(request_bytes: bytes, reason: str) -> None:
    (message,) = await parsed(PARSERS[-1], request_bytes)

    fault = fault_in(message)

    assert isinstance(fault, RequestFault)
    assert (str(fault), fault.is_of_head) == (reason, False)


async def test_S49_a_length_of_fifteen_digits_is_counted_and_one_of_sixteen_is_not() -> None:
    for digits, is_refused in ((15, False), (16, True)):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"1" * digits + b"\r\n\r\n"
        (message,) = await parsed(PARSERS[-1], head)
        assert bool(fault_in(message)) is is_refused


async def test_S49_what_is_refused_of_a_head_has_no_body() -> None:
    (message,) = await parsed(PARSERS[-1], b"HEAD /# HTTP/1.1\r\nHost: localhost\r\n\r\n")
    fault = fault_in(message)

    assert fault
    assert fault.is_of_head
