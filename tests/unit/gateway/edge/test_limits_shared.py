"""What limits learn from the other processes and tell them, whose they are, and what a refusal says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from contextvars import ContextVar

import pytest

from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import (
    SENTENCES,
    Caller,
    Limit,
    rules_of,
)
from gateway.edge.limits import RateLimits
from servicekit.errors import TooManyRequests
from servicekit.leaky_buckets import Bucket
from tests.stage.patience import PATIENCE
from tests.stage.python_calls import python_calls
from tests.stage.tenant import MovableClock
from tests.unit.gateway.edge.test_limits import ADA, HERE, Heard, Held, Scene, Shelf, begins, many, networks


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = MovableClock(1000.0)
    scene = Scene(clock, Shelf(clock), Heard())
    yield scene
    for limits in scene.processes:
        await limits.aclose()


async def told() -> None:
    """Let what is to be told be told."""
    for _ in range(5):
        await asyncio.sleep(0)


async def taken(limits: RateLimits, limit: Limit, caller: Caller, times: int) -> int:
    """Do something so often, with time to tell the others in between; return how often it was let in."""
    let_in = 0
    for _ in range(times):
        with suppress(TooManyRequests):
            limits.take(limit, caller)
            let_in += 1
        await told()
    return let_in


async def test_A5_R2_what_others_had_counted_is_known_when_redis_goes_away(scene: Scene) -> None:
    one, other = scene.process(step_ups=5), scene.process(step_ups=5)
    many(one, Limit.STEP_UPS, ADA, 3)
    many(other, Limit.STEP_UPS, ADA, 1)

    scene.shelf.is_there = False

    assert many(other, Limit.STEP_UPS, ADA, 5) == 1


async def test_A5_a_refusal_of_all_together_is_remembered_by_each(scene: Scene) -> None:
    one, other = scene.process(step_ups=3), scene.process(step_ups=3)
    many(one, Limit.STEP_UPS, ADA, 3)
    assert begins(other, Limit.STEP_UPS, ADA)
    asked = scene.shelf.asked

    assert begins(other, Limit.STEP_UPS, ADA)

    assert scene.shelf.asked == asked


async def test_A5_of_a_small_limit_the_second_is_told(scene: Scene) -> None:
    limits = scene.process(edits=4)
    limits.take(Limit.EDITS, ADA)
    await told()
    assert scene.shelf.asked == 0

    limits.take(Limit.EDITS, ADA)
    await told()

    assert scene.shelf.asked == 1


async def test_A5_of_a_small_limit_in_all_the_second_is_told(scene: Scene) -> None:
    limits = scene.process(sign_ins=1)
    begins(limits, Limit.SIGN_INS, networks(4, 1))
    await told()
    asked = scene.shelf.asked

    begins(limits, Limit.SIGN_INS, networks(4, 2))
    await told()

    assert scene.shelf.asked == asked + 2, "the claim, and what all have done"


async def test_A5_what_all_networks_have_done_the_others_hear_of(scene: Scene) -> None:
    one, other = scene.process(sign_ins=20), scene.process(sign_ins=20)
    for number in range(64):
        many(one, Limit.SIGN_INS, Caller(f"{number}", f"wide {number}"), 20)
        await told()

    # A two hundredth is what nobody is told; then there is what is assured.
    assert await taken(other, Limit.SIGN_INS, HERE, 20) <= 1280 // 200 + 2


@pytest.mark.parametrize("limit, caller", [(Limit.EDITS, ADA), (Limit.CALLBACKS, HERE)])
async def test_A5_what_two_processes_have_let_in_is_added_up(
    scene: Scene, limit: Limit, caller: Caller
) -> None:
    one, other = scene.process(sign_ins=40, edits=40), scene.process(sign_ins=40, edits=40)
    assert await taken(one, limit, caller, 20) == 20

    assert await taken(other, limit, caller, 40) == 20


async def test_A5_up_to_the_last_one_all_networks_may_do_so_much(scene: Scene) -> None:
    limits = scene.process(sign_ins=20)
    for number in range(63):
        many(limits, Limit.SIGN_INS, Caller(f"{number}", f"wide {number}"), 20)
    many(limits, Limit.SIGN_INS, Caller("last", "wide last"), 19)

    assert many(limits, Limit.SIGN_INS, HERE, 20) == 1 + 2, "the last of all, and what is assured"


async def test_A5_what_came_to_nothing_counts_in_all_too(scene: Scene) -> None:
    limits = scene.process(sign_ins=20)
    for number in range(64):
        for _ in range(20):
            limits.note(Limit.CALLBACKS, Caller(f"{number}", f"wide {number}"))

    assert await taken(limits, Limit.CALLBACKS, HERE, 20) == 2


async def test_A5_at_least_one_is_assured(scene: Scene) -> None:
    limits = scene.process(sign_ins=5)
    for number in range(8):
        assert many(limits, Limit.SIGN_INS, networks(4, number), 5) == 5

    assert many(limits, Limit.SIGN_INS, networks(4, 9), 3) == 1, "a tenth of five is none"


@pytest.mark.parametrize(
    "limit, wide", [(Limit.EDITS, "198.51.0.0/16"), (Limit.SIGN_INS, ""), (Limit.EDITS, "")]
)
async def test_A5_whoever_is_no_network_is_counted_alone(scene: Scene, limit: Limit, wide: str) -> None:
    limits = scene.process(sign_ins=20, edits=20)

    assert [many(limits, limit, Caller(f"{number}", wide), 25) for number in range(9)] == [20] * 9
    assert [many(limits, limit, Caller(f"alone {number}"), 25) for number in range(9)] == [20] * 9


async def test_S51_a_refusal_says_what_was_too_much_and_to_wait(scene: Scene) -> None:
    limits = scene.process(step_ups=120)
    many(limits, Limit.STEP_UPS, ADA, 120)

    refused = begins(limits, Limit.STEP_UPS, ADA)

    assert refused
    assert refused.detail == f"{SENTENCES[Limit.STEP_UPS]} Wait a moment, then try again."
    assert refused.headers["Retry-After"] == "1", "half a second, and no less than one"
    assert refused.log_detail == "step-ups"


class Silent(Shelf):
    """Counts that never answer what they are told."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__(clock)
        self.was_given_up = False

    async def add(self, buckets: Sequence[Bucket], cost: float) -> Held | None:
        assert buckets
        assert cost
        try:
            await asyncio.Event().wait()
        finally:
            self.was_given_up = True
        return None


