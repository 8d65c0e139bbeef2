"""How many functions in Python something enters: what it costs, by a count that no busy computer changes.

Functions in C count nothing, and comprehensions neither: some Pythons enter them, others do not.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

_UNCOUNTED: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


def python_calls(work: Callable[[], object], *, times: int = 10) -> float:
    """Return how many functions `work` enters, without itself: the mean of so many times, after one for the caches."""
    entered = 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal entered
        if event == "call" and frame.f_code.co_name not in _UNCOUNTED:
            entered += 1

    work()
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for _ in range(times):
            work()
    finally:
        sys.setprofile(before)
    return (entered / times) - 1
