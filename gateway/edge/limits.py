"""How often anybody may do what costs us, the authority or Graph something.

Owns the refusal beyond a limit. What was let in is counted in Redis, by all workers and gateways together, and in this
process, which refuses by itself what it knows to be too much, and goes on by what it knows while Redis cannot count: a
fault of Redis lifts no limit, and is none.
Never counts what it refuses, so that who asks too often waits no longer than who does not.
"""

import asyncio
import contextvars
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Protocol

from aiohttp import web

from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import (
    ALL,
    ASSURED,
    BEHIND,
    LEAST_BEHIND,
    OF_NETWORKS,
    SENTENCES,
    TEN_MINUTES,
    WIDE,
    Caller,
    Limit,
    Rule,
)
from servicekit.cancellation import ended
from servicekit.errors import TooManyRequests
from servicekit.leaky_buckets import Bucket, LocalBuckets, Role, judge

_MOST_OWED: Final = 10_000
# Callers whose names are kept, half a kilobyte each.
_MOST_NAMED: Final = 4_096
# Which part of a limit one process may let through before the others hear of it.
_UNTOLD_PART: Final = 20
_UNTOLD_PART_OF_ALL: Final = 200


class Counted(Protocol):
    """Whether something fitted, and what each bucket held before."""

    @property
    def fits(self) -> bool:
        """Whether it was counted."""

    @property
    def levels(self) -> Sequence[float]:
        """What each bucket held before."""


class SharedCounts(Protocol):
    """Counts that all processes share."""

    def name(self, *parts: str) -> str:
        """Return what somebody is called there."""

    def key(self, slot: str, *rest: str) -> str:
        """Return the key of a bucket."""

    def call(self, buckets: Sequence[Bucket]) -> Any:
        """Return what counts one more in the step that writes what it is for."""

    def read(self, answer: Any) -> Counted | None:
        """Return what came of it; None where it was not counted."""

    async def add(self, buckets: Sequence[Bucket], cost: float) -> Counted | None:
        """Count what was done; None where that cannot be done now."""


@dataclass(slots=True)
class _Owed:
    """What the other processes have yet to hear of one caller."""

    buckets: Sequence[Bucket]
    count: int = 0


