"""Which of our functions are entered while something happens, and how calls move between files.

- file, function: of gateway/ and servicekit/, entered at least once; a lambda belongs to the function around it
- call: an entry of such a function; a coroutine that goes on after waiting is not entered again
- move: a call whose caller, passing over libraries, stands in another file; what a library or the loop begins has none
"""

import dis
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = tuple(f"{ROOT / room}/" for room in ("gateway", "servicekit"))
_WAY_OF_RESUMING: Final = 3


@dataclass
class Cost:
    """What serving one kind of request took; `files` and `functions` in the order in which they were entered."""

    files: dict[str, None] = field(default_factory=dict)
    functions: dict[CodeType, None] = field(default_factory=dict)
    calls: int = 0
    moves: int = 0
    commands: list[str] = field(default_factory=list)
    round_trips: int = 0

    def figures(self) -> dict[str, int]:
        """Return the numbers alone."""
        return {
            "files": len(self.files),
            "functions": len(self.functions),
            "calls": self.calls,
            "moves": self.moves,
            "commands": len(self.commands),
            "round_trips": self.round_trips,
        }


class Calls:
    """Notes which of our functions are entered, in every thread that starts after `watch`."""

    def __init__(self) -> None:
        self._noting: list[Cost] = []

    def watch(self) -> None:
        """Begin to look; nothing is noted before `note`."""
        threading.setprofile(self._entered)
        sys.setprofile(self._entered)

    def note(self, *costs: Cost) -> None:
        """Note what is entered from now on under each of `costs`; under none, nothing is noted."""
        self._noting = list(costs)

    def _entered(self, frame: FrameType, event: str, _: object) -> None:
        if not self._noting or event != "call" or not _is_ours(frame) or not _begins(frame):
            return
        code, caller = frame.f_code, frame.f_back
        while caller is not None and not _is_ours(caller):
            caller = caller.f_back
        for cost in self._noting:
            cost.files.setdefault(code.co_filename.removeprefix(f"{ROOT}/"))
            cost.functions.setdefault(code)
            cost.calls += 1
            cost.moves += caller is not None and caller.f_code.co_filename != code.co_filename


def _is_ours(frame: FrameType) -> bool:
    # Comprehensions, lambdas and class bodies are called <...>: some Pythons enter them, others do not.
    return frame.f_code.co_filename.startswith(OURS) and not frame.f_code.co_name.startswith("<")


def _begins(frame: FrameType) -> bool:
    """Tell a coroutine's or generator's beginning from its going on (dis: RESUME, whose argument is 0 at the start)."""
    at, code = frame.f_lasti, frame.f_code.co_code
    return code[at] != dis.opmap["RESUME"] or code[at + 1] & _WAY_OF_RESUMING == 0
