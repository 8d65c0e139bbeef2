"""What became of a write to a session.

Owns how the answer of the script WRITE is read. Never writes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_ALL, _ALL_BUT_THE_FIRST = 1, 2
_HEAD: Final = 2
"""Members of the answer before the names."""


@dataclass(frozen=True, slots=True)
class Written:
    """Whether everything was written, what the session holds now of what was named or had to go, and how often it was.

    `stored` says None of what is not there; it is empty, and `writes` 0, where the session has ended.
    """

    is_whole: bool
    stored: dict[str, bytes | None]
    writes: int

    @classmethod
    def of(cls, answer: Sequence[int | bytes], sealed: Mapping[str, bytes]) -> "Written":
        """Return what WRITE answers to the fields `sealed`, of which those that are empty were to be removed."""
        result, writes, *gone = answer
        stored: dict[str, bytes | None] = {}
        if result:
            stored = {name: value or None for name, value in sealed.items()}
            if result == _ALL_BUT_THE_FIRST and sealed:
                del stored[next(iter(sealed))]
            stored |= {name.decode(): None for name in gone if isinstance(name, bytes)}
        return cls(result == _ALL, stored, int(writes))
