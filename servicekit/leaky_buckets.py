"""Leaky buckets: how much may come at once, and how soon more.

Owns the rule by which something is let in or refused, and counts that are kept in the memory of this process.
A bucket holds `capacity` units and loses them evenly, all of them in `seconds`; what no longer fits is refused, and
what is refused is not counted.
Several that belong together are judged at once. Some are one's own, and some are shared with strangers, who may have
filled them: then one's assured bucket, much smaller, still lets in.
Never knows who is counted, or what for.

The rule is that of the generic cell rate algorithm (ITU-T I.371), which needs one number for each bucket.
"""

import enum
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_BUCKETS: Final = 20_000
"""In memory, at about 200 bytes each; beyond them the one that was used longest ago is forgotten."""


class Role(enum.IntEnum):
    """What a bucket is to whoever is judged; the numbers are those of `gateway/store/count_scripts.py`."""

    OWN = 0
    """Must have room."""
    SHARED = 1
    """Must have room, or the assured one."""
    ASSURED = 2
    """Is filled only where a shared one has no room."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket; `is_open` says whether a shared one may take anything at the moment, whatever it holds."""

    key: str
    capacity: float
    seconds: float
    role: Role = Role.OWN
    is_open: bool = True

    @property
    def each(self) -> float:
        """How many seconds it takes to lose one unit."""
        return self.seconds / self.capacity

    def wait(self, level: float, cost: float) -> float:
        """Return in how many seconds `cost` more has room: 0 for now, all of its time where there is no telling."""
        if not self.is_open:
            return self.seconds
        over = level + cost - self.capacity
        return over * self.each if over > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is let in, into which roles it then goes, and otherwise in how many seconds it would be."""

    fills: frozenset[Role] = frozenset()
    wait: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether it is let in."""
        return bool(self.fills)


_OWN: Final = Role.OWN
_AS_USUAL: Final = Verdict(frozenset({Role.OWN, Role.SHARED}))
_ASSURED: Final = Verdict(frozenset({Role.OWN, Role.ASSURED}))


def judge(buckets: Sequence[Bucket], levels: Sequence[float], cost: float = 1) -> Verdict:
    """Return whether `cost` more is let in, where the buckets hold `levels`; nothing else may come meanwhile."""
    waits: dict[Role, float] = {}
    for bucket, level in zip(buckets, levels, strict=True):
        waits[bucket.role] = max(waits.get(bucket.role, 0.0), bucket.wait(level, cost))
    own, shared = waits.get(Role.OWN, 0.0), waits.get(Role.SHARED, 0.0)
    assured = waits.get(Role.ASSURED)
    if not own and not shared:
        return _AS_USUAL
    if not own and assured == 0:
        return _ASSURED
    return Verdict(wait=max(own, shared if assured is None else min(shared, assured)))


def _is_ones_own(buckets: Sequence[Bucket]) -> bool:
    """Tell whether there is nobody to share with: a person's, as most are, are judged by their one number."""
    return len(buckets) == 1 and buckets[0].role is _OWN


class LocalBuckets:
    """The buckets of this process, by their keys; `now` is a monotonic clock in seconds."""

    def __init__(self, *, now: Callable[[], float], most: int = MOST_BUCKETS) -> None:
        self._now = now
        self._most = most
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def levels(self, buckets: Sequence[Bucket]) -> list[float]:
        """Return what each bucket holds."""
        now = self._now()
        return [self._level(bucket, now) for bucket in buckets]

    def level(self, bucket: Bucket) -> float:
        """Return what one bucket holds."""
        return self._level(bucket, self._now())

    def judge(self, buckets: Sequence[Bucket]) -> Verdict:
        """Return whether one more is let in."""
        if _is_ones_own(buckets):
            wait = buckets[0].wait(self._level(buckets[0], self._now()), 1)
            return Verdict(wait=wait) if wait else _AS_USUAL
        return judge(buckets, self.levels(buckets))

    def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Count one more if it is let in, and return whether it was."""
        now = self._now()
        if _is_ones_own(buckets):
            level = self._level(buckets[0], now)
            if wait := buckets[0].wait(level, 1):
                return Verdict(wait=wait)
            self._hold(buckets[0], level + 1, now)
            return _AS_USUAL
        levels = [self._level(bucket, now) for bucket in buckets]
        verdict = judge(buckets, levels)
        if verdict.fills:
            self._fill(buckets, levels, verdict.fills, 1, now)
        return verdict

    def add(self, buckets: Sequence[Bucket], cost: float = 1) -> None:
        """Count what was let in, or was not asked about: by the rule, and as far as the buckets hold it."""
        now = self._now()
        levels = [self._level(bucket, now) for bucket in buckets]
        fills = (judge(buckets, levels, cost) if cost == 1 else _AS_USUAL).fills or _AS_USUAL.fills
        self._fill(buckets, levels, fills, cost, now)

    def raise_to(self, buckets: Sequence[Bucket], levels: Sequence[float]) -> None:
        """Let each bucket hold at least that much: others have counted as well."""
        now = self._now()
        for bucket, level in zip(buckets, levels, strict=True):
            self._hold(bucket, max(level, self._level(bucket, now)), now)

    def _fill(
        self,
        buckets: Sequence[Bucket],
        levels: Sequence[float],
        fills: frozenset[Role],
        cost: float,
        now: float,
    ) -> None:
        for bucket, level in zip(buckets, levels, strict=True):
            self._hold(bucket, level + cost if bucket.role in fills else level, now)

    def _hold(self, bucket: Bucket, level: float, now: float) -> None:
        held = self._held
        held[bucket.key] = (min(bucket.capacity, level), now)
        held.move_to_end(bucket.key)
        if len(held) > self._most:
            held.popitem(last=False)

    def _level(self, bucket: Bucket, now: float) -> float:
        held = self._held.get(bucket.key)
        if held is None:
            return 0.0
        level, at = held
        left = level - (now - at) * bucket.capacity / bucket.seconds if now > at else level
        return max(0.0, left)
