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
from dataclasses import dataclass
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
        self._owed: OrderedDict[str, tuple[Sequence[Bucket], float]] = OrderedDict()
        self._due: set[str] = set()
        self._telling: asyncio.Task[None] | None = None

    def look(self, limit: Limit, caller: Caller) -> None:
        """Raise TooManyRequests where the caller has done too much already, as far as this process knows."""
        verdict = self._local.judge(self._buckets(limit, caller))
        if not verdict.fits:
            raise self._refusal(limit, caller, verdict.wait)

    def take(self, limit: Limit, caller: Caller) -> None:
        """Count what the caller is about to do; raises TooManyRequests, and has counted nothing then."""
        self.look(limit, caller)
        self.note(limit, caller)

    def note(self, limit: Limit, caller: Caller) -> None:
        """Count what the caller has done, and let the others know before long."""
        buckets = self._buckets(limit, caller)
        self._local.add(buckets)
        self._owe(buckets, max(2, self._rules[limit].windows[0].most // _UNTOLD_PART))
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

    def _buckets(self, limit: Limit, caller: Caller) -> list[Bucket]:
        """Return the buckets that count for the caller, those of one slot together."""
        key, name = self._shared.key, self._shared.name
        if limit not in OF_NETWORKS or not caller.wide:
            slot = name(limit.value, caller.name)
            return [Bucket(key(slot), one.most, one.seconds) for one in self._rules[limit].windows]
        slot, network = name(limit.value, caller.wide), name(caller.name)
        windows = self._rules[limit].windows
        buckets: list[Bucket] = []
        for number, one in enumerate(windows):
            window, most = str(number), one.most
            buckets += [
                Bucket(
                    key(slot, window), WIDE * most, one.seconds, Role.SHARED, self._is_left(limit, number)
                ),
                Bucket(key(slot, window, network), most, one.seconds),
            ]
            if caller.behind:
                part, behind = max(LEAST_BEHIND, BEHIND * most), name(caller.name, caller.behind)
                buckets.append(Bucket(key(slot, window, behind), part, one.seconds))
        assured = max(1, ASSURED * windows[0].most)
        return [*buckets, Bucket(key(slot, "assured", network), assured, TEN_MINUTES, Role.ASSURED)]

    # What all may do together is known a little late

    def _all(self, limit: Limit) -> list[Bucket]:
        slot = self._shared.name(limit.value)
        return [
            Bucket(self._shared.key(slot, str(number)), ALL * one.most, one.seconds)
            for number, one in enumerate(self._rules[limit].windows)
        ]

    def _is_left(self, limit: Limit, window: int) -> bool:
        bucket = self._all(limit)[window]
        return not bucket.wait(self._local.levels([bucket])[0], 1)

    def _count_in_all(self, limit: Limit) -> None:
        if limit in OF_NETWORKS:
            buckets = self._all(limit)
            self._local.add(buckets)
            self._owe(buckets, max(2, buckets[0].capacity // _UNTOLD_PART_OF_ALL))

    # Telling the others

    def _owe(self, buckets: Sequence[Bucket], most: float) -> None:
        key = buckets[-1].key
        _, owed = self._owed.pop(key, (buckets, 0.0))
        self._owed[key] = (buckets, owed + 1)
        if owed + 1 >= most:
            self._due.add(key)
            if self._telling is None or self._telling.done():
                # Not in the request's own context, and so not on its time.
                self._telling = asyncio.create_task(self._tell(), context=contextvars.Context())
        while len(self._owed) > self._most_owed:
            self._owed.popitem(last=False)

    async def _tell(self) -> None:
        while self._due:
            known = self._owed.pop(self._due.pop(), None)
            if known is None:
                continue
            buckets, owed = known
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
