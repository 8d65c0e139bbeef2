"""The two ways in which headers come to an answer say the same, and tell the time that sessions live by (S53)."""

import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from servicekit.http.every_answer import AnswerHeaders
from servicekit.reference import begin_request, request_id_of
from tests.stage.patience import PATIENCE

CONSTANT = {"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"}
NOON = 1_800_000_000.0


@dataclass
class Clocks:
    """This machine's clock, and Redis'."""

    ours: float = NOON
    redis: float = NOON

    def now(self) -> float:
        """Return our time."""
        return self.ours

    def of_redis(self) -> float:
        """Return Redis' time."""
        return self.redis


def asked() -> web.Request:
    """Return a request that has its id."""
    request = make_mocked_request("GET", "/")
    begin_request(request)
    return request


def fields(packed: bytes) -> dict[str, str]:
    """Return header lines by their names, each of which is there once."""
    pairs = [line.split(": ", 1) for line in packed.decode().split("\r\n") if line]
    assert len(dict(pairs)) == len(pairs), packed
    return {name: value for name, value in pairs}  # noqa: C416 - mypy takes no list for a pair


async def sent(every: AnswerHeaders, own: Mapping[str, str], request: web.Request) -> list[dict[str, str]]:
    """Return what an answer says, by each of the ways: in one piece, and by aiohttp."""
    whole, response = CIMultiDict(own), web.Response(headers=own)
    beside = every.lines(request, whole)
    await every.on_prepare(request, response)
    by_aiohttp = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    return [fields(beside) | dict(whole), by_aiohttp]


@pytest.mark.parametrize("apart", [0.0, 2.0, -2.0])
async def test_a_clock_that_goes_well_is_nobody_elses_business(apart: float) -> None:
    clocks = Clocks(redis=NOON + apart)
    every = AnswerHeaders(CONSTANT, now=clocks.now, dated_by=clocks.of_redis)
    own = {"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}

    for said in await sent(every, own, asked()):
        assert said["Date"] == own["Date"]
        assert said.keys() == {*CONSTANT, "Cache-Control", "Date", "client-request-id"}
    for said in (*await sent(every, {}, asked()), fields((every.usual_lines() or b"") + b"x")):
        told = email.utils.parsedate_to_datetime(said["Date"]).timestamp()
        assert abs(told - time.time()) < PATIENCE, "aiohttp's own, by this machine's clock"


@pytest.mark.parametrize(
    "apart, moment",
    [
        (3.0, "Fri, 15 Jan 2027 08:00:03 GMT"),
        (-3.0, "Fri, 15 Jan 2027 07:59:57 GMT"),
        (86_400.0, "Sat, 16 Jan 2027 08:00:00 GMT"),
    ],
)
async def test_the_date_is_redis_own_where_our_clock_is_more_than_two_seconds_from_it(
    apart: float, moment: str
) -> None:
    clocks = Clocks(redis=NOON + apart)
    every = AnswerHeaders(CONSTANT, now=clocks.now, dated_by=clocks.of_redis)

    for own in ({}, {"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        for said in await sent(every, own, asked()):
            assert said["Date"] == moment, "whatever the answer says"
    assert fields((every.usual_lines() or b"") + b"x")["Date"] == moment


async def test_both_ways_say_the_same_and_an_answers_own_goes_before() -> None:
    every = AnswerHeaders(CONSTANT, completion=None)
    own_policy = {"content-security-policy": "x", "server": "somebody"}
    for own in ({}, {"ETag": '"a"'}, {"referrer-policy": "origin"}, {"Cache-Control": "private"}, own_policy):
        request = asked()

        whole, by_aiohttp = [
            {name.lower(): value for name, value in one.items() if name != "Date"}
            for one in await sent(every, own, request)
        ]

        assert whole == by_aiohttp
        assert whole["client-request-id"] == request_id_of(request).text
        assert "server" not in whole
        expected = {"cache-control": "no-store"} | {name.lower(): value for name, value in CONSTANT.items()}
        if own is own_policy:
            del expected["x-frame-options"]
        told = {name.lower(): value for name, value in own.items() if name != "server"}
        assert whole == expected | told | {"client-request-id": request_id_of(request).text}


def test_usual_lines_are_packed_once_a_second_of_either_clock() -> None:
    clocks = Clocks()
    every = AnswerHeaders(CONSTANT, now=clocks.now, dated_by=clocks.of_redis)
    first = every.usual_lines()
    assert first
    assert first.endswith(b"\r\nclient-request-id: "), "the value is that of each answer"
    assert fields(first + b"x").keys() == {*CONSTANT, "Cache-Control", "Date", "client-request-id"}

    clocks.ours, clocks.redis = NOON + 0.9, NOON + 0.9
    assert every.usual_lines() is first
    clocks.redis = NOON + 5
    by_redis = every.usual_lines() or b""
    assert b"Date: Fri, 15 Jan 2027 08:00:05 GMT\r\n" in by_redis
    clocks.redis = NOON + 6
    assert b"Date: Fri, 15 Jan 2027 08:00:06 GMT\r\n" in (every.usual_lines() or b"")
    clocks.ours = NOON + 6
    assert b"08:00:06" not in (every.usual_lines() or b""), "both agree: it is aiohttp's date again"


@pytest.mark.parametrize("ours, redis", [(0.0, 1.0), (1.0, 0.0), (NOON, NOON)])
def test_usual_lines_are_there_from_the_first_answer_on(ours: float, redis: float) -> None:
    clocks = Clocks(ours, redis)

    lines = AnswerHeaders(CONSTANT, now=clocks.now, dated_by=clocks.of_redis).usual_lines()

    assert fields((lines or b"") + b"x").keys() == {*CONSTANT, "Cache-Control", "Date", "client-request-id"}


async def test_what_depends_on_who_asks_is_added_to_each_answer_and_nothing_is_packed_ahead() -> None:
    def completion(request: web.Request, headers: CIMultiDict[str]) -> None:
        headers["X-Path"] = request.path

    every = AnswerHeaders(CONSTANT, completion=completion)

    assert every.usual_lines() is None
    own = CIMultiDict({"Server": "somebody"})
    assert every.lines(asked(), own) == b""
    assert own["X-Path"] == "/"
    assert own["X-Frame-Options"] == "DENY"
    assert "Server" not in own
    for one in await sent(every, {}, asked()):
        assert one["X-Path"] == "/"
