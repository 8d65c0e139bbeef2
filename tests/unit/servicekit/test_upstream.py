"""What keeps one upstream apart: told soon while it hangs, found out about beside, and never by our own queue (L10)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from servicekit.errors import Overloaded
from servicekit.upstream import FAILURES, OPEN_SECONDS, Upstream, UpstreamGuard, UpstreamPaused
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.authority import Clock

SMALL = Upstream("small", call_seconds=8, connections=4, waiting=2, wait_seconds=0.1)


class HangsError(Exception):
    pass


class SaysNothingError(Exception):
    pass


def judge(error: BaseException) -> bool | None:
    return None if isinstance(error, SaysNothingError) else isinstance(error, HangsError)


async def fails() -> str:
    raise HangsError


async def says_nothing() -> str:
    raise SaysNothingError


async def answers() -> str:
    return "an answer"


def hanging(until: asyncio.Event, error: type[Exception] | None = None) -> Callable[[], Awaitable[str]]:
    async def send() -> str:
        await until.wait()
        if error:
            raise error
        return "late"

    return send


class Stage:
    """A guard with a clock that the test moves, and what it told."""

    def __init__(self) -> None:
        self.clock = Clock(100)
        self.turns: list[bool] = []
        self.guard = UpstreamGuard(SMALL, now=self.clock, on_turn=self.turns.append)

    async def run(self, send: Callable[[], Awaitable[str]], *, is_read: bool = True) -> str:
        return await self.guard.run(send, judge=judge, is_read=is_read)

    def begin(self, send: Callable[[], Awaitable[str]], *, is_read: bool = True) -> "asyncio.Task[str]":
        return asyncio.create_task(self.run(send, is_read=is_read))

    async def open(self) -> None:
        for _ in range(FAILURES):
            with pytest.raises(HangsError):
                await self.run(fails)
        assert self.turns == [True]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def refusal(task: "asyncio.Task[str]") -> UpstreamPaused:
    with pytest.raises(UpstreamPaused) as caught:
        async with asyncio.timeout(PATIENCE):
            await task
    return caught.value


async def ticks(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_L10_after_a_few_failures_everybody_is_told_at_once_and_nothing_is_sent(stage: Stage) -> None:
    await stage.open()

    for is_read in (True, False):
        refused = stage.begin(answers, is_read=is_read)
        await ticks(2)
        assert refused.done(), "it waited for something"
        paused = await refusal(refused)
        assert (paused.retry_after, paused.maybe_done) == (1, False)


async def test_L10_reads_that_are_under_way_are_given_up_when_it_is_known_and_writes_are_not(
    stage: Stage,
) -> None:
    until = asyncio.Event()
    reading = [stage.begin(hanging(until)) for _ in range(2)]
    writing = stage.begin(hanging(until), is_read=False)
    await ticks()
    await stage.open()

    for task in reading:
        assert (await refusal(task)).maybe_done
    assert not writing.done()
    until.set()
    assert await writing == "late"


async def test_L10_an_answer_between_them_makes_failures_begin_anew(stage: Stage) -> None:
    for _ in range(3):
        for _ in range(FAILURES - 1):
            with pytest.raises(HangsError):
                await stage.run(fails)
        assert await stage.run(answers) == "an answer"

    assert stage.turns == []


async def test_L10_what_says_nothing_neither_opens_it_nor_closes_it(stage: Stage) -> None:
    for _ in range(FAILURES + 1):
        with pytest.raises(SaysNothingError):
            await stage.run(says_nothing)
    assert stage.turns == []
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    with pytest.raises(SaysNothingError):
        await stage.run(says_nothing)

    assert stage.turns == [True]
    assert await stage.run(answers) == "an answer", "and the next one finds out"
    assert stage.turns == [True, False]


async def test_L10_one_finds_out_and_goes_on_beside_its_caller_who_does_not_wait(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    until = asyncio.Event()
    finding_out = stage.begin(hanging(until))
    await ticks()
    assert not (await refusal(stage.begin(answers))).maybe_done, "one at a time"

    assert (await refusal(finding_out)).maybe_done, "within a second"
    assert not (await refusal(stage.begin(answers))).maybe_done
    until.set()
    await ticks()
    assert stage.turns == [True, False]
    assert await stage.run(answers) == "an answer"


async def test_L10_another_finds_out_a_second_later_where_the_first_still_hangs(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    until = asyncio.Event()
    assert (await refusal(stage.begin(hanging(until, HangsError)))).maybe_done
    stage.clock.now += OPEN_SECONDS

    assert await stage.run(answers) == "an answer"
    until.set()
    await ticks()
    assert stage.turns == [True, False], "what hung for so long is old news"


async def test_L10_whoever_finds_out_soon_is_answered(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS

    assert await stage.run(answers) == "an answer"
    assert stage.turns == [True, False]


async def test_L10_whoever_finds_out_and_fails_keeps_it_closed_to_the_others(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    with pytest.raises(HangsError):
        await stage.run(fails)

    assert not (await refusal(stage.begin(answers))).maybe_done


async def test_L10_a_write_may_find_out_and_is_waited_for(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    until = asyncio.Event()
    writing = stage.begin(hanging(until), is_read=False)
    await ticks()
    assert not (await refusal(stage.begin(answers))).maybe_done
    until.set()

    assert await writing == "late"
    assert stage.turns == [True, False]


async def test_L10_our_own_queue_is_overloaded_and_no_failure_of_the_upstream(stage: Stage) -> None:
    until = asyncio.Event()
    inside = [stage.begin(hanging(until)) for _ in range(SMALL.connections)]
    await ticks()
    waiting = [stage.begin(answers) for _ in range(SMALL.waiting)]
    await ticks()
    for _ in range(FAILURES + 1):
        with pytest.raises(Overloaded, match="no place, and 2 wait"):
            await stage.run(answers)
    for task in waiting:
        with pytest.raises(Overloaded, match="no place within"):
            await task
    until.set()

    assert await asyncio.gather(*inside) == ["late"] * SMALL.connections
    assert stage.turns == []


async def test_R9_places_come_back_whoever_leaves(stage: Stage) -> None:
    until = asyncio.Event()
    for is_read in (True, False):
        calls = [stage.begin(hanging(until), is_read=is_read) for _ in range(SMALL.connections)]
        await ticks()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    finding_out = stage.begin(hanging(until, HangsError))
    await ticks()
    finding_out.cancel()
    until.set()
    await ticks()
    stage.clock.now += OPEN_SECONDS

    assert await asyncio.gather(*(stage.run(answers) for _ in range(1))) == ["an answer"]
    assert await asyncio.gather(*(stage.run(answers) for _ in range(SMALL.connections))) == (
        ["an answer"] * SMALL.connections
    )


async def test_what_goes_on_beside_its_caller_ends_with_the_guard(stage: Stage) -> None:
    await stage.open()
    stage.clock.now += OPEN_SECONDS
    finding_out = stage.begin(hanging(asyncio.Event()))
    await refusal(finding_out)
    before = len(asyncio.all_tasks())
    await stage.guard.close()

    assert len(asyncio.all_tasks()) == before - 1
    with pytest.raises((Overloaded, UpstreamPaused)):
        await stage.run(answers)
