"""A request that waits is sent or dropped once, whoever asks, dies or steps up meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.errors import EditInProgress, NotFound, SessionStoreUnavailable, SignInRequired
from gateway.proxy.parked_requests import NOBODY_KNOWS, PARKED_SECONDS, SENDING, ParkedRequests
from gateway.session.sessions import LiveSession, SessionStore
from gateway.store.scripts import WRITE
from servicekit.errors import NOT_SAVED, UNKNOWN, ResourceUnavailable
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.waiting import anew, park, rotated
from tests.unit.gateway.store_of_tests import begun


async def nothing() -> None:
    """Do nothing meanwhile."""


async def meet(
    parked: ParkedRequests,
    session: LiveSession,
    identifier: str,
    problem: Exception,
    *,
    is_begun: bool = True,
    before: Callable[[], Awaitable[None]] = nothing,
    meanwhile: Callable[[], Awaitable[None]] = nothing,
) -> None:
    """Claim a request, begin to send it, and meet a problem."""
    async with parked.claimed(session, identifier) as claim:
        await before()
        if is_begun:
            await claim.begin()
        await meanwhile()
        raise problem


async def test_of_those_who_claim_it_at_once_one_sends_it(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)
    sent = []

    async def send() -> None:
        own = await anew(sessions, session)
        async with parked.claimed(own, identifier) as claim:
            await claim.begin()
            sent.append(claim.request.body)
            await claim.done()

    outcomes = await asyncio.gather(*(send() for _ in range(3)), return_exceptions=True)

    assert sent == [b"hello"]
    assert [type(outcome) for outcome in outcomes if outcome] == [NotFound, NotFound]


@pytest.mark.parametrize("is_begun", [True, False])
@pytest.mark.parametrize(
    "ends_with, waits_on",
    [
        (ResourceUnavailable("", outcome=NOT_SAVED), True),
        (ResourceUnavailable(""), True),
        (SignInRequired("rotated"), True),
        (ResourceUnavailable("", outcome=UNKNOWN), False),
    ],
    ids=["not saved", "no outcome", "another problem", "unknown"],
)
async def test_after_a_problem_it_waits_on_unless_nobody_knows(
    parked: ParkedRequests,
    sessions: SessionStore,
    ends_with: Exception,
    *,
    waits_on: bool,
    is_begun: bool,
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)

    with pytest.raises(type(ends_with)):
        await meet(parked, session, identifier, ends_with, is_begun=is_begun)

    again = await anew(sessions, session)
    if waits_on:
        async with parked.claimed(again, identifier) as claim:
            assert claim.request.body == b"hello"
    else:
        with pytest.raises(NotFound):
            await parked.get(again, identifier)


@pytest.mark.parametrize("is_begun", [True, False])
async def test_who_is_cancelled_while_it_is_being_sent_ends_it_and_before_that_does_not(
    parked: ParkedRequests, sessions: SessionStore, *, is_begun: bool
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)
    is_there = asyncio.Event()

    async def send() -> None:
        async with parked.claimed(await anew(sessions, session), identifier) as claim:
            if is_begun:
                await claim.begin()
            is_there.set()
            await asyncio.Event().wait()

    sending = asyncio.create_task(send())
    await is_there.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    again = await anew(sessions, session)
    if is_begun:
        with pytest.raises(NotFound):
            await parked.get(again, identifier)
    else:
        assert (await parked.get(again, identifier)).body == b"hello"


async def test_a_gateway_that_died_while_it_sent_one_leaves_none_that_is_sent_again(
    parked: ParkedRequests, sessions: SessionStore, clock: MovableClock
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)
    await session.records.put(SENDING.entry(b"1", clock() + PARKED_SECONDS, identifier))

    with pytest.raises(NotFound) as met:
        async with parked.claimed(await anew(sessions, session), identifier):
            raise AssertionError

    assert (met.value.detail, met.value.members["outcome"]) == (NOBODY_KNOWS, UNKNOWN)
    with pytest.raises(NotFound, match="does not wait here"):
        await parked.get(await anew(sessions, session), identifier)


async def test_a_redis_that_fails_before_it_is_sent_leaves_it_waiting(
    parked: ParkedRequests, sessions: SessionStore, way_to_redis: RequestProxy[Command]
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)

    async def fail() -> None:
        way_to_redis.refuse(runs(WRITE), NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable):
        await meet(parked, session, identifier, AssertionError(), before=fail)

    way_to_redis.heal()
    assert (await parked.get(await anew(sessions, session), identifier)).body == b"hello"


@pytest.mark.parametrize("waits_on", [True, False])
async def test_what_became_of_it_reaches_the_id_that_a_step_up_gave_the_session_meanwhile(
    parked: ParkedRequests, sessions: SessionStore, *, waits_on: bool
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)
    failed = ResourceUnavailable("", outcome=NOT_SAVED if waits_on else UNKNOWN)
    successors = []

    async def rotate() -> None:
        successors.append(await rotated(sessions, session))

    with pytest.raises(ResourceUnavailable):
        await meet(parked, session, identifier, failed, meanwhile=rotate)

    again = await anew(sessions, successors[0])
    if waits_on:
        async with parked.claimed(again, identifier) as claim:
            assert claim.request.body == b"hello"
    else:
        with pytest.raises(NotFound):
            await parked.get(again, identifier)


async def test_nothing_is_sent_for_a_session_that_ended(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)

    async def end() -> None:
        await sessions.end(session, "ended-elsewhere")

    with pytest.raises(SignInRequired) as met:
        await meet(parked, session, identifier, AssertionError(), before=end)

    assert met.value.reason == "ended-elsewhere"


async def test_what_is_dropped_is_sent_by_nobody_and_is_told_once(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)

    dropped = await parked.drop(session, identifier)

    assert dropped.upstream == "notes"
    for _ in range(2):
        with pytest.raises(NotFound):
            await parked.drop(await anew(sessions, session), identifier)


async def test_whoever_waits_for_long_is_told_that_it_is_in_work(
    parked: ParkedRequests, sessions: SessionStore
) -> None:
    session = await begun(sessions)
    identifier = await park(parked, session)
    async with parked.claimed(session, identifier):
        with pytest.raises(EditInProgress):
            async with parked.claimed(await anew(sessions, session), identifier, wait=0):
                raise AssertionError
