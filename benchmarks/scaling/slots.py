"""How evenly sessions lie in a cluster: CRC16 of many made-up families, by slots and by servers.

A key's slot is CRC16 (XMODEM) of what stands between the first braces, modulo 16,384 (Redis Cluster specification,
"Key distribution model"). Python's `crc_hqx` is that CRC.
"""

import secrets
from array import array
from binascii import crc_hqx
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Final

from gateway.store.names import SessionRef

SLOTS: Final = 16_384


def slot_of(key: str) -> int:
    """Return the slot of a key of ours."""
    tag = key.partition("{")[2].partition("}")[0] or key
    return crc_hqx(tag.encode(), 0) % SLOTS


def keys_of_sessions(count: int) -> Iterator[str]:
    """Make up sessions, as `SessionCookie` does: a family of 16 random bytes each."""
    for _ in range(count):
        yield SessionRef(secrets.token_urlsafe(16), "00" * 32).key


@dataclass(frozen=True, slots=True)
class Spread:
    """How many keys the fullest and the emptiest have, as a part of the mean."""

    mean: float
    deviation: float
    emptiest: float
    fullest: float


def by_slots(keys: Iterable[str]) -> "array[int]":
    """Count the keys of each slot."""
    counts = array("q", bytes(8 * SLOTS))
    for key in keys:
        counts[slot_of(key)] += 1
    return counts


def by_servers(counts: "array[int]", servers: int) -> list[int]:
    """Add slots up as a cluster of so many masters divides them: in as equal ranges as there are."""
    bounds = [round(number * SLOTS / servers) for number in range(servers + 1)]
    return [sum(counts[start:end]) for start, end in pairwise(bounds)]


def spread(counts: Iterable[int]) -> Spread:
    """Say how even counts are."""
    listed = list(counts)
    mean = fmean(listed)
    return Spread(mean, pstdev(listed) / mean, min(listed) / mean, max(listed) / mean)
