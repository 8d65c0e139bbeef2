"""A search for an input that breaks a target's promise; what is found is made as small as it can be.

`search` is short and the same every time, for the tests: Hypothesis makes the inputs. `search_for` is long and by
chance, for the command: the same changes, made without Hypothesis, which takes longer for an input than most readers.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.inputs import MOST_CHANGES, MOST_WORDS, Change, changed, inputs
from tests.fuzz.target import Target

_AT_ONCE: Final = 100
_LONGEST_PIECE: Final = 3


@dataclass(frozen=True)
class Finding:
    """An input that breaks a promise, and how."""

    data: bytes
    fault: Exception


def search(target: Target, *, examples: int) -> Finding | None:
    """Give the target so many inputs, the same ones each time."""
    failing: list[bytes] = []

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(inputs(target.words, target.seeds))
    def tried(data: bytes) -> None:
        try:
            target.check(data)
        except Exception:
            failing.append(data)  # the last is the smallest
            raise

    try:
        tried()
    except Exception as fault:  # noqa: BLE001 - whatever a reader raises is the finding
        return Finding(failing[-1], fault)
    return None


def search_for(
    target: Target, seconds: float, *, chance: int, now: Callable[[], float] = time.monotonic
) -> tuple[int, Finding | None]:
    """Search until the time is over or something is found; return how many inputs were tried."""
    dice = random.Random(chance)  # noqa: S311 - nothing is kept secret by it
    seeds, end, tried = target.seeds, now() + seconds, 0
    while now() < end:
        for _ in range(_AT_ONCE):
            tried += 1
            data = _thrown(dice, target.words, seeds)
            if _fault(target, data):
                data = _smallest(data, lambda smaller: _fault(target, smaller) is not None)
                fault = _fault(target, data)
                return tried, Finding(data, fault) if fault else None
    return tried, None


def _fault(target: Target, data: bytes) -> Exception | None:
    try:
        target.check(data)
    except Exception as fault:  # noqa: BLE001 - as above
        return fault
    return None


def _thrown(dice: random.Random, words: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    def piece() -> bytes:
        return dice.choice(words) if dice.random() < 0.8 else dice.randbytes(dice.randint(0, _LONGEST_PIECE))

    if not seeds or dice.random() < 0.3:
        return b"".join(piece() for _ in range(dice.randint(0, MOST_WORDS)))
    changes = [
        (dice.choice(list(Change)), dice.randrange(1 << 16), piece(), dice.randint(1, 64))
        for _ in range(dice.randint(1, MOST_CHANGES))
    ]
    return changed(dice.choice(seeds), changes)


def _smallest(data: bytes, breaks: Callable[[bytes], bool]) -> bytes:
    """Take pieces away, large ones first, as long as the promise stays broken."""
    length = len(data)
    while length:
        at = 0
        while at < len(data):
            less = data[:at] + data[at + length :]
            if breaks(less):
                data = less
            else:
                at += length
        length //= 2
    return data
