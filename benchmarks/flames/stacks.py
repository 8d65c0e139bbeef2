"""Sampled stacks: which functions were under way, and how often.

Reads the folded form of py-spy and of flame graph tools: a line is `outer (file);inner (file) COUNT`. Knows no
function of ours.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Self

_FRAME: Final = re.compile(r"(?P<name>.+) \((?P<file>[^():]+)(?::\d+)?\)")
_INSTALLED: Final = re.compile(r".*/(?:site-packages|lib/python3\.\d+)/")


@dataclass(frozen=True, slots=True)
class Frame:
    """A function under way; `file` is written from its package on."""

    name: str
    file: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one frame; what has no file is called by its text alone."""
        found = _FRAME.fullmatch(text)
        if found is None:
            return cls(text, "")
        return cls(found["name"].replace(".<locals>", ""), _INSTALLED.sub("", found["file"]))


Stack = tuple[Frame, ...]


def read(lines: Iterable[str]) -> Counter[Stack]:
    """Read folded stacks, outermost function first."""
    stacks: Counter[Stack] = Counter()
    for line in filter(None, map(str.strip, lines)):
        path, _, count = line.rpartition(" ")
        stacks[tuple(map(Frame.read, path.split(";")))] += int(count)
    return stacks


def of_the_main_thread(stacks: Counter[Stack]) -> Counter[Stack]:
    """Leave out other threads, which py-spy takes for busy while they wait."""
    return Counter({stack: count for stack, count in stacks.items() if stack[0].name != "Thread._bootstrap"})


def from_where_they_part(stacks: Counter[Stack]) -> Counter[Stack]:
    """Leave out the outermost functions that all stacks share: how a program started is in each of them."""
    shared = 0
    for frames in zip(*stacks, strict=False):
        if len(set(frames)) > 1:
            break
        shared += 1
    shared = max(shared - 1, 0)
    trimmed: Counter[Stack] = Counter()
    for stack, count in stacks.items():
        trimmed[stack[shared:]] += count
    return trimmed


@dataclass
class Node:
    """A function as called by the functions above it, and the samples in which it was under way."""

    frame: Frame
    count: int = 0
    callees: dict[Frame, "Node"] = field(default_factory=dict)

    def shown(self, depth: int = 0, start: int = 0) -> Iterator[tuple["Node", int, int]]:
        """Yield it and what it calls, with depth and first sample, the busiest first."""
        yield self, depth, start
        for callee in sorted(self.callees.values(), key=_busiest_first):
            yield from callee.shown(depth + 1, start)
            start += callee.count


def _busiest_first(node: Node) -> tuple[int, str, str]:
    return -node.count, node.frame.name, node.frame.file


def tree(stacks: Counter[Stack]) -> Node:
    """Put stacks together to one tree, below a root that is every sample."""
    root = Node(Frame("all", ""), stacks.total())
    for stack, count in stacks.items():
        node = root
        for frame in stack:
            node = node.callees.setdefault(frame, Node(frame))
            node.count += count
    return root
