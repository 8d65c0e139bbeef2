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
        return max(0.0, level + cost - self.capacity) * self.each


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is let in, into which roles it then goes, and otherwise in how many seconds it would be."""

    fills: frozenset[Role] = frozenset()
    wait: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether it is let in."""
        return bool(self.fills)


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

    def judge(self, buckets: Sequence[Bucket]) -> Verdict:
        """Return whether one more is let in."""
        return judge(buckets, self.levels(buckets))

    def add(self, buckets: Sequence[Bucket], cost: float = 1) -> None:
        """Count what was let in, or was not asked about: by the rule, and as far as the buckets hold it."""
        levels = self.levels(buckets)
        fills = (judge(buckets, levels, cost) if cost == 1 else _AS_USUAL).fills or _AS_USUAL.fills
        self.raise_to(
            buckets,
            [level + cost * (bucket.role in fills) for bucket, level in zip(buckets, levels, strict=True)],
        )

    def raise_to(self, buckets: Sequence[Bucket], levels: Sequence[float]) -> None:
        """Let each bucket hold at least that much: others have counted as well."""
        now = self._now()
        for bucket, level in zip(buckets, levels, strict=True):
            self._held[bucket.key] = (min(max(level, self._level(bucket, now)), bucket.capacity), now)
            self._held.move_to_end(bucket.key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def _level(self, bucket: Bucket, now: float) -> float:
        level, at = self._held.get(bucket.key, (0.0, now))
        return max(0.0, level - max(0.0, now - at) / bucket.each)
