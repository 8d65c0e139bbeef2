"""Requests with an idempotency key: what is done is not sent again, what nobody knows is, and never two at once."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
from multidict import CIMultiDict

from gateway.errors import EditInProgress, IdempotencyKeyReused, SessionStoreUnavailable, SignInRequired
from gateway.proxy.parked_form import PARKED
from gateway.proxy.parked_requests import SENDING
from gateway.proxy.repeats import (
    ANSWER,
    IDEMPOTENCY_SECONDS,
    MOST_KEYS,
    RepeatedAnswer,
    RepeatedRequest,
    RequestMark,
    sent_once,
)
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.scripts import CLAIM
from servicekit.errors import NOT_SAVED, UNKNOWN, ResourceUnavailable
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.waiting import anew, rotated
from tests.unit.gateway.store_of_tests import begun

ASKED = ("POST", "/api/notes?x=1", '"a"', b"hello")


@dataclass
class Head:
    """The head of an answer."""

    status: int = 201
    told: Mapping[str, str] = field(default_factory=lambda: {"Location": "/api/notes/7", "ETag": '"1"'})

    @property
    def headers(self) -> CIMultiDict[str]:
        """Its headers."""
        return CIMultiDict(self.told)


class Upstream:
    """Answers as told, and counts."""

    def __init__(self, *answers: Head | BaseException) -> None:
        self.answers = [*answers]
        self.asked = 0

    async def send(self) -> Head:
        """Answer, the last one again and again."""
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


def repeated(
    clock: MovableClock, key: str = "k", asked: tuple[str, str, str | None, bytes] = ASKED
) -> RepeatedRequest:
    method, path, condition, body = asked
    return RepeatedRequest(key, RequestMark(method, path, condition, body), now=clock)


async def ask(
    sessions: SessionStore, session: LiveSession, clock: MovableClock, upstream: Upstream
) -> object:
    return await sent_once(await anew(sessions, session), repeated(clock), upstream.send)


@pytest.mark.parametrize(
    "answer, status, told",
    [
        (Head(), 201, {"Location": "/api/notes/7", "ETag": '"1"'}),
        (Head(202, {}), 202, {}),
        (Head(200, {"ETag": 'W/"2"', "Content-Type": "text/html"}), 204, {"ETag": 'W/"2"'}),
        (Head(204, {}), 204, {}),
        (Head(207, {}), 204, {}),
        (Head(303, {"Location": "/api/notes/7"}), 303, {"Location": "/api/notes/7"}),
        (Head(200, {"ETag": '"' + "x" * 4000 + '"'}), 204, {}),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_what_is_done_is_answered_without_its_body_and_not_sent_again(
    sessions: SessionStore, clock: MovableClock, answer: Head, status: int, told: dict[str, str]
) -> None:
    session, upstream = await begun(sessions), Upstream(answer)
    assert await ask(sessions, session, clock, upstream) is answer

    again = await ask(sessions, session, clock, upstream)

    assert isinstance(again, RepeatedAnswer)
    response = again.response()
    assert response.status == status
    own = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    assert own == {"Idempotency-Replayed": "true", **told}
    assert upstream.asked == 1


@pytest.mark.parametrize(
    "meets",
    [
        Head(500, {}),
        Head(503, {"Retry-After": "1"}),
        ResourceUnavailable("", outcome=UNKNOWN),
        asyncio.CancelledError(),
    ],
    ids=["500", "503", "unknown", "cancelled"],
)
async def test_what_nobody_knows_is_sent_again_and_only_as_it_was(
    sessions: SessionStore, clock: MovableClock, meets: Head | BaseException
) -> None:
    session, upstream = await begun(sessions), Upstream(meets, Head())
    if isinstance(meets, Head):
        await ask(sessions, session, clock, upstream)
    else:
        with pytest.raises(type(meets)):
            await ask(sessions, session, clock, upstream)

    other = repeated(clock, asked=("POST", "/api/notes?x=1", '"a"', b"Hello"))
    with pytest.raises(IdempotencyKeyReused):
        await sent_once(await anew(sessions, session), other, upstream.send)
    assert await ask(sessions, session, clock, upstream) == Head()
    assert upstream.asked == 2


@pytest.mark.parametrize(
    "meets",
    [Head(400, {}), Head(409, {}), Head(422, {}), Head(307, {}), ResourceUnavailable("", outcome=NOT_SAVED)],
    ids=["400", "409", "422", "307", "not saved"],
)
async def test_what_was_refused_or_never_sent_can_be_mended_under_the_same_key(
    sessions: SessionStore, clock: MovableClock, meets: Head | ResourceUnavailable
) -> None:
    session, upstream = await begun(sessions), Upstream(meets, Head())
    if isinstance(meets, Head):
        await ask(sessions, session, clock, upstream)
    else:
        with pytest.raises(ResourceUnavailable):
            await ask(sessions, session, clock, upstream)

    mended = repeated(clock, asked=("POST", "/api/notes?x=1", None, b"better"))
    assert await sent_once(await anew(sessions, session), mended, upstream.send) == Head()


@pytest.mark.parametrize(
    "other",
    [
        ("PUT", "/api/notes?x=1", '"a"', b"hello"),
        ("POST", "/api/notes?x=2", '"a"', b"hello"),
        ("POST", "/api/notes?x=1", '"b"', b"hello"),
        ("POST", "/api/notes?x=1", None, b"hello"),
        ("POST", "/api/notes?x=1", '"a"', b"hello "),
        ("POST", "/api/notes?x=1", '"a"', b""),
        ("POST", "/api/notes", '?x=1"a"', b"hello"),
        ("POST", "/api/notes?x=1", "", b'"a"hello'),
        ("POST/api/notes?x=1", "", '"a"', b"hello"),
    ],
)
async def test_another_request_under_the_same_key_is_refused_and_not_sent(
    sessions: SessionStore, clock: MovableClock, other: tuple[str, str, str | None, bytes]
) -> None:
    session, upstream = await begun(sessions), Upstream(Head())
    await ask(sessions, session, clock, upstream)

    with pytest.raises(IdempotencyKeyReused):
        await sent_once(await anew(sessions, session), repeated(clock, asked=other), upstream.send)

    assert upstream.asked == 1


async def test_of_two_at_once_the_second_is_told_so_and_not_sent(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, upstream = await begun(sessions), Upstream(Head())
    is_there, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Head:
        is_there.set()
        await go_on.wait()
        return await upstream.send()

    first = asyncio.create_task(sent_once(await anew(sessions, session), repeated(clock), slow))
    await is_there.wait()
    with pytest.raises(EditInProgress):
        await ask(sessions, session, clock, upstream)
    other = repeated(clock, key="another")
    assert await sent_once(await anew(sessions, session), other, upstream.send) == Head()
    go_on.set()

    assert await first == Head()
    assert upstream.asked == 2


async def test_a_body_that_is_still_coming_is_compared_as_a_whole(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, upstream = await begun(sessions), Upstream(Head())
    sent: list[bytes] = []

    async def upload(*pieces: bytes) -> object:
        mark = RequestMark("PUT", "/api/notes/7", None, b"the beginning, ")

        async def coming() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        rest = mark.watching(coming())

        async def send() -> Head:
            sent.extend([piece async for piece in rest])
            return await upstream.send()

        request = RepeatedRequest("k", mark, now=clock)
        return await sent_once(await anew(sessions, session), request, send, rest=rest)

    assert await upload(b"a", b"bc") == Head()
    assert isinstance(await upload(b"ab", b"c"), RepeatedAnswer), "the same, in other pieces"
    for other in ((b"a", b"bd"), (b"a",), (b"a", b"bc", b"d")):
        with pytest.raises(IdempotencyKeyReused):
            await upload(*other)
    assert (upstream.asked, sent) == (1, [b"a", b"bc"])


async def test_A2_ten_keys_are_remembered_for_ten_minutes_through_a_step_up(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, upstream = await begun(sessions), Upstream(Head())
    for number in range(MOST_KEYS + 1):
        await sent_once(await anew(sessions, session), repeated(clock, f"k{number}"), upstream.send)
        clock.now += 1
    session = await rotated(sessions, session, ANSWER, PARKED, SENDING)

    for number, is_known in ((MOST_KEYS, True), (1, True), (0, False)):
        answer = await sent_once(await anew(sessions, session), repeated(clock, f"k{number}"), upstream.send)
        assert isinstance(answer, RepeatedAnswer) == is_known
    clock.now += IDEMPOTENCY_SECONDS
    live = await sessions.load(session.cookie)
    assert live is None or not await live.records.get(ANSWER, "k1")


async def test_another_session_knows_nothing_of_the_key(sessions: SessionStore, clock: MovableClock) -> None:
    upstream = Upstream(Head())
    for _ in range(2):
        assert await ask(sessions, await begun(sessions), clock, upstream) == Head()


async def test_neither_key_nor_what_was_asked_for_lies_in_the_record(clock: MovableClock) -> None:
    asked = ("POST", "/api/secret-path", '"a-tag"', b"a secret")
    (record,) = repeated(clock, key="a-key", asked=asked).entry(saved=True, answer=Head()).values()

    for word in (b"secret", b"a-key", b"a-tag"):
        assert word not in record.value
    assert len(record.value) < 300


async def test_nothing_is_sent_where_redis_does_not_answer(
    sessions: SessionStore, clock: MovableClock, way_to_redis: RequestProxy[Command]
) -> None:
    session, upstream = await begun(sessions), Upstream(Head())
    live = await anew(sessions, session)
    way_to_redis.refuse(runs(CLAIM), NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await sent_once(live, repeated(clock), upstream.send)

    assert upstream.asked == 0


async def test_a_problem_that_says_nothing_of_an_outcome_is_not_remembered(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    with pytest.raises(SignInRequired):
        await ask(sessions, session, clock, Upstream(SignInRequired()))

    assert await (await anew(sessions, session)).records.get(ANSWER, "k") is None