class RateLimits:
    """The limits of one process; `now` is a monotonic clock in seconds.

    Of `most_owed` callers it remembers what the other processes have yet to hear.
    """

    def __init__(
        self,
        rules: Mapping[Limit, Rule],
        shared: SharedCounts,
        *,
        reports: LimitReports,
        now: Callable[[], float],
        most_owed: int = _MOST_OWED,
    ) -> None:
        self._most_owed = most_owed
        self._rules = rules
        self._shared = shared
        self._reports = reports
        self._local = LocalBuckets(now=now)
        # The names in Redis are keyed hashes, dear to make and the same whenever a caller comes back.
        self._of_name = lru_cache(_MOST_NAMED)(self._buckets_of_name)
        self._of_network = lru_cache(_MOST_NAMED)(self._buckets_of_network)
        self._of_all = {limit: self._buckets_of_all(limit) for limit in rules if limit in OF_NETWORKS}
        self._untold = {limit: max(2, rule.windows[0].most // _UNTOLD_PART) for limit, rule in rules.items()}
        self._owed: OrderedDict[str, _Owed] = OrderedDict()
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    def look(self, limit: Limit, caller: Caller) -> None:
        """Raise TooManyRequests where the caller has done too much already, as far as this process knows."""
        verdict = self._local.judge(self._buckets(limit, caller))
        if not verdict.fits:
            raise self._refusal(limit, caller, verdict.wait)

    def take(self, limit: Limit, caller: Caller) -> None:
        """Count what the caller is about to do; raises TooManyRequests, and has counted nothing then."""
        buckets = self._buckets(limit, caller)
        verdict = self._local.take(buckets)
        if not verdict.fills:
            raise self._refusal(limit, caller, verdict.wait)
        self._owe(buckets, self._untold[limit])
        self._count_in_all(limit)

    def note(self, limit: Limit, caller: Caller) -> None:
        """Count what the caller has done, and let the others know before long."""
        buckets = self._buckets(limit, caller)
        self._local.add(buckets)
        self._owe(buckets, self._untold[limit])
        self._count_in_all(limit)

    def claim(self, limit: Limit, caller: Caller) -> "Claim":
        """Return what is to be counted in the step that writes; raises TooManyRequests."""
        self.look(limit, caller)
        return Claim(self, limit, caller, self._shared.call(self._buckets(limit, caller)))

    def settle(self, limit: Limit, caller: Caller, answer: Any) -> None:
        """Learn what came of a claim; raises TooManyRequests where all processes together let in too much."""
        buckets, counted = self._buckets(limit, caller), self._shared.read(answer)
        if counted is None:
            self._local.add(buckets)
        elif counted.fits:
            self._local.raise_to(buckets, counted.levels)
            self._local.add(buckets)
        else:
            self._local.raise_to(buckets, counted.levels)
            raise self._refusal(limit, caller, judge(buckets, counted.levels).wait)
        self._count_in_all(limit)

    async def aclose(self) -> None:
        """Tell the others no more."""
        await ended(self._telling)

    def _refusal(self, limit: Limit, caller: Caller, seconds: float) -> TooManyRequests:
        self._reports.refused(limit, caller)
        refusal = TooManyRequests(
            f"{SENTENCES[limit]} Wait a moment, then try again.", retry_after=max(1, math.ceil(seconds))
        )
        refusal.log_detail = limit.value
        return refusal

    # Which buckets count for whom

    def _buckets(self, limit: Limit, caller: Caller) -> Sequence[Bucket]:
        """Return the buckets that count for the caller, those of one slot together."""
        if limit not in OF_NETWORKS or not caller.wide:
            return self._of_name(limit, caller.name)
        buckets = self._of_network(limit, caller.name, caller.wide, caller.behind)
        full = [bucket.seconds for bucket in self._of_all[limit] if bucket.wait(self._local.level(bucket), 1)]
        if not full:
            return buckets
        return [
            replace(bucket, is_open=False)
            if bucket.role is Role.SHARED and bucket.seconds in full
            else bucket
            for bucket in buckets
        ]

    def _buckets_of_name(self, limit: Limit, name: str) -> Sequence[Bucket]:
        key = self._shared.key(self._shared.name(limit.value, name))
        return [Bucket(key, one.most, one.seconds) for one in self._rules[limit].windows]

    def _buckets_of_network(
        self, limit: Limit, network: str, wide: str, behind: str | None
    ) -> Sequence[Bucket]:
        key, name = self._shared.key, self._shared.name
        slot, own = name(limit.value, wide), name(network)
        windows = self._rules[limit].windows
        buckets: list[Bucket] = []
        for number, one in enumerate(windows):
            window, most = str(number), one.most
            buckets += [
                Bucket(key(slot, window), WIDE * most, one.seconds, Role.SHARED),
                Bucket(key(slot, window, own), most, one.seconds),
            ]
            if behind:
                part = max(LEAST_BEHIND, BEHIND * most)
                buckets.append(Bucket(key(slot, window, name(network, behind)), part, one.seconds))
        assured = max(1, ASSURED * windows[0].most)
        return [*buckets, Bucket(key(slot, "assured", own), assured, TEN_MINUTES, Role.ASSURED)]

    # What all may do together is known a little late

    def _buckets_of_all(self, limit: Limit) -> Sequence[Bucket]:
        slot = self._shared.name(limit.value)
        return [
            Bucket(self._shared.key(slot, str(number)), ALL * one.most, one.seconds)
            for number, one in enumerate(self._rules[limit].windows)
        ]

    def _count_in_all(self, limit: Limit) -> None:
        if limit in OF_NETWORKS:
            buckets = self._of_all[limit]
            self._local.add(buckets)
            self._owe(buckets, max(2, buckets[0].capacity // _UNTOLD_PART_OF_ALL))

    # Telling the others

    def _owe(self, buckets: Sequence[Bucket], most: float) -> None:
        key = buckets[-1].key
        owed = self._owed.get(key)
        if owed is None:
            owed = self._owed[key] = _Owed(buckets)
            if len(self._owed) > self._most_owed:
                self._owed.popitem(last=False)
        else:
            self._owed.move_to_end(key)
        owed.count += 1
        if owed.count >= most:
            self._due.add(key)
            if self._telling is None or self._telling.done():
                # Not in the request's own context, and so not on its time.
                self._telling = asyncio.create_task(self._tell(), context=contextvars.Context())

    async def _tell(self) -> None:
        while self._due:
            known = self._owed.pop(self._due.pop(), None)
            if known is None:
                continue
            buckets, owed = known.buckets, known.count
            counted = await self._shared.add(buckets, owed)
            if counted:
                filled = [bucket.role is not Role.ASSURED for bucket in buckets]
                levels = zip(counted.levels, filled, strict=True)
                self._local.raise_to(buckets, [level + owed * is_filled for level, is_filled in levels])


@dataclass(frozen=True, slots=True)
class Claim:
    """One more of something, let in by this process, to be counted in the step that writes: `call` counts it there."""

    limits: RateLimits
    limit: Limit
    caller: Caller
    call: Any

    def settle(self, answer: Any) -> None:
        """Learn what `call` was answered; raises TooManyRequests where that was no: undo what was written."""
        self.limits.settle(self.limit, self.caller, answer)


CLAIM: Final = web.RequestKey("claim", Claim)
