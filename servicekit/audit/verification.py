"""Whether a trail is as it was written: each line by its hash, each chain without a gap, each beginning by its link.

Owns the judgement of lines in the order of their files, and a sentence for each thing that is wrong, which never quotes
what a line says.
Cannot prove that nothing was cut off at the end: a chain that is open belongs to a process that still writes, was
killed, or whose last lines were removed. Order between two processes is told by their times, not by the file.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from servicekit.audit.chain import NOTHING_BEFORE, ChainedLine, TrailKeys, read_line, torn_part
from servicekit.audit.trail import BEGIN, END

_MOST_REMEMBERED: Final = 100_000
_MOST_MISSING: Final = 10_000
_MARK: Final = b'"stream":"audit"'


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}"


@dataclass(slots=True)
class _Seen:
    """What was seen of one chain; `missing` are the numbers that were passed over."""

    key: str
    sequence: int
    hash: str
    place: Place
    ended: bool
    missing: set[int] = field(default_factory=set)


@dataclass
class Judgement:
    """What came of it: `faults` are proven changes, `notices` what cannot be proven, `unjudged` what no key opens."""

    lines: int = 0
    chains: int = 0
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)


class Verification:
    """Judges lines one by one, oldest file first.

    With `is_mixed` lines that are no audit lines are passed over, as where a container's whole output was collected.
    With `lacks_beginning` it is no fault that chains begin before the first file.
    """

    def __init__(self, keys: TrailKeys, *, is_mixed: bool = False, lacks_beginning: bool = False) -> None:
        self._keys = keys
        self._is_mixed = is_mixed
        self._lacks_beginning = lacks_beginning
        self._chains: dict[str, _Seen] = {}
        self._hashes: deque[str] = deque(maxlen=_MOST_REMEMBERED)
        self._known: set[str] = set()
        self._torn: tuple[Place, bytes] | None = None
        self._judgement = Judgement()

    def judge(self, name: str, lines: Iterable[bytes]) -> None:
        """Judge the lines of one file, with their ends."""
        for number, text in enumerate(lines, 1):
            if text.strip(b"\n"):
                self._judge(Place(name, number), text)

    def end(self) -> Judgement:
        """Return the judgement, once all files were judged."""
        self._judge_torn(None, b"")
        judged = self._judgement
        judged.chains = len(self._chains)
        for chain, seen in self._chains.items():
            if not seen.ended:
                judged.notices.append(
                    f"Chain {chain} is open after number {seen.sequence} ({seen.place}): its process still writes, was "
                    "killed, or what followed was removed."
                )
        return judged

    def _judge(self, place: Place, text: bytes) -> None:
        line = text.removesuffix(b"\n")
        read = read_line(line)
        self._judge_torn(read, line)
        if read is None and (torn := torn_part(line)):
            if torn == line and text.endswith(b"\n"):
                self._torn = place, torn  # who ended it says so in the line behind it
                return
            self._notice(place, f"{len(torn)} bytes of a line that was never finished")
            line = line[len(torn) :]
            read = read_line(line)
        elif read and not text.endswith(b"\n"):
            self._notice(place, "the end of the line is missing")
        if read is not None:
            self._judge_line(place, read)
        elif line and not (self._is_mixed and _MARK not in line):
            self._fault(place, "is no line of an audit trail: it was changed or put in")

    def _judge_torn(self, read: ChainedLine | None, line: bytes) -> None:
        """Judge what stands before this line unfinished: by whoever began anew behind it, or by who wrote it again."""
        if self._torn:
            place, torn = self._torn
            self._torn = None
            is_known = read and read.fact == BEGIN.name and b'"torn":%d,' % len(torn) in read.body
            if is_known or line.startswith(torn):
                self._notice(place, f"{len(torn)} bytes of a line that was never finished")
            else:
                self._fault(place, "is no line of an audit trail: it was changed or put in")

    def _judge_line(self, place: Place, read: ChainedLine) -> None:
        self._judgement.lines += 1
        begun = self._chains.get(read.chain)
        if begun and begun.key != read.key:
            self._fault(
                place, f"was changed: it names another key than the lines of chain {read.chain} before it"
            )
            return
        if not self._keys.knows(read.key):
            if not read.key:
                self._fault(place, "is not signed, and whoever could write the file could have written it")
                return
            sentence = f"Lines of key {read.key} cannot be judged: it is none of the keys that are set."
            if sentence not in self._judgement.unjudged:
                self._judgement.unjudged.append(sentence)
        elif self._keys.hash_of(read.body, read.key) != read.hash:
            self._fault(place, f"was changed, or its hash was (number {read.sequence} of chain {read.chain})")
            seen = self._chains.get(read.chain)
            if seen is None or read.sequence != seen.sequence + 1:
                return  # it may not even be what it says
        seen = self._chains.get(read.chain)
        if seen is None:
            self._begin(place, read)
        elif read.sequence > seen.sequence:
            self._go_on(place, read, seen)
        elif read.sequence in seen.missing:
            seen.missing.discard(read.sequence)
            self._fault(place, f"was moved: number {read.sequence} of chain {read.chain} belongs further up")
        else:
            self._fault(place, f"is there twice: number {read.sequence} of chain {read.chain}")

    def _begin(self, place: Place, read: ChainedLine) -> None:
        self._chains[read.chain] = _Seen(read.key, read.sequence, read.hash, place, read.fact == END.name)
        is_known = read.previous in self._known or (self._lacks_beginning and not self._known)
        self._remember(read.hash)
        if read.sequence != 1 and not self._lacks_beginning:
            self._fault(
                place, f"is number {read.sequence} of chain {read.chain}, and what came before is missing"
            )
        elif read.sequence == 1 and read.previous != NOTHING_BEFORE and not is_known:
            self._fault(place, f"begins chain {read.chain}, and the line that it goes on from is missing")

    def _go_on(self, place: Place, read: ChainedLine, seen: _Seen) -> None:
        first, last = seen.sequence + 1, read.sequence - 1
        if first <= last:
            seen.missing.update(range(first, min(last, first + _MOST_MISSING) + 1))
            which = f"number {first} is" if first == last else f"numbers {first} to {last} are"
            self._fault(place, f"has a gap before it: {which} missing from chain {read.chain}")
        elif read.previous != seen.hash:
            self._fault(place, f"does not go on from number {seen.sequence} of its chain ({seen.place})")
        seen.sequence, seen.hash, seen.place = read.sequence, read.hash, place
        seen.ended = read.fact == END.name
        self._remember(read.hash)

    def _remember(self, known: str) -> None:
        if len(self._hashes) == self._hashes.maxlen:
            self._known.discard(self._hashes[0])
        self._hashes.append(known)
        self._known.add(known)

    def _fault(self, place: Place, sentence: str) -> None:
        self._judgement.faults.append(f"{place} {sentence}.")

    def _notice(self, place: Place, sentence: str) -> None:
        self._judgement.notices.append(f"{place}: {sentence}.")
