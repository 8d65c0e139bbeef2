"""Limits: what is let in, what is refused and for how long, alone and with others, with Redis and without."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.counts import Counts
from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import OF_NETWORKS, SENTENCES, Caller, Limit, rules_of
from gateway.edge.limits import RateLimits
from servicekit.errors import TooManyRequests
from servicekit.leaky_buckets import Bucket, LocalBuckets
from tests.stage.tenant import MovableClock

ADA = Caller("ada")
HERE = Caller("198.51.100.0/24", "198.51.0.0/16")


@dataclass(frozen=True)
class Held:
    """What the shared counts answer."""

    fits: bool
    levels: Sequence[float]


class Shelf:
    """Counts that several processes share, in memory; `is_there` says whether they can be reached."""

    def __init__(self, clock: MovableClock) -> None:
        self._held = LocalBuckets(now=clock)
        self.is_there = True
        self.asked = 0

    def name(self, *parts: str) -> str:
        return "/".join(parts)

    def key(self, slot: str, *rest: str) -> str:
        return ":".join((slot, *rest))

    def call(self, buckets: Sequence[Bucket]) -> Any:
        return buckets

    def read(self, answer: Any) -> Held | None:
        self.asked += 1
        if not self.is_there:
            return None
        levels = self._held.levels(answer)
        fits = self._held.judge(answer).fits
        if fits:
            self._held.add(answer)
        return Held(fits, levels)

    async def add(self, buckets: Sequence[Bucket], cost: float) -> Held | None:
        self.asked += 1
        if not self.is_there:
            return None
        levels = self._held.levels(buckets)
        self._held.add(buckets, cost)
        return Held(fits=True, levels=levels)


class Heard(Counts):
    """Hears which limits refused."""

    def __init__(self) -> None:
        self.limits: list[str] = []

    def limited(self, limit: str) -> None:
        self.limits.append(limit)


@dataclass
class Scene:
    """Processes that share counts, and a clock for all of them."""

    clock: MovableClock
    shelf: Shelf
    heard: Heard

    processes: list[RateLimits] = field(default_factory=list)

    def process(
        self, *, sign_ins: int = 600, step_ups: int = 10, edits: int = 60, reads: int = 1200
    ) -> RateLimits:
        limits = RateLimits(
            rules_of(sign_ins=sign_ins, step_ups=step_ups, edits=edits, reads=reads),
            self.shelf,
            reports=LimitReports(self.heard, now=self.clock),
            now=self.clock,
        )
        self.processes.append(limits)
        return limits


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    clock = MovableClock(1000.0)
    scene = Scene(clock, Shelf(clock), Heard())
    yield scene
    for limits in scene.processes:
        await limits.aclose()


def begins(limits: RateLimits, limit: Limit, caller: Caller) -> TooManyRequests | None:
    """Claim, and count as whoever writes does; return the refusal, if it is one."""
    try:
        claim = limits.claim(limit, caller)
        claim.settle(claim.call)
    except TooManyRequests as refused:
        return refused
    return None


def many(limits: RateLimits, limit: Limit, caller: Caller, times: int) -> int:
    """How many of so many are let in."""
    return [begins(limits, limit, caller) for _ in range(times)].count(None)


async def test_S51_the_bucket_refills(scene: Scene) -> None:
    flows = scene.process(sign_ins=2)
    assert many(flows, Limit.SIGN_INS, HERE, 2) == 2
    refused = begins(flows, Limit.SIGN_INS, HERE)
    assert refused
    assert refused.headers["Retry-After"] == "30"

    scene.clock.now += 30

    assert begins(flows, Limit.SIGN_INS, HERE) is None
    assert begins(flows, Limit.SIGN_INS, HERE)


async def test_S51_A5_processes_let_in_no_more_together_than_one_alone(scene: Scene) -> None:
    one, other = scene.process(sign_ins=5), scene.process(sign_ins=5)

    let_in = [begins(each, Limit.SIGN_INS, HERE) for _ in range(6) for each in (one, other)].count(None)

    assert let_in == 5


async def test_S51_A5_whoever_knows_that_it_is_too_much_asks_nobody(scene: Scene) -> None:
    limits = scene.process(step_ups=3)
    many(limits, Limit.STEP_UPS, ADA, 4)
    asked = scene.shelf.asked

    assert many(limits, Limit.STEP_UPS, ADA, 50) == 0

    assert scene.shelf.asked == asked


async def test_R2_S51_while_redis_is_away_no_limit_is_lifted_and_none_is_made_of_it(scene: Scene) -> None:
    limits = scene.process(step_ups=6)
    assert many(limits, Limit.STEP_UPS, ADA, 4) == 4

    scene.shelf.is_there = False

    assert many(limits, Limit.STEP_UPS, ADA, 10) == 2, "what came before counts"
    assert many(limits, Limit.STEP_UPS, Caller("grace"), 10) == 6
    scene.clock.now += 60
    assert many(limits, Limit.STEP_UPS, ADA, 10) == 6


async def test_A5_one_person_s_limit_is_nothing_to_another(scene: Scene) -> None:
    limits = scene.process(edits=4)
    for _ in range(4):
        limits.take(Limit.EDITS, ADA)
    with pytest.raises(TooManyRequests):
        limits.take(Limit.EDITS, ADA)

    limits.take(Limit.EDITS, Caller("grace"))


async def test_A5_what_a_process_lets_in_the_others_hear_of_before_long(scene: Scene) -> None:
    one, other = scene.process(edits=100), scene.process(edits=100)
    for _ in range(100):
        one.take(Limit.EDITS, ADA)
        await asyncio.sleep(0)  # so that it gets to telling

    for _ in range(5):  # a twentieth is what nobody is told
        other.take(Limit.EDITS, ADA)
        await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        other.take(Limit.EDITS, ADA)


async def test_A5_few_of_anything_are_told_to_nobody(scene: Scene) -> None:
    limits = scene.process()
    for number in range(100):
        limits.note(Limit.SESSION_COOKIES, Caller(f"{number}", "wide"))
    await asyncio.sleep(0)

    assert scene.shelf.asked == 0


async def test_A5_telling_goes_on_after_redis_was_away(scene: Scene) -> None:
    limits = scene.process(edits=40)
    scene.shelf.is_there = False
    for _ in range(10):
        limits.take(Limit.EDITS, ADA)
    await asyncio.sleep(0)
    scene.shelf.is_there = True
    asked = scene.shelf.asked
    for _ in range(4):
        limits.take(Limit.EDITS, ADA)
    await asyncio.sleep(0)

    assert scene.shelf.asked > asked


def networks(version: int, number: int) -> Caller:
    """One of the networks of a wide one."""
    if version == 4:
        return Caller(f"203.0.{number}.0/24", "203.0.0.0/16")
    return Caller(f"2001:db8:0:{number:02x}00::/56", "2001:db8::/48")


@pytest.mark.parametrize("version", [4, 6])
async def test_A5_256_networks_of_one_wide_one_shut_nobody_out(scene: Scene, version: int) -> None:
    limits = scene.process(sign_ins=20)
    attack = sum(many(limits, Limit.SIGN_INS, networks(version, number), 40) for number in range(255))
    assert attack == 8 * 20 + 247 * 2

    assert many(limits, Limit.SIGN_INS, HERE, 20) == 20, "elsewhere nobody notices anything"
    assert many(limits, Limit.SIGN_INS, networks(version, 255), 20) == 2, "and among them there is something"


async def test_A5_where_all_have_done_too_much_each_network_has_what_is_assured(scene: Scene) -> None:
    limits = scene.process(sign_ins=100)
    attack = [many(limits, Limit.SIGN_INS, Caller(f"{n}", f"wide {n}"), 200) for n in range(66)]
    assert set(attack[:64]) == {100}

    assert many(limits, Limit.SIGN_INS, HERE, 100) == 10


async def test_A5_five_hundred_people_of_one_university_sign_in_at_nine(scene: Scene) -> None:
    assert many(scene.process(), Limit.SIGN_INS, HERE, 500) == 500


async def test_A5_a_network_behind_a_proxy_that_nobody_named_leaves_room_for_the_others(scene: Scene) -> None:
    limits = scene.process()
    flood = many(limits, Limit.SIGN_INS, HERE._replace(behind="203.0.113.0/24"), 2000)
    assert flood == 300

    assert many(limits, Limit.SIGN_INS, HERE._replace(behind="192.0.2.0/24"), 100) == 100


async def test_S48_A5_whom_a_stranger_says_to_speak_for_lifts_no_limit(scene: Scene) -> None:
    limits = scene.process(sign_ins=5)
    names = [HERE._replace(behind=f"203.0.{number}.0/24") for number in range(50)]

    assert [begins(limits, Limit.SIGN_INS, name) for name in names].count(None) == 5
    assert many(limits, Limit.SIGN_INS, HERE._replace(wide="10.9.0.0/16", behind="1.2.3.0/24"), 20) == 5


async def test_S51_who_begins_sign_ins_without_end_leaves_no_more_than_so_many_in_redis(scene: Scene) -> None:
    limits = scene.process(sign_ins=60)
    let_in = 0
    for _ in range(600):
        scene.clock.now += 1
        let_in += many(limits, Limit.SIGN_INS, HERE, 10)

    assert let_in <= 120 + 120 + 1, "a flow is kept for ten minutes"


@pytest.mark.parametrize("limit", Limit)
async def test_S51_every_limit_refuses_with_a_sentence_and_a_wait_and_is_counted(
    scene: Scene, limit: Limit
) -> None:
    limits = scene.process(sign_ins=1, step_ups=1, edits=1, reads=1)
    caller = HERE if limit in OF_NETWORKS else ADA
    limits.look(limit, caller)
    # Ten times as many where nobody is signed in: a page asks several times.
    for _ in range(10 if limit is Limit.ANONYMOUS_READS else 1):
        assert begins(limits, limit, caller) is None

    with pytest.raises(TooManyRequests) as refused:
        limits.look(limit, caller)

    assert refused.value.detail.startswith(SENTENCES[limit])
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 300
    assert scene.heard.limits == [limit.value]