async def test_R19_a_process_that_ends_tells_nothing_more() -> None:
    clock = MovableClock(1000.0)
    shelf = Silent(clock)
    limits = Scene(clock, shelf, Heard()).process(edits=4)
    for _ in range(2):
        limits.take(Limit.EDITS, ADA)
    await told()

    # A time limit would cancel what it waits for, which is what is looked for here.
    closing = asyncio.create_task(limits.aclose())
    await asyncio.wait([closing], timeout=PATIENCE)

    assert closing.result() is None
    assert shelf.was_given_up


REQUEST: ContextVar[str] = ContextVar("request", default="none")


class Watching(Shelf):
    """Counts that note for which request they are told something, and of whom."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__(clock)
        self.requests: list[str] = []
        self.keys: list[str] = []

    async def add(self, buckets: Sequence[Bucket], cost: float) -> Held | None:
        self.requests.append(REQUEST.get())
        self.keys += [bucket.key for bucket in buckets]
        return await super().add(buckets, cost)


async def test_A5_telling_the_others_is_on_no_request_s_time() -> None:
    clock = MovableClock(1000.0)
    shelf = Watching(clock)
    limits = Scene(clock, shelf, Heard()).process(edits=4)
    REQUEST.set("somebody's")
    for _ in range(2):
        limits.take(Limit.EDITS, ADA)
    await told()
    await limits.aclose()

    assert shelf.requests == ["none"]


async def test_A5_of_so_many_it_remembers_what_was_not_told_and_forgets_the_one_of_longest_ago() -> None:
    clock = MovableClock(1000.0)
    shelf = Watching(clock)
    limits = RateLimits(
        rules_of(sign_ins=600, edits=40),
        shelf,
        reports=LimitReports(Heard(), now=clock),
        now=clock,
        most_owed=2,
    )
    for name in ("first", "second", "third"):
        limits.take(Limit.EDITS, Caller(name))
    for name in ("second", "third"):
        limits.take(Limit.EDITS, Caller(name))
        await told()
    limits.take(Limit.EDITS, Caller("first"))
    await told()
    await limits.aclose()

    assert shelf.keys == ["edits/second", "edits/third"], "what was forgotten is counted anew"


async def test_A5_behind_a_proxy_that_nobody_named_each_network_has_ten_at_least(scene: Scene) -> None:
    limits = scene.process(sign_ins=12)

    assert many(limits, Limit.SIGN_INS, HERE._replace(behind="203.0.113.0/24"), 20) == 10


async def test_A5_what_was_forgotten_keeps_nothing_else_from_being_told() -> None:
    clock = MovableClock(1000.0)
    shelf = Watching(clock)
    rules, reports = rules_of(sign_ins=600, edits=40), LimitReports(Heard(), now=clock)
    limits = RateLimits(rules, shelf, reports=reports, now=clock, most_owed=1)
    for number in range(10):
        for _ in range(2):
            limits.take(Limit.EDITS, Caller(f"{number}"))
    await told()
    await limits.aclose()

    assert shelf.keys == ["edits/9"]


async def test_A5_of_all_together_each_two_hundredth_part_is_told(scene: Scene) -> None:
    limits = scene.process(sign_ins=200)
    for number in range(63):
        limits.note(Limit.CALLBACKS, Caller(f"{number}", f"wide {number}"))
    await told()
    assert scene.shelf.asked == 0

    limits.note(Limit.CALLBACKS, HERE)
    await told()

    assert scene.shelf.asked == 1


async def test_A5_whoever_has_done_too_much_is_refused_still_after_thousands_of_others(scene: Scene) -> None:
    limits = scene.process(edits=4)
    for _ in range(4):
        limits.take(Limit.EDITS, ADA)
    for number in range(5_000):  # more than there are names kept
        limits.look(Limit.EDITS, Caller(f"somebody {number}"))

    with pytest.raises(TooManyRequests):
        limits.take(Limit.EDITS, ADA)


async def test_what_no_limit_refuses_costs_a_few_calls(scene: Scene) -> None:
    limits = scene.process(sign_ins=10_000, reads=10_000)

    assert python_calls(lambda: limits.look(Limit.SESSION_COOKIES, ADA)) <= 9
    assert python_calls(lambda: limits.take(Limit.READS, ADA)) <= 13
    assert python_calls(lambda: limits.take(Limit.ANONYMOUS_READS, HERE)) <= 60
